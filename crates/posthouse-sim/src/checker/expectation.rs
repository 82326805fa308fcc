//! P9 and P12: nothing arrives that was not sent or not asked for, and not more of it at a time.

use crate::checker::ledger::{Consuming, Ledger, Received};
use crate::checker::{Check, Report};
use crate::history::Mode;

/// What arrives was sent, was not refused, and comes from where it was sent or was set aside.
pub fn only_what_was_sent_arrives(ledger: &Ledger<'_>, report: &mut Report) {
    for received in &ledger.deliveries {
        let (key, from) = (received.delivery.key, &received.delivery.from);
        let why = match ledger.messages.get(&key) {
            None => "was never sent".to_owned(),
            Some(message) if message.attempts.iter().all(|a| a.visible.is_none()) => {
                "was refused, or its transaction never committed".to_owned()
            }
            Some(message) if from != message.to() && *from != message.to().dead_letters() => {
                format!("was sent to {} and came from {from}", message.to())
            }
            Some(_) => continue,
        };
        report.figures.unexpected += 1;
        report.blame(Check::Unexpected, key, format!("arrived, but {why}"));
    }
}

/// A consumer gets what its pattern takes in and its selector selects.
pub fn only_what_was_asked_for_arrives(ledger: &Ledger<'_>, report: &mut Report) {
    for received in &ledger.deliveries {
        let wish = ledger.consumer(received).wish;
        let Some(message) = ledger.messages.get(&received.delivery.key) else { continue };
        let (key, from) = (message.key, &received.delivery.from);
        if !wish.to.takes_in(from) {
            let detail = format!("came from {from} to a consumer of {}", wish.to);
            report.blame(Check::Unexpected, key, detail);
        }
        if !wish.wants.takes(message.sent.label) {
            let detail = format!("has the label {}, which is not selected", message.sent.label);
            report.blame(Check::Unexpected, key, detail);
        }
    }
}

/// No consumer has more deliveries open than its credit. What a transaction says about deliveries
/// frees credit until it aborts, so consumers in aborted transactions are left out.
pub fn credit_is_kept(ledger: &Ledger<'_>, report: &mut Report) {
    for (id, consumer) in &ledger.consumers {
        let received = consumer.deliveries.iter().filter_map(|index| ledger.deliveries.get(*index));
        let received: Vec<&Received<'_>> = received.collect();
        let is_counted = consumer.wish.mode != Mode::Auto
            && !consumer.wish.browse
            && !received.iter().any(|received| is_in_aborted(ledger, received));
        if is_counted && let Some(open) = most_open(consumer, &received) {
            let detail = format!(
                "consumer {id} had {open} deliveries open at once and asked for {}",
                consumer.wish.prefetch
            );
            report.complain(Check::Credit, detail);
        }
    }
}

fn is_in_aborted(ledger: &Ledger<'_>, received: &Received<'_>) -> bool {
    let transactions = received.words.iter().filter_map(|word| word.transaction);
    let mut known = transactions.filter_map(|id| ledger.transactions.get(&id));
    known.any(|transaction| transaction.abort.is_some())
}

/// The number of open deliveries, if it ever exceeded the credit.
fn most_open(consumer: &Consuming<'_>, received: &[&Received<'_>]) -> Option<usize> {
    let mut changes: Vec<(usize, bool)> = Vec::new();
    for delivery in received {
        changes.push((delivery.at, true));
        changes.extend(delivery.words.first().map(|word| (word.invoked, false)));
    }
    changes.sort_unstable();
    let (mut open, mut most) = (0_usize, 0);
    for (_, is_delivery) in changes {
        open = if is_delivery { open + 1 } else { open - 1 };
        most = most.max(open);
    }
    (most > consumer.wish.prefetch as usize).then_some(most)
}
