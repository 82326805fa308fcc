//! What became of a message in the end: whether it was owed to somebody, whether somebody had it,
//! and what may excuse that nobody did.

use crate::checker::ledger::{Ledger, Message, Moment, Received};
use crate::history::{Call, Durable, Kind, Mode};

impl Received<'_> {
    /// Whether the message was, or may have been, acknowledged by whoever received it here.
    pub fn may_be_consumed(&self) -> bool {
        self.words.iter().any(|word| word.may_acknowledge())
    }
}

impl Ledger<'_> {
    /// From when on the node was bound to keep the message: it was confirmed, or it was seen,
    /// which nothing is before it is safe.
    pub fn owed(&self, message: &Message<'_>) -> Option<Moment> {
        let seen = message.deliveries.first().and_then(|index| self.deliveries.get(*index));
        let seen = seen.filter(|_| message.visible().is_some()).map(|received| received.at);
        message.confirmed().into_iter().chain(seen).min()
    }

    /// Whether somebody consumed the message from where it was sent, or from its dead-letter
    /// queue.
    pub fn is_consumed(&self, message: &Message<'_>) -> bool {
        self.received(message).any(Received::may_be_consumed)
    }

    /// Whether a durable subscription consumed the message, or it was found set aside.
    pub fn is_consumed_by(&self, message: &Message<'_>, durable: &Durable) -> bool {
        let set_aside = message.to().dead_letters();
        self.received(message).filter(|received| received.may_be_consumed()).any(|received| {
            self.durable(received) == Some(durable) || received.delivery.from == set_aside
        })
    }

    /// Whether the message had to survive a crash.
    pub fn is_durable(&self, message: &Message<'_>) -> bool {
        message.sent.persistent && !self.history.terms.rule(message.to()).volatile
    }

    /// Whether what arrived at `moment` may be a second message under the same number: nothing is
    /// remembered through a crash about a message that need not survive one.
    pub fn may_be_anew(&self, message: &Message<'_>, moment: Moment) -> bool {
        message.attempts.len() > 1
            && !self.is_durable(message)
            && self.crashed_between(message.invoked(), moment)
    }

    /// Why nobody had to have the message in the end, if that is so.
    pub fn excuse(&self, message: &Message<'_>) -> Option<&'static str> {
        let rule = self.history.terms.rule(message.to());
        let from = message.invoked();
        let end = self.history.events.len();
        let end_ms = self.at_ms(end.saturating_sub(1));
        let expires_ms = message.sent.expires_ms;
        let was_tried = self.received(message).next().is_some();
        let purged = |call: Call| self.managed(&call, from, end);
        if !self.is_durable(message) && self.crashed_between(from, end) {
            return Some("it need not survive a crash");
        }
        if expires_ms != 0 && expires_ms <= end_ms && (!message.sent.persistent || rule.discards) {
            return Some("it expired and is not kept");
        }
        if rule.discards && was_tried {
            return Some("it was tried, and there is no dead-letter queue");
        }
        if rule.drops {
            return Some("its destination drops what is too much");
        }
        if self.may_be_unread(message) {
            return Some("a consumer that does not acknowledge was cut off");
        }
        let set_aside = message.to().dead_letters();
        (purged(Call::Purge(message.to().clone())) || purged(Call::Purge(set_aside)))
            .then_some("it may have been purged")
    }

    /// Whether the message may have been written to a consumer that acknowledges by receiving,
    /// and that ended before it had read it.
    fn may_be_unread(&self, message: &Message<'_>) -> bool {
        let from = message.invoked();
        let from_ms = self.at_ms(from);
        self.consumers.values().any(|consumer| {
            let wish = consumer.wish;
            let is_automatic =
                wish.mode == Mode::Auto && !wish.browse && wish.to.takes_in(message.to());
            let is_bound = wish.to.kind == Kind::Queue || wish.durable.is_some();
            is_automatic
                && is_bound
                && consumer.ended.is_some()
                && !self.is_gone_by(consumer, from, from_ms)
        })
    }
}
