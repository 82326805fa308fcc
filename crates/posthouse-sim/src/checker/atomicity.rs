//! P5: all of a transaction happens, or nothing.

use std::collections::BTreeMap;

use crate::checker::ledger::{Ledger, Message, Moment, Received, Transacting};
use crate::checker::{Check, Report};
use crate::history::{Kind, Transaction, Verdict};

/// What one transaction did, as far as it can be seen from outside.
#[derive(Default)]
struct Parts<'l, 'a> {
    sent: Vec<&'l Message<'a>>,
    acknowledged: Vec<&'l Received<'a>>,
}

/// If one message of a transaction was seen, every other one is found in the end, and nothing
/// that the transaction acknowledged comes back.
pub fn transactions_are_atomic(ledger: &Ledger<'_>, report: &mut Report) {
    for (id, parts) in parts_of_all(ledger) {
        let Some(transaction) = ledger.transactions.get(&id) else { continue };
        let Some(seen) = parts.sent.iter().find(|message| is_seen(ledger, message)) else {
            continue;
        };
        for message in &parts.sent {
            if is_missing(ledger, message) {
                let detail = format!(
                    "of transaction {id} is nowhere, although message {} of it was seen",
                    seen.key
                );
                report.blame(Check::Atomicity, message.key, detail);
            }
        }
        if ledger.is_durable(seen) {
            let returned = parts.acknowledged.iter();
            returned.filter_map(|a| back(ledger, transaction, a)).for_each(|key| {
                let detail = format!(
                    "came back, although transaction {id} acknowledged it and message {} of the \
                     same transaction was seen",
                    seen.key
                );
                report.blame(Check::Atomicity, key, detail);
            });
        }
    }
}

fn parts_of_all<'l, 'a>(ledger: &'l Ledger<'a>) -> BTreeMap<Transaction, Parts<'l, 'a>> {
    let mut all: BTreeMap<Transaction, Parts<'l, 'a>> = BTreeMap::new();
    for message in ledger.messages.values().filter(|message| message.attempts.len() == 1) {
        if let Some(id) = message.sent.transaction {
            all.entry(id).or_default().sent.push(message);
        }
    }
    for received in &ledger.deliveries {
        for word in received.words.iter().filter(|word| word.verdict == Verdict::Ack) {
            if let Some(id) = word.transaction {
                all.entry(id).or_default().acknowledged.push(received);
            }
        }
    }
    all
}

fn is_seen(ledger: &Ledger<'_>, message: &Message<'_>) -> bool {
    ledger.received(message).next().is_some()
}

fn is_missing(ledger: &Ledger<'_>, message: &Message<'_>) -> bool {
    ledger.drained.is_some()
        && message.to().kind == Kind::Queue
        && !is_seen(ledger, message)
        && ledger.excuse(message).is_none()
}

/// The message, if it was delivered again after the commit that acknowledged it had been begun.
fn back(
    ledger: &Ledger<'_>,
    transaction: &Transacting,
    acknowledged: &Received<'_>,
) -> Option<u64> {
    let commit: Moment = transaction.commit?;
    let key = acknowledged.delivery.key;
    let message = ledger.messages.get(&key)?;
    let mut later = ledger.received(message).filter(|again| again.at > commit);
    let is_back =
        later.any(|again| super::duplication::is_same_backlog(ledger, acknowledged, again));
    let is_anew = ledger.may_be_anew(message, ledger.history.events.len());
    (is_back && !is_anew && message.to().kind == Kind::Queue).then_some(key)
}
