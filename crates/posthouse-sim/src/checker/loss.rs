//! P2: no confirmed message is lost.

use crate::checker::ledger::{Ledger, Message};
use crate::checker::{Check, Report};
use crate::history::Kind;

/// Once everything is drained, every message to a queue that was confirmed, or seen, has been
/// consumed by somebody. Counts the messages on the way.
pub fn nothing_confirmed_is_lost(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let is_confirmed = message.confirmed().is_some();
        let is_found = ledger.received(message).next().is_some();
        report.figures.attempt += 1;
        report.figures.acknowledged += u64::from(is_confirmed);
        report.figures.ok += u64::from(is_confirmed && is_found);
        report.figures.recovered += u64::from(!is_confirmed && is_found);
        if is_lost(ledger, message) {
            report.figures.lost += 1;
            let told = if is_confirmed { "was confirmed" } else { "was seen" };
            let detail = format!("to {} {told}, and in the end is nowhere", message.to());
            report.blame(Check::Lost, message.key, detail);
        }
    }
}

fn is_lost(ledger: &Ledger<'_>, message: &Message<'_>) -> bool {
    ledger.drained.is_some()
        && message.to().kind == Kind::Queue
        && ledger.owed(message).is_some()
        && !ledger.is_consumed(message)
        && ledger.excuse(message).is_none()
}
