//! What holds after every turn, whatever happens, looked at from inside the node.

use posthouse_core::broker::Broker;
use posthouse_core::destination::Kind;
use posthouse_core::driver::Driver;
use posthouse_core::effect::{Delivery, Effect};
use posthouse_core::policy::{Persistence, Policies};
use posthouse_core::record::codec;

use crate::carrier::key_of;
use crate::history::{Key, Target};
use crate::journal::Journal;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which invariant.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

fn breach(invariant: &'static str, detail: String) -> Result<(), Breach> {
    Err(Breach { invariant, detail })
}

/// Effects that may wait at their gates in a simulation; beyond that memory is not bounded.
const WAITING_MAX: usize = 20_000;

/// What holds whenever the node rests.
///
/// # Errors
/// The first invariant that does not hold.
pub fn after_turn(driver: &Driver) -> Result<(), Breach> {
    figures_agree(driver)?;
    match driver.failure() {
        None => Ok(()),
        Some(why) => breach("store-works", why.to_owned()),
    }
}

/// The node's figures agree with the sums over its destinations.
///
/// # Errors
/// What does not agree.
fn figures_agree(driver: &Driver) -> Result<(), Breach> {
    const NAME: &str = "figures-agree";
    let broker = driver.broker();
    let stats = broker.stats();
    let destinations = broker.destinations(None, usize::MAX);
    let messages: u64 = destinations.iter().map(|one| one.messages).sum();
    let bytes: u64 = destinations.iter().map(|one| one.bytes).sum();
    // Open transactions reserve the bytes that they will bring.
    let is_reserved = stats.transactions > 0 && bytes < stats.bytes;
    if messages != stats.messages || bytes != stats.bytes && !is_reserved {
        let detail = format!("{messages} messages of {bytes} bytes by destination, {stats:?}");
        return breach(NAME, detail);
    }
    for one in &destinations {
        let parts = one.ready + one.unacknowledged + one.delayed;
        if one.name.kind == Kind::Queue && parts != one.messages {
            return breach(NAME, format!("{parts} messages by standing in {one:?}"));
        }
    }
    if driver.waiting_len() > WAITING_MAX {
        return breach("memory-bounded", format!("{} effects wait", driver.waiting_len()));
    }
    Ok(())
}

/// A delivery of a message that records tell of leaves only when its record is on the disk.
///
/// # Errors
/// Which message was too early.
pub fn gate_is_kept(policies: &Policies, journal: &Journal, effect: &Effect) -> Result<(), Breach> {
    let Effect::Deliver(Delivery { message, destination, provenance, .. }) = effect else {
        return Ok(());
    };
    let Some(key) = key_of(message) else { return Ok(()) };
    let is_kept = message.persistent && policies.of(destination).persistence != Persistence::Never;
    // What was moved here may come from where nothing is kept, and topics keep for few.
    let must_be_known = destination.kind == Kind::Queue && provenance.is_none();
    let is_safe = journal.is_durable(key).unwrap_or(!must_be_known);
    if is_safe || !is_kept {
        return Ok(());
    }
    breach("delivery-after-durable", format!("message {key} was handed out before it was safe"))
}

/// The receipt of a persistent send to a queue, or of the commit of one, leaves only when its
/// record is on the disk.
///
/// # Errors
/// Which message was confirmed too early.
pub fn receipt_is_due(journal: &Journal, keys: &[(Key, Target)]) -> Result<(), Breach> {
    for (key, to) in keys {
        let is_queue = to.kind == crate::history::Kind::Queue;
        let is_durable = journal.is_durable(*key);
        if is_durable == Some(false) || is_durable.is_none() && is_queue {
            let detail = format!("message {key} to {to} was confirmed before it was safe");
            return breach("receipt-after-durable", detail);
        }
    }
    Ok(())
}

/// A broker that hears all records of the disk has the same durable state as the living one.
///
/// # Errors
/// The first difference.
pub fn replay_agrees(policies: &Policies, journal: &Journal, live: &Broker) -> Result<(), Breach> {
    const NAME: &str = "replay-agrees";
    let mut replayed = Broker::new(policies.clone());
    for batch in journal.disk().batches() {
        let records = codec::decode_all(&batch.records.into());
        let records = records.expect("the node writes records");
        records.iter().for_each(|record| replayed.evolve(record));
    }
    let (live, replayed) = (live.durable_digest(), replayed.durable_digest());
    let differing = live.iter().zip(&replayed).find(|(live, replayed)| live != replayed);
    match differing {
        Some((live, replayed)) => {
            breach(NAME, format!("living has \"{live}\", replayed has \"{replayed}\""))
        }
        None if live.len() != replayed.len() => {
            let detail = format!("living has {} lines, replayed {}", live.len(), replayed.len());
            breach(NAME, detail)
        }
        None => Ok(()),
    }
}
