//! What the client receives, kept so that it can be asked for again.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_wire::stomp::FrameRef;

use crate::error::Error;
use crate::mailbox::{Arrived, Mailbox, Mark};
use crate::received::Received;
use crate::shared::{Reply, Shared};
use crate::subscribe::Subscribe;

use super::frames;
use super::receipts::{Owed, Receipts};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    last: u64,
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    subscribe: Box<Subscribe>,
    mailbox: Arc<Mailbox>,
    /// Whoever waits for the first confirmation.
    reply: Option<Reply>,
}

impl Subscriptions {
    /// Keeps a subscription and asks for it.
    pub(super) fn add(
        &mut self,
        subscribe: Box<Subscribe>,
        mailbox: Arc<Mailbox>,
        reply: Reply,
    ) -> u64 {
        self.last += 1;
        self.entries.insert(self.last, Entry { subscribe, mailbox, reply: Some(reply) });
        self.last
    }

    /// Appends the SUBSCRIBE frame.
    pub(super) fn write(
        &mut self,
        id: u64,
        out: &mut Vec<u8>,
        receipts: &mut Receipts,
        shared: &Shared,
    ) {
        let Some(entry) = self.entries.get(&id) else { return };
        let receipt = receipts.owe(Owed::Subscribe { subscription: id });
        let prefetch = shared.options.prefetch;
        if let Err(error) = entry.subscribe.write(out, id, &receipt, prefetch) {
            self.refuse(id, &error);
        }
    }

    /// Whether the subscription has not ended.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }

    /// The connection is new: everything is asked for again.
    pub(super) fn restore(&mut self, out: &mut Vec<u8>, receipts: &mut Receipts, shared: &Shared) {
        let ids: Vec<u64> = self.entries.keys().copied().collect();
        for id in ids {
            self.write(id, out, receipts, shared);
        }
    }

    /// The connection has broken: what was delivered and not taken comes again.
    pub(super) fn forget_deliveries(&self) {
        for entry in self.entries.values() {
            entry.mailbox.clear();
        }
    }

    /// The server has accepted the subscription.
    pub(super) fn confirm(&mut self, id: u64) {
        if let Some(reply) = self.entries.get_mut(&id).and_then(|entry| entry.reply.take()) {
            // Whoever has stopped waiting has dropped the mailbox too, which is swept.
            let _ = reply.send(Ok(()));
        }
    }

    /// The server has refused the subscription. One that it had accepted before is kept when the
    /// reason may pass: after a break the server may not have noticed that the old one is gone.
    pub(super) fn refuse(&mut self, id: u64, error: &Error) {
        let is_kept = |entry: &Entry| entry.reply.is_none() && error.is_retryable();
        if self.entries.get(&id).is_none_or(is_kept) {
            return;
        }
        let Some(entry) = self.entries.remove(&id) else { return };
        match entry.reply {
            Some(reply) => drop(reply.send(Err(error.clone()))),
            None => entry.mailbox.end(Some(error.clone())),
        }
    }

    /// Puts a message into its mailbox. Messages of a subscription that has just ended are dropped:
    /// the server takes them back.
    pub(super) fn deliver(&self, frame: &FrameRef<'_>, connection: u64) -> Result<(), Error> {
        let id = frame.header("subscription").and_then(|id| id.parse().ok()).unwrap_or_default();
        let Some(entry) = self.entries.get(&id) else { return Ok(()) };
        let Some(ack) = frame.header("ack") else {
            return Err(Error::protocol("a MESSAGE has no \"ack\" header"));
        };
        let mark = Mark { connection, subscription: id, ack: ack.into() };
        let is_put = entry.mailbox.is_abandoned()
            || entry.mailbox.put(Arrived { received: Received::new(frame), mark });
        if is_put { Ok(()) } else { Err(Error::protocol("more messages than the prefetch allows")) }
    }

    /// Ends the subscriptions whose handles are gone.
    pub(super) fn sweep(&mut self, out: &mut Vec<u8>) {
        let is_abandoned = |entry: &Entry| entry.mailbox.is_abandoned();
        for (id, _) in self.entries.extract_if(.., |_, entry| is_abandoned(entry)) {
            // A number can always be written.
            let _ = frames::unsubscribe(out, id);
        }
    }

    /// Forgets those whose handles are gone, when there is no connection to tell.
    pub(super) fn forget_abandoned(&mut self) {
        self.entries.retain(|_, entry| !entry.mailbox.is_abandoned());
    }

    /// Tells all how it ended.
    pub(super) fn end(&mut self, error: &Error) {
        let reason = if matches!(error, Error::Closed) { None } else { Some(error.clone()) };
        for entry in std::mem::take(&mut self.entries).into_values() {
            entry.mailbox.end(reason.clone());
            drop(entry.reply.map(|reply| reply.send(Err(error.clone()))));
        }
    }
}
