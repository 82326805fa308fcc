//! P8: what was acknowledged, and confirmed to be, stays acknowledged.

use crate::checker::duplication::{have_crossed, is_same_backlog};
use crate::checker::ledger::{Ledger, Message, Moment, Received, Standing};
use crate::checker::{Check, Report};
use crate::history::{Kind, Verdict};

/// After the receipt of an acknowledgement, or of the commit that it was part of, the message
/// does not arrive again: not from where it was, and not from the dead-letter queue.
pub fn acknowledged_stays_acknowledged(ledger: &Ledger<'_>, report: &mut Report) {
    for message in ledger.messages.values() {
        let received: Vec<&Received<'_>> = ledger.received(message).collect();
        for first in &received {
            let Some(told) = told(first) else { continue };
            let later = received.iter().filter(|second| second.at > told);
            let again = later.copied().find(|second| is_back(ledger, message, first, second));
            if let Some(again) = again {
                let detail = format!(
                    "was acknowledged by consumer {} and arrived again at consumer {}",
                    first.delivery.consumer, again.delivery.consumer
                );
                report.blame(Check::Unacknowledged, message.key, detail);
            }
        }
    }
}

/// When the client was told that its acknowledgement holds.
fn told(received: &Received<'_>) -> Option<Moment> {
    let acks = received.words.iter().filter(|word| word.verdict == Verdict::Ack);
    let told = acks.filter_map(|word| match word.standing {
        Standing::Done(moment) => Some(moment),
        Standing::Maybe | Standing::Never => None,
    });
    told.min()
}

/// Whether the second delivery is of what the first one acknowledged. The dead-letter queue of a
/// topic may hold a copy for each durable subscription, so there nothing is concluded.
fn is_back(
    ledger: &Ledger<'_>,
    message: &Message<'_>,
    first: &Received<'_>,
    second: &Received<'_>,
) -> bool {
    match message.to().kind {
        _ if ledger.may_be_anew(message, second.at) => false,
        _ if have_crossed(ledger, first, second) => false,
        Kind::Queue => true,
        Kind::Topic => {
            first.delivery.from.kind == Kind::Topic && is_same_backlog(ledger, first, second)
        }
    }
}
