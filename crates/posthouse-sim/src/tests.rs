//! The simulation in small: many seeds pass, the same seed gives the same run, and bugs that are
//! planted on purpose are found.

use posthouse_core::broker::planted::PlantedBug;

use crate::plan::{Carrier, Plan};
use crate::world;

/// Seeds within which a planted bug must be found.
const SEEDS_PER_BUG: u64 = 60;

/// The first seed that finds `bug`, and who noticed.
fn hunt(bug: PlantedBug, carrier: Carrier, looks_inside: bool) -> Option<(u64, &'static str)> {
    (1..=SEEDS_PER_BUG).find_map(|seed| {
        let plan = Plan { bug: Some(bug), looks_inside, ..Plan::new(seed, carrier) };
        Some((seed, world::run(&plan).noticed_by()?))
    })
}

#[test]
fn planted() {
    for bug in PlantedBug::ALL {
        for carrier in [Carrier::Values, Carrier::Stomp] {
            println!(
                "{bug:?} {carrier:?} {:?} {:?}",
                hunt(bug, carrier, false),
                hunt(bug, carrier, true)
            );
        }
    }
}
