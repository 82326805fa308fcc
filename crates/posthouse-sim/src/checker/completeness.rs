//! P6: a durable subscription gets everything from its confirmation to its deletion, whoever
//! consumes from it when.

use std::collections::BTreeMap;

use crate::checker::ledger::{Ledger, Message, Moment, Standing};
use crate::checker::{Check, Report};
use crate::history::{Call, Durable, Kind, Subscribe};

/// One life of a durable subscription.
struct Life<'a> {
    wish: &'a Subscribe,
    from: Moment,
    to: Moment,
}

/// Once everything is drained, each durable subscription that is still there has consumed every
/// message that was confirmed, or seen, and was sent since. One that was deleted took with it what
/// it had not consumed.
pub fn durable_subscriptions_are_complete(ledger: &Ledger<'_>, report: &mut Report) {
    if ledger.drained.is_none() {
        return;
    }
    let topics = ledger.messages.values().filter(|message| message.to().kind == Kind::Topic);
    let topics: Vec<&Message<'_>> = topics.collect();
    for (durable, lives) in lives_of_all(ledger) {
        for life in lives.iter().filter(|life| life.to == usize::MAX) {
            for message in topics.iter().filter(|message| is_due(ledger, life, message)) {
                if !ledger.is_consumed_by(message, durable) && ledger.excuse(message).is_none() {
                    let detail = format!("to {} never reached {durable}", message.to());
                    report.blame(Check::Incomplete, message.key, detail);
                }
            }
        }
    }
}

fn lives_of_all<'a>(ledger: &Ledger<'a>) -> BTreeMap<&'a Durable, Vec<Life<'a>>> {
    let mut lives: BTreeMap<&Durable, Vec<Life<'a>>> = BTreeMap::new();
    for consumer in ledger.consumers.values() {
        let Some(durable) = &consumer.wish.durable else { continue };
        let Some(from) = consumer.confirmed else { continue };
        let to = end_of(ledger, durable, consumer.invoked);
        let known = lives.entry(durable).or_default();
        let goes_on = |life: &Life<'_>| life.to > consumer.invoked && life.from < from;
        if !known.iter().any(goes_on) {
            known.push(Life { wish: consumer.wish, from, to });
        }
    }
    lives
}

/// When a durable subscription that was there at `from` was, or may have been, deleted.
fn end_of(ledger: &Ledger<'_>, durable: &Durable, from: Moment) -> Moment {
    let deletions = ledger.calls.values().filter(|called| {
        let is_meant = matches!(called.call, Call::Forget(forgotten) if forgotten == durable);
        is_meant && called.standing != Standing::Never && called.invoked > from
    });
    deletions.map(|called| called.invoked).min().unwrap_or(usize::MAX)
}

fn is_due(ledger: &Ledger<'_>, life: &Life<'_>, message: &Message<'_>) -> bool {
    life.wish.to.takes_in(message.to())
        && life.wish.wants.takes(message.sent.label)
        && message.invoked() > life.from
        && ledger.owed(message).is_some()
}
