//! Starting a node after a crash and looking whether it has what it must have.

use std::collections::BTreeMap;

use posthouse_core::ids::BatchNo;
use posthouse_store::journal::scan::Directory;

use crate::crash::disks::Disks;
use crate::crash::life::Life;
use crate::crash::oracle::{self, Digest, Oracle};
use crate::crash::past::Past;
use crate::crash::setup::Setup;
use crate::invariants::Breach;

/// Starts a node on what a crash has left. `state_of` knows the state that belongs to a batch.
///
/// # Errors
/// What it does not have, or should not have.
pub fn start_again(
    setup: &Setup,
    disks: &Disks,
    past: Past,
    state_of: &dyn Fn(BatchNo) -> Digest,
) -> Result<Life, Breach> {
    let begun = Life::begin(setup, disks, past);
    let life = begun.map_err(|detail| Breach { invariant: "starts-after-crash", detail })?;
    epochs_differ(disks)?;
    check(&life, state_of)?;
    Ok(life)
}

/// The same, when the state of a batch is to be found from the past.
///
/// # Errors
/// What it does not have, or should not have.
pub fn start_from(setup: &Setup, disks: &Disks, past: Past) -> Result<Life, Breach> {
    let batches = past.batches.clone();
    let policies = setup.policies();
    let state_of = |last| Oracle::digest_after(&policies, &batches, last);
    start_again(setup, disks, past, &state_of)
}

/// Each segment has an epoch of its own, so that what lay in its file before is never taken for its
/// own.
fn epochs_differ(disks: &Disks) -> Result<(), Breach> {
    let breach = |detail| Breach { invariant: "epochs-differ", detail };
    let directory = Directory::read(&disks.journal).map_err(|fault| breach(fault.to_string()))?;
    let mut names = BTreeMap::new();
    for (head, name) in &directory.segments {
        if let Some(other) = names.insert(head.epoch, name) {
            return Err(breach(format!("{name} and {other} have the same")));
        }
    }
    Ok(())
}

/// Looks whether a node that has just started has what it must have, and nothing else.
///
/// # Errors
/// What it does not have, or should not have.
pub fn check(life: &Life, state_of: &dyn Fn(BatchNo) -> Digest) -> Result<(), Breach> {
    let (floor, top) = (life.past().floor, life.past().top());
    let found = life.recovered();
    if found < floor {
        let detail = format!("batch {} was confirmed; found are {}", floor.0, found.0);
        return Err(Breach { invariant: "confirmed-survives", detail });
    }
    if found > top {
        let detail = format!("batch {} was found, of {}", found.0, top.0);
        return Err(Breach { invariant: "nothing-from-nowhere", detail });
    }
    oracle::compare(&state_of(found), &life.broker().durable_digest())
}
