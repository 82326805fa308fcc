//! Errors of the disk: the n-th call of each kind fails, for every n, once or from then on.
//!
//! Either the node goes on as if nothing had been, or it stops. In both cases whoever was told
//! that something is safe must find it when the node is started again: after the program alone was
//! stopped, so that the system still shows what it has failed to write, and after a power cut.

use std::io::ErrorKind;

use posthouse_store::files::sim::{Action, Fate, Fault};

use crate::crash::disks::Disks;
use crate::crash::examine::start_from;
use crate::crash::failure::{Failure, guarded};
use crate::crash::life::Life;
use crate::crash::past::Past;
use crate::crash::setup::Setup;
use crate::crash::tally::Tally;
use crate::invariants::Breach;

/// What happens in the life in which the error comes.
const STEPS: u64 = 100;

/// Calls of one kind that one life can have; more would mean that a fault is never met.
const CALLS_MAX: u64 = 100_000;

/// What is left after the node that met the error has stopped.
const FATES: [Fate; 3] = [Fate::Killed, Fate::Lost, Fate::Some];

/// An error to order, and in which life.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// What fails.
    pub action: Action,
    /// Which of the calls, from 1.
    pub nth: u64,
    /// Whether all later calls fail, too.
    pub is_lasting: bool,
    /// Whether it comes in the life after a crash, and not in the first.
    pub is_later: bool,
}

impl Trouble {
    fn options(self) -> String {
        let Trouble { action, nth, is_lasting, is_later } = self;
        let lasting = if is_lasting { " --lasting" } else { "" };
        let later = if is_later { " --later" } else { "" };
        format!("--error {action:?}:{nth}{lasting}{later}")
    }

    fn fault(self) -> Fault {
        let Trouble { action, nth, is_lasting, .. } = self;
        Fault { action, nth, error: ErrorKind::Other, is_lasting }
    }
}

/// Lets every call of every kind fail in turn, once and for good, in the first life of a seed and
/// in the one after a crash.
///
/// # Errors
/// What was wrong after which error.
pub fn every(setup: &Setup) -> Result<Tally, Box<Failure>> {
    let mut tally = Tally::default();
    for action in Action::ALL {
        for (is_lasting, is_later) in [(false, false), (false, true), (true, false), (true, true)] {
            tally += every_call(setup, Trouble { action, nth: 0, is_lasting, is_later })?;
        }
    }
    Ok(tally)
}

/// Lets every call of a kind fail in turn.
///
/// # Errors
/// What was wrong after which error.
pub fn every_call(setup: &Setup, kind: Trouble) -> Result<Tally, Box<Failure>> {
    let mut tally = Tally::default();
    for nth in 1..CALLS_MAX {
        let met = one_call(setup, Trouble { nth, ..kind })?;
        if met.errors == 0 {
            break;
        }
        tally += met;
    }
    Ok(tally)
}

/// Lets one call fail, if there is such a call.
///
/// # Errors
/// What was wrong then.
pub fn one_call(setup: &Setup, trouble: Trouble) -> Result<Tally, Box<Failure>> {
    let options = trouble.options();
    guarded(setup, &options, || format!("{trouble:?}"), || meet(setup, trouble))
}

fn meet(setup: &Setup, trouble: Trouble) -> Result<Tally, Breach> {
    let (disks, past) = ground(setup, trouble)?;
    disks.journal.order(trouble.fault());
    let past = match Life::begin(setup, &disks, past.clone()) {
        Ok(life) => suffer(life, trouble)?,
        Err(_) => past.end(),
    };
    if disks.journal.struck() == 0 {
        return Ok(Tally::default());
    }
    disks.journal.heal();
    for fate in FATES {
        let left = disks.crashed(disks.journal.operations(), fate, trouble.nth);
        start_from(setup, &left, past.clone())?.drain()?;
    }
    let images = FATES.len() as u64;
    Ok(Tally { errors: 1, images, judged: images, ..Tally::default() })
}

/// What the life begins with in which the error comes.
fn ground(setup: &Setup, trouble: Trouble) -> Result<(Disks, Past), Breach> {
    if !trouble.is_later {
        return Ok((Disks::default(), Past::default()));
    }
    let life = setup.live(STEPS)?;
    let end = life.disks.journal.operations();
    Ok((life.disks.crashed(end, Fate::Killed, trouble.nth), life.past_at(end)))
}

/// Lives until the error has stopped the node, or to the end. An error of a write or of a sync
/// must stop it.
fn suffer(mut life: Life, trouble: Trouble) -> Result<Past, Breach> {
    // What cannot be read now may be read after the next start.
    life.may_be_damaged = matches!(trouble.action, Action::Open | Action::Read);
    life.populate();
    for _ in 0..STEPS {
        if life.failure().is_some() {
            break;
        }
        life.step()?;
    }
    life.rest()?;
    let is_fatal = matches!(trouble.action, Action::Write | Action::Sync | Action::SyncNames);
    if is_fatal && life.disks.journal.struck() > 0 && life.failure().is_none() {
        let detail = "the node goes on after it".to_owned();
        return Err(Breach { invariant: "errors-stop-the-node", detail });
    }
    Ok(life.past_at(life.disks.journal.operations()))
}
