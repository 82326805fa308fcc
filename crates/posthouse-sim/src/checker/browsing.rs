//! Browsers look and take nothing away. That they take nothing follows from the other checks: a
//! message that only a browser has seen is still owed. Here is what they are shown.

use crate::checker::ledger::{Ledger, Standing};
use crate::checker::{Check, Report};
use crate::history::{Kind, Verdict};

/// A browser is not shown what was acknowledged, and confirmed to be, before it began.
pub fn browsers_see_what_is_there(ledger: &Ledger<'_>, report: &mut Report) {
    for shown in ledger.deliveries.iter().filter(|r| ledger.consumer(r).wish.browse) {
        let Some(message) = ledger.messages.get(&shown.delivery.key) else { continue };
        let began = ledger.consumer(shown).invoked;
        let mut words = ledger.received(message).flat_map(|received| &received.words);
        let is_gone = words.any(|word| {
            let told = matches!(word.standing, Standing::Done(moment) if moment < began);
            word.verdict == Verdict::Ack && told
        });
        let is_anew = ledger.may_be_anew(message, shown.at);
        if is_gone && !is_anew && message.to().kind == Kind::Queue {
            let detail = "was acknowledged before, and a browser was shown it".to_owned();
            report.blame(Check::Browsing, message.key, detail);
        }
    }
}
