//! Nothing is seen before its commit was asked for (P5), and retries wait as long as was agreed.

use crate::checker::duplication::is_same_backlog;
use crate::checker::ledger::{Ledger, Received};
use crate::checker::{Check, Report};
use crate::history::{Call, Verdict};

/// Neither consumers nor browsers see a message before it, or its transaction's commit, was sent
/// off.
pub fn nothing_is_seen_before_its_commit(ledger: &Ledger<'_>, report: &mut Report) {
    for received in &ledger.deliveries {
        let Some(message) = ledger.messages.get(&received.delivery.key) else { continue };
        if message.visible().is_some_and(|visible| received.at < visible) {
            let detail = "arrived before its transaction was committed".to_owned();
            report.blame(Check::Early, message.key, detail);
        }
    }
}

/// A message that was turned down comes again after its destination's delay at the soonest. A
/// crash ends the wait, and so does an operator who brings back what was set aside.
pub fn retries_wait(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let delay_ms = ledger.history.terms.rule(message.to()).delay_ms;
        let received: Vec<&Received<'_>> = ledger.received(message).collect();
        for pair in received.windows(2) {
            let [first, second] = pair else { continue };
            let Some(asked_ms) = turned_down_ms(ledger, first, second) else { continue };
            let redrive = Call::Redrive(message.to().dead_letters());
            if ledger.managed(&redrive, first.at, second.at) {
                continue;
            }
            let waited_ms = ledger.at_ms(second.at).saturating_sub(asked_ms);
            if waited_ms < delay_ms && is_same_backlog(ledger, first, second) {
                let detail = format!("was tried again after {waited_ms} ms, not {delay_ms}");
                report.blame(Check::Early, message.key, detail);
            }
        }
    }
}

fn turned_down_ms(ledger: &Ledger<'_>, first: &Received<'_>, second: &Received<'_>) -> Option<u64> {
    let word = first.words.iter().find(|w| w.verdict != Verdict::Ack && w.holds < second.at)?;
    let asked = ledger.at_ms(word.holds);
    let told = matches!(word.standing, super::ledger::Standing::Done(told) if told < second.at);
    (told && !ledger.crashed_between(word.holds, second.at)).then_some(asked)
}
