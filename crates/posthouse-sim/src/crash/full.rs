//! A disk that becomes full: producers are told, consumers go on until everything is consumed, a
//! crash in between loses nothing, and once there is room again everything is as before.

use posthouse_store::files::sim::Fate;

use crate::crash::examine::start_from;
use crate::crash::failure::{Failure, guarded};
use crate::crash::setup::Setup;
use crate::crash::tally::Tally;
use crate::invariants::Breach;
use crate::random::{Random, Stream};

/// What happens before the disk is limited.
const STEPS_BEFORE: u64 = 100;

/// What happens while it fills up and is full.
const STEPS_FULL: u64 = 600;

/// What happens once there is room again.
const STEPS_AFTER: u64 = 100;

/// Segments that are kept back for then: as many as in a node that is told nothing else. They are
/// so short here that one message can be longer than what may be under way.
const SPARES: usize = 2;

/// Bytes that are still free when the disk is limited, at most.
const FREE_BYTES_MAX: u64 = 256 << 10;

/// Fills the disk in the life of a seed.
///
/// # Errors
/// What was wrong while it was full, or after.
pub fn explore(setup: Setup) -> Result<Tally, Box<Failure>> {
    let setup = setup.with_spares(SPARES);
    let filled = || fill(&setup);
    guarded(&setup, "--full 1 --images 0 --errors 0 --flips 0", || "a full disk".into(), filled)
}

fn fill(setup: &Setup) -> Result<Tally, Breach> {
    let mut random = Random::new(setup.seed, Stream::Faults);
    let mut life = setup.live(STEPS_BEFORE)?;
    let capacity_bytes = life.disks.journal.used_bytes() + random.below(FREE_BYTES_MAX);
    life.disks.journal.limit(capacity_bytes);
    life.may_be_full = true;
    life.live_on(STEPS_FULL)?;
    let full = u64::from(life.notes().full > 0);
    if random.chance(50) {
        let end = life.disks.journal.operations();
        let disks = life.disks.crashed(end, Fate::Some, random.bits());
        disks.journal.limit(capacity_bytes);
        life = start_from(setup, &disks, life.past_at(end))?;
        life.may_be_full = true;
    }
    life.drain()?;
    life.disks.journal.limit(u64::MAX);
    life.rest_for_long()?;
    life.may_be_full = false;
    life.live_on(STEPS_AFTER)?;
    life.drain()?;
    Ok(Tally { full, judged: 1, ..Tally::default() })
}
