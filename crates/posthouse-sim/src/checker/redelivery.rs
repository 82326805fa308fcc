//! P7: redeliveries are flagged and counted, and nothing is given up too soon.

use crate::checker::duplication::{have_crossed, is_same_backlog};
use crate::checker::ledger::{Consuming, Ledger, Message, Moment, Received};
use crate::checker::{Check, Report};
use crate::history::{Call, Kind, Verdict};

/// A message that comes again says so; while the node runs it counts every earlier delivery. The
/// count is exact as long as no consumer ended that could have had a delivery unseen.
pub fn redeliveries_are_counted(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let received: Vec<&Received<'_>> = ledger.received(message).collect();
        let set_aside = message.to().dead_letters();
        for (index, second) in received.iter().enumerate() {
            let is_copy = second.delivery.from == set_aside && message.to().kind == Kind::Topic;
            let redriven = Call::Redrive(set_aside.clone());
            let is_anew = ledger.may_be_anew(message, second.at);
            if is_copy || is_anew || ledger.managed(&redriven, message.invoked(), second.at) {
                continue;
            }
            let before = received[..index].iter().rev();
            let first = before.copied().find(|first| is_same_backlog(ledger, first, second));
            if first.is_some_and(|first| have_crossed(ledger, first, second)) {
                continue;
            }
            if let Some(detail) = miscount(ledger, message, first, second) {
                report.blame(Check::Redelivery, message.key, detail);
            }
        }
    }
}

/// What is wrong with the count of the second delivery, if anything.
fn miscount(
    ledger: &Ledger<'_>,
    message: &Message<'_>,
    first: Option<&Received<'_>>,
    second: &Received<'_>,
) -> Option<String> {
    let told = second.delivery.redeliveries;
    let since = first.map_or_else(|| message.invoked(), |first| first.at);
    let crashed = ledger.crashed_between(since, second.at);
    let counted = first.map_or(0, |first| first.delivery.redeliveries + 1);
    let least = if crashed { counted.min(1) } else { counted };
    if told < least {
        return Some(format!("arrived again as delivery {told} after delivery {counted}"));
    }
    let is_exact = !crashed && !anybody_ended(ledger, message, since, second);
    let too_many = is_exact && told > counted && second.delivery.from.kind == Kind::Queue;
    too_many.then(|| format!("says that it was delivered {told} times before, not {counted}"))
}

/// Whether a consumer that can have had the message ended meanwhile.
fn anybody_ended(
    ledger: &Ledger<'_>,
    message: &Message<'_>,
    since: Moment,
    second: &Received<'_>,
) -> bool {
    let since_ms = ledger.at_ms(since.min(message.invoked()));
    ledger.consumers.values().any(|consumer| {
        let is_other = !is_idle(consumer) && consumer.wish.to.takes_in(&second.delivery.from);
        let ended = consumer.ended.filter(|ended| *ended < second.at);
        let noticed_ms =
            ended.map(|ended| ledger.at_ms(ended).saturating_add(ledger.history.terms.detach_ms));
        let may_end = is_other && noticed_ms.is_some_and(|noticed_ms| noticed_ms >= since_ms);
        may_end || is_other && ledger.breaks_later(consumer)
    })
}

fn is_idle(consumer: &Consuming<'_>) -> bool {
    consumer.wish.browse
}

impl Ledger<'_> {
    /// Whether a consumer's connection was closed at some time: the node may have seen that
    /// before the client did.
    fn breaks_later(&self, consumer: &Consuming<'_>) -> bool {
        let connection = self.connections.get(consumer.connection);
        connection.is_some_and(|connection| {
            connection.closed.is_some() && connection.disconnected.is_none()
        })
    }
}

/// A message is set aside only if somebody turned it down, if it expired, or if it failed as often
/// as its destination allows. A crash alone is no reason.
pub fn dead_letters_have_a_reason(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let set_aside = message.to().dead_letters();
        let mut received = ledger.received(message);
        let Some(found) = received.find(|received| received.delivery.from == set_aside) else {
            continue;
        };
        if !has_reason(ledger, message, found) {
            let detail = format!("was set aside in {set_aside} for no reason");
            report.blame(Check::Redelivery, message.key, detail);
        }
    }
}

fn has_reason(ledger: &Ledger<'_>, message: &Message<'_>, found: &Received<'_>) -> bool {
    let expires_ms = message.sent.expires_ms;
    let expired = expires_ms != 0 && expires_ms <= ledger.at_ms(found.at);
    let is_home = |received: &&Received<'_>| received.delivery.from == *message.to();
    let mut words = ledger.received(message).filter(is_home).flat_map(|received| &received.words);
    let refused = words.any(|w| matches!(w.verdict, Verdict::Reject | Verdict::DeadLetter));
    let attempts_max = ledger.history.terms.rule(message.to()).attempts_max;
    let enough = attempts_max != 0 && failures(ledger, message, found) >= attempts_max as usize;
    expired || refused || enough
}

/// How often the message can have failed before `found`: deliveries that were seen and not
/// acknowledged, and consumers that ended and may have had it unseen.
fn failures(ledger: &Ledger<'_>, message: &Message<'_>, found: &Received<'_>) -> usize {
    let home = ledger.received(message).filter(|r| r.at < found.at);
    let seen = home.filter(|received| received.delivery.from == *message.to()).count();
    let unseen = ledger.consumers.values().filter(|consumer| {
        let may_have_had = !consumer.wish.browse && consumer.wish.to.takes_in(message.to());
        may_have_had && consumer.ended.is_some_and(|ended| ended < found.at)
    });
    seen + unseen.count()
}
