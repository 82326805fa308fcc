//! The simulation in small: many seeds pass, a seed gives the same run every time, and every bug
//! that is planted on purpose is found, by a look inside the node and from the history alone.

use posthouse_core::broker::planted::PlantedBug;

use crate::plan::{Carrier, Plan};
use crate::world;

/// Seeds that must pass.
const SEEDS: u64 = 200;

/// Threads that share them.
const THREADS: u64 = 2;

/// Seeds within which a planted bug must be found.
const SEEDS_PER_BUG: u64 = 40;

const CARRIERS: [Carrier; 2] = [Carrier::Values, Carrier::Stomp];

/// Runs every `THREADS`th seed from `first` on.
fn run_share(first: u64) {
    for seed in (first..=SEEDS).step_by(THREADS as usize) {
        let plan = Plan::new(seed, Carrier::of(seed));
        if let Some(failure) = world::run(&plan).failure() {
            let carrier = plan.carrier.name();
            let again = format!("cargo xtask sim --seeds 1 --from {seed} --carrier {carrier}");
            panic!("seed {seed}: {failure}\nrepeat it by: {again}");
        }
    }
}

#[test]
fn seeds_pass() {
    std::thread::scope(|scope| {
        (1..=THREADS).for_each(|first| drop(scope.spawn(move || run_share(first))));
    });
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for (seed, carrier) in [(1, Carrier::Values), (2, Carrier::Stomp)] {
        let plan = Plan::new(seed, carrier);
        let (one, other) = (world::run(&plan), world::run(&plan));
        assert!(one.history.events.len() > 100, "something happens");
        assert_eq!(one.trace, other.trace, "seed {seed} over {}", carrier.name());
    }
}

/// The first seed that finds the bug, and who noticed.
fn hunt(bug: PlantedBug, carrier: Carrier, looks_inside: bool) -> Option<(u64, &'static str)> {
    (1..=SEEDS_PER_BUG).find_map(|seed| {
        let plan = Plan { bug: Some(bug), looks_inside, ..Plan::new(seed, carrier) };
        Some((seed, world::run(&plan).noticed_by()?))
    })
}

#[test]
fn every_planted_bug_is_found() {
    for bug in PlantedBug::ALL {
        for carrier in CARRIERS {
            for (looks_inside, how) in [(true, "inside"), (false, "from the history alone")] {
                let found = hunt(bug, carrier, looks_inside);
                let name = carrier.name();
                let (seed, check) = found
                    .unwrap_or_else(|| panic!("{bug:?} over {name} is not found, looking {how}"));
                println!("{bug:?} over {name}, looking {how}: seed {seed}, by {check}");
            }
        }
    }
}
