//! A simple model of what must be in the queues, made of nothing but what clients did and saw.
//!
//! The checker judges a history when it is over; the shadow compares while it happens, so that a
//! message that vanishes, or comes back, is noticed at once and not at the end of the run.

use std::collections::BTreeMap;

use posthouse_core::broker::Broker;
use posthouse_core::broker::view::BrowseCursor;
use posthouse_core::destination::Kind as CoreKind;
use posthouse_core::limits::BROWSE_PAGE_MAX;

use crate::carrier::key_of;
use crate::history::{
    Call, Consumer, Event, Key, Kind, Mode, Op, Send, Settle, Target, Terms, Transacted,
    Transaction, Verdict, What,
};
use crate::invariants::Breach;

/// One message to a queue.
#[derive(Clone, Debug)]
struct Kept {
    to: Target,
    expires_ms: u64,
    survives: bool,
    /// Somebody was told that it is safe.
    is_certain: bool,
    /// It may be there.
    is_possible: bool,
    /// It may have been taken away.
    may_be_gone: bool,
    /// Somebody was told that it has been taken away.
    is_gone: bool,
}

/// What is to happen when a call is confirmed, or a commit begun.
#[derive(Clone, Debug, Default)]
struct Deeds {
    /// Messages that are then there.
    sent: Vec<Key>,
    /// Messages that are then gone for certain: those that acknowledgements name.
    taken: Vec<Key>,
    /// Messages that may then be gone: those that cumulative acknowledgements cover, too.
    touched: Vec<Key>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Shadow {
    terms: Terms,
    kept: BTreeMap<Key, Kept>,
    deeds: BTreeMap<Op, Deeds>,
    staged: BTreeMap<Transaction, Deeds>,
    received: BTreeMap<Consumer, BTreeMap<u64, Key>>,
    modes: BTreeMap<Consumer, Mode>,
}

impl Shadow {
    /// A shadow of an empty node.
    pub fn new(terms: Terms) -> Shadow {
        Shadow { terms, ..Shadow::default() }
    }

    /// Hears what happened.
    pub fn hear(&mut self, event: &Event) {
        match &event.what {
            What::Invoke(op, call) => self.begin(*op, call),
            What::Ok(op) => self.confirm(*op),
            What::Fail(op) => drop(self.deeds.remove(op)),
            What::Deliver(delivery) => {
                let numbers = self.received.entry(delivery.consumer).or_default();
                numbers.insert(delivery.number, delivery.key);
                if self.modes.get(&delivery.consumer) == Some(&Mode::Auto) {
                    self.let_go(&[delivery.key]);
                }
            }
            What::Crash => {
                let mortal = self.kept.values_mut().filter(|kept| !kept.survives);
                mortal.for_each(|kept| kept.may_be_gone = true);
            }
            _ => {}
        }
    }

    fn begin(&mut self, op: Op, call: &Call) {
        match call {
            Call::Send(send) if send.to.kind == Kind::Queue => self.send(op, send),
            Call::Settle(settle) => self.settle(op, settle),
            Call::Subscribe(wish) if wish.browse => {}
            Call::Subscribe(wish) => drop(self.modes.insert(wish.consumer, wish.mode)),
            Call::Transact(id, Transacted::Commit) => {
                let deeds = self.staged.remove(id).unwrap_or_default();
                self.expect(&deeds.sent);
                self.let_go(&deeds.touched);
                self.deeds.insert(op, deeds);
            }
            Call::Transact(id, _) => drop(self.staged.remove(id)),
            Call::Purge(from) => {
                let purged = self.kept.values_mut();
                let purged = purged.filter(|kept| kept.to == *from);
                purged.for_each(|kept| kept.may_be_gone = true);
            }
            _ => {}
        }
    }

    fn send(&mut self, op: Op, send: &Send) {
        let rule = self.terms.rule(&send.to);
        let kept = self.kept.entry(send.key).or_insert_with(|| Kept {
            to: send.to.clone(),
            expires_ms: send.expires_ms,
            survives: send.persistent && !rule.volatile,
            is_certain: false,
            is_possible: false,
            may_be_gone: rule.drops,
            is_gone: false,
        });
        // Sent again, a message that need not survive may be a new one after a crash.
        kept.is_gone &= kept.survives;
        let deeds = Deeds { sent: vec![send.key], ..Deeds::default() };
        match send.transaction {
            Some(id) => self.staged.entry(id).or_default().sent.push(send.key),
            None => {
                self.expect(&deeds.sent);
                self.deeds.insert(op, deeds);
            }
        }
    }

    fn settle(&mut self, op: Op, settle: &Settle) {
        let is_cumulative = self.modes.get(&settle.consumer) == Some(&Mode::Cumulative);
        let received = self.received.get(&settle.consumer);
        let first = if is_cumulative { 0 } else { settle.number };
        let meant = received.into_iter().flat_map(|keys| keys.range(first..=settle.number));
        let meant: Vec<Key> = meant.map(|(_, key)| *key).collect();
        if settle.verdict != Verdict::Ack {
            // It is still somewhere, unless its destination discards what is turned down.
            return self.let_go_discarded(&meant);
        }
        let named = meant.last().copied();
        match settle.transaction {
            Some(id) => {
                let staged = self.staged.entry(id).or_default();
                staged.taken.extend(named);
                staged.touched.extend(meant);
            }
            None => {
                self.let_go(&meant);
                let taken = named.into_iter().collect();
                self.deeds.insert(op, Deeds { taken, ..Deeds::default() });
            }
        }
    }

    fn expect(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(kept) = self.kept.get_mut(key) {
                kept.is_possible = true;
            }
        }
    }

    fn let_go(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(kept) = self.kept.get_mut(key) {
                kept.may_be_gone = true;
            }
        }
    }

    fn let_go_discarded(&mut self, keys: &[Key]) {
        let terms = &self.terms;
        for key in keys {
            if let Some(kept) = self.kept.get_mut(key) {
                kept.may_be_gone |= terms.rule(&kept.to).discards;
            }
        }
    }

    fn confirm(&mut self, op: Op) {
        let Some(deeds) = self.deeds.remove(&op) else { return };
        for key in deeds.sent {
            if let Some(kept) = self.kept.get_mut(&key) {
                kept.is_certain = true;
            }
        }
        for key in deeds.taken {
            if let Some(kept) = self.kept.get_mut(&key) {
                kept.is_gone = true;
            }
        }
    }

    /// Compares with what the queues hold.
    ///
    /// # Errors
    /// The first message that is there and must not be, or is not there and must be.
    pub fn compare(&self, now_ms: u64, broker: &Broker) -> Result<(), Breach> {
        let present = keys_in_queues(broker);
        for key in present.keys() {
            let Some(kept) = self.kept.get(key) else { continue };
            if !kept.is_possible || kept.is_gone {
                let why = if kept.is_gone { "was acknowledged" } else { "was not sent yet" };
                return breach(format!("message {key} is there, and {why}"));
            }
        }
        let owed = self.kept.iter().filter(|(_, kept)| self.must_be_there(now_ms, kept));
        let mut missing = owed.filter(|(key, _)| !present.contains_key(*key));
        missing.next().map_or(Ok(()), |(key, kept)| {
            breach(format!("message {key} to {} was confirmed, and is not there", kept.to))
        })
    }

    fn must_be_there(&self, now_ms: u64, kept: &Kept) -> bool {
        let rule = self.terms.rule(&kept.to);
        let has_expired = kept.expires_ms != 0 && kept.expires_ms <= now_ms;
        let is_automatic = self.modes.values().any(|mode| *mode == Mode::Auto);
        let is_unread = is_automatic && *kept.to.path == *crate::plan::AUTOMATIC_QUEUE;
        let is_excused = kept.may_be_gone || rule.discards || is_unread;
        kept.is_certain && !is_excused && (kept.survives || !has_expired)
    }
}

fn breach(detail: String) -> Result<(), Breach> {
    Err(Breach { invariant: "shadow-agrees", detail })
}

/// The keys of everything that waits in queues, dead-letter queues included.
fn keys_in_queues(broker: &Broker) -> BTreeMap<Key, u32> {
    let mut keys = BTreeMap::new();
    for one in broker.destinations(None, usize::MAX) {
        let mut cursor = (one.name.kind == CoreKind::Queue).then_some(BrowseCursor::START);
        while let Some(from) = cursor {
            let page = broker.look(one.id, from, BROWSE_PAGE_MAX, None);
            for browsed in page.messages {
                *keys.entry(key_of(&browsed.message).unwrap_or(Key::MAX)).or_insert(0) += 1;
            }
            cursor = page.next;
        }
    }
    keys
}
