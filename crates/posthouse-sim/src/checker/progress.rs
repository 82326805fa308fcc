//! P13: after the last disturbance everything is consumed in time.

use crate::checker::ledger::Ledger;
use crate::checker::{Check, Report};

/// If disturbances ended, everything was drained, and within the agreed time. Whoever drives the
/// clients says that it is drained when their consumers, selective and slow ones among them, have
/// nothing left to get.
pub fn everything_is_consumed_in_time(ledger: &Ledger<'_>, report: &mut Report) {
    let Some(healed) = ledger.healed else { return };
    let limit_ms = ledger.history.terms.progress_ms;
    let Some(drained) = ledger.drained else {
        let detail = "disturbances ended, and something still waits".to_owned();
        return report.complain(Check::Progress, detail);
    };
    let took_ms = ledger.at_ms(drained).saturating_sub(ledger.at_ms(healed));
    if took_ms > limit_ms {
        let detail = format!("it took {took_ms} ms to consume everything, not {limit_ms}");
        report.complain(Check::Progress, detail);
    }
}
