//! P3: duplicates only where promised.

use crate::checker::ledger::{Ledger, Message, Received};
use crate::checker::{Check, Report};
use crate::history::{Call, Kind, Mode, Verdict};

/// A message that has been delivered from a queue or a durable subscription is delivered again
/// only after it was turned down, after its consumer or connection was gone, or after a crash. A
/// plain subscriber gets it once.
pub fn nothing_arrives_twice(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let received: Vec<&Received<'_>> = ledger.received(message).collect();
        for (index, second) in received.iter().enumerate() {
            let before = received[..index].iter().rev();
            let first = before.copied().find(|first| is_same_backlog(ledger, first, second));
            if let Some(first) = first
                && !is_excused(ledger, message, first, second)
            {
                report.figures.duplicated += 1;
                report.blame(Check::Duplicated, message.key, describe(message, first, second));
            }
        }
    }
}

fn describe(message: &Message<'_>, first: &Received<'_>, second: &Received<'_>) -> String {
    let resent = message.attempts.len() > 1;
    format!(
        "arrived at consumer {} and again at consumer {}{}",
        first.delivery.consumer,
        second.delivery.consumer,
        if resent { "; it was sent twice under one number" } else { "" }
    )
}

/// Whether two deliveries of one message are from the same backlog.
pub fn is_same_backlog(ledger: &Ledger<'_>, a: &Received<'_>, b: &Received<'_>) -> bool {
    if a.delivery.from != b.delivery.from {
        return false;
    }
    match a.delivery.from.kind {
        Kind::Queue => true,
        Kind::Topic if ledger.durable(a).is_none() => a.delivery.consumer == b.delivery.consumer,
        Kind::Topic => ledger.durable(a) == ledger.durable(b),
    }
}

fn is_excused(
    ledger: &Ledger<'_>,
    message: &Message<'_>,
    first: &Received<'_>,
    second: &Received<'_>,
) -> bool {
    let set_aside = message.to().dead_letters();
    let is_copy = first.delivery.from == set_aside && message.to().kind == Kind::Topic;
    is_copy
        || ledger.crashed_between(first.at, second.at)
        || is_turned_down(first, second)
        || is_left(ledger, first, second)
        || is_cut_off(ledger, first, second)
        || have_crossed(ledger, first, second)
        || ledger.managed(&Call::Redrive(set_aside), message.invoked(), second.at)
}

fn is_turned_down(first: &Received<'_>, second: &Received<'_>) -> bool {
    first.words.iter().any(|word| word.verdict != Verdict::Ack && word.holds < second.at)
}

/// The first consumer had ended, as it saw it itself. What a consumer that acknowledges by
/// receiving has received stays with it.
fn is_left(ledger: &Ledger<'_>, first: &Received<'_>, second: &Received<'_>) -> bool {
    let consumer = ledger.consumer(first);
    let has_ended = consumer.ended.is_some_and(|ended| ended < second.at);
    has_ended && consumer.wish.mode != Mode::Auto
}

/// The second delivery was on its way before the first, to a consumer that was cut off: it only
/// arrived later.
pub fn have_crossed(ledger: &Ledger<'_>, first: &Received<'_>, second: &Received<'_>) -> bool {
    second.delivery.redeliveries <= first.delivery.redeliveries && is_cut_off(ledger, second, first)
}

/// The first consumer's connection was over for the node, though its client had not noticed yet:
/// it broke later, and nothing that was asked for meanwhile was confirmed.
fn is_cut_off(ledger: &Ledger<'_>, first: &Received<'_>, second: &Received<'_>) -> bool {
    let consumer = ledger.consumer(first);
    let number = consumer.connection;
    let Some(connection) = ledger.connections.get(number) else { return false };
    let is_alive = ledger.calls.values().any(|called| {
        let is_done = matches!(called.standing, super::ledger::Standing::Done(_));
        called.connection == number && called.invoked > second.at && is_done
    });
    connection.closed.is_some()
        && first.delivery.consumer != second.delivery.consumer
        && consumer.wish.mode != Mode::Auto
        && !is_alive
}
