//! The one refusal that is excused: a producer was held for the store's sake, its destination was
//! removed meanwhile, and then it was told so.
//!
//! Nobody waits *at* the destination then, so nothing stands in the way of the removal. The
//! message was never confirmed, and the producer knows that it was not taken.

use posthouse_core::refusal::Code;

use crate::history::{Call, Op, Target};

use super::{Life, Seat};

/// A call that was refused and had no other answer, and what is known about it.
#[derive(Clone, Copy)]
struct Refused<'a> {
    op: Op,
    call: &'a Call,
    code: &'a str,
    /// Whether it was held before.
    was_held: bool,
}

impl Life {
    /// Whether the refusal of a call without another answer is excused.
    pub(super) fn excuses(&self, seat: &Seat, op: Op, call: &Call, code: &str) -> bool {
        let was_held = seat.front.as_ref().is_some_and(|front| front.was_held(op));
        let removed = |target: &Target| self.removed.get(target).copied();
        Refused { op, call, code, was_held }.is_excused(removed)
    }
}

impl Refused<'_> {
    /// `removed` answers the last call by which a destination was removed. Calls are numbered in
    /// the order in which they are made, so a higher number is a later one.
    fn is_excused(&self, removed: impl Fn(&Target) -> Option<Op>) -> bool {
        let Call::Send(send) = self.call else { return false };
        self.was_held
            && self.code == Code::DestinationUnknown.as_str()
            && removed(&send.to).is_some_and(|removed| removed > self.op)
    }
}

#[cfg(test)]
mod tests {
    use posthouse_core::refusal::Code;

    use super::Refused;
    use crate::history::{Call, Op, Send, Target};

    const OP: Op = 7;

    fn send() -> Call {
        Call::Send(Send {
            key: 1,
            to: Target::queue("a"),
            persistent: true,
            priority: 4,
            expires_ms: 0,
            label: 0,
            dedup: None,
            transaction: None,
        })
    }

    fn check(refused: Refused<'_>, removed: (&str, Op), is_excused: bool) {
        let (path, by) = removed;
        let removed = |target: &Target| (*target == Target::queue(path)).then_some(by);
        assert_eq!(refused.is_excused(removed), is_excused);
    }

    #[test]
    fn only_a_held_send_whose_destination_was_removed_meanwhile_is_excused() {
        let (send, purge) = (send(), Call::Purge(Target::queue("a")));
        let code = Code::DestinationUnknown.as_str();
        let held = |call| Refused { op: OP, call, code, was_held: true };
        check(held(&send), ("a", OP + 1), true);
        check(Refused { was_held: false, ..held(&send) }, ("a", OP + 1), false);
        check(held(&send), ("a", OP - 1), false);
        check(held(&send), ("b", OP + 1), false);
        check(held(&purge), ("a", OP + 1), false);
        for other in [Code::DestinationFull, Code::StoreFull, Code::ConsumerUnknown] {
            check(Refused { code: other.as_str(), ..held(&send) }, ("a", OP + 1), false);
        }
    }
}
