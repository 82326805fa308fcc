//! Nothing arrives after its expiry, but for what was handed out in time and took its time.

use crate::checker::ledger::Ledger;
use crate::checker::{Check, Report};

/// No consumer gets a message later than its expiry and the agreed slack. What has been set aside
/// no longer expires.
pub fn nothing_arrives_after_its_expiry(ledger: &Ledger<'_>, report: &mut Report) {
    let slack_ms = ledger.history.terms.expiry_slack_ms;
    for received in &ledger.deliveries {
        let Some(message) = ledger.messages.get(&received.delivery.key) else { continue };
        let expires_ms = message.sent.expires_ms;
        let late_ms = ledger.at_ms(received.at).saturating_sub(expires_ms.saturating_add(slack_ms));
        let is_home = received.delivery.from == *message.to();
        let is_browsed = ledger.consumer(received).wish.browse;
        let redriven = crate::history::Call::Redrive(message.to().dead_letters());
        let is_exempt = ledger.managed(&redriven, message.invoked(), received.at);
        if expires_ms != 0 && late_ms > 0 && is_home && !is_browsed && !is_exempt {
            let detail =
                format!("arrived {late_ms} ms after its expiry and {slack_ms} ms of slack");
            report.blame(Check::Expired, message.key, detail);
        }
    }
}
