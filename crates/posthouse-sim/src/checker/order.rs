//! P4: order per producer and destination at equal priority, for a consumer that is alone.

use std::collections::BTreeMap;

use crate::checker::ledger::{Attempt, Consuming, Ledger, Message, Moment, Received};
use crate::checker::{Check, Report};
use crate::history::{Call, Key, Kind, Target};

/// The place of a message in what its producer sent: by commits, then by sends.
type Place = (Moment, Moment);

/// What must stay in order: messages of one connection to one destination at one priority.
type Stream<'a> = (usize, &'a Target, u8);

/// What one consumer receives for the first time comes in the order in which it was sent. That
/// holds for subscribers of topics always, for consumers of queues while they are alone. Messages
/// that were sent more than once, or may have been returned from a dead-letter queue, have no
/// place to keep.
pub fn order_is_kept(ledger: &Ledger<'_>, report: &mut Report) {
    for consumer in ledger.consumers.values().filter(|consumer| !consumer.wish.browse) {
        let mut last: BTreeMap<Stream<'_>, (Place, Key)> = BTreeMap::new();
        let received = consumer.deliveries.iter().filter_map(|index| ledger.deliveries.get(*index));
        for received in received.filter(|received| received.delivery.redeliveries == 0) {
            let Some(message) = ledger.messages.get(&received.delivery.key) else { continue };
            let Some((stream, place)) = place_of(ledger, message, received) else { continue };
            if stream.1.kind == Kind::Queue && !is_alone(ledger, consumer, received) {
                continue;
            }
            let before = last.get(&stream).copied();
            if let Some((_, key)) = before.filter(|(earlier, _)| *earlier > place) {
                let detail = format!("arrived after message {key}, which was sent later");
                report.blame(Check::Order, message.key, detail);
            } else {
                last.insert(stream, (place, message.key));
            }
        }
    }
}

fn place_of<'a>(
    ledger: &Ledger<'_>,
    message: &'a Message<'_>,
    received: &Received<'_>,
) -> Option<(Stream<'a>, Place)> {
    let [attempt] = message.attempts.as_slice() else { return None };
    let returned = Call::Redrive(message.to().dead_letters());
    if received.delivery.from != *message.to() || ledger.managed(&returned, 0, received.at) {
        return None;
    }
    let Attempt { connection, invoked, visible, .. } = *attempt;
    Some(((connection, message.to(), message.sent.priority), (visible?, invoked)))
}

/// Whether nobody else can have had messages of the same queue since the consumer began.
fn is_alone(ledger: &Ledger<'_>, consumer: &Consuming<'_>, received: &Received<'_>) -> bool {
    let from = &received.delivery.from;
    let mut others = ledger.consumers.values().filter(|other| {
        !std::ptr::eq(*other, consumer) && !other.wish.browse && other.wish.to.takes_in(from)
    });
    let begun_ms = ledger.at_ms(consumer.invoked);
    others.all(|other| {
        other.invoked > received.at || ledger.is_gone_by(other, consumer.invoked, begun_ms)
    })
}

impl Ledger<'_> {
    /// Whether the node knew at `moment` (of `moment_ms`) that a consumer had ended.
    pub fn is_gone_by(&self, consumer: &Consuming<'_>, moment: Moment, moment_ms: u64) -> bool {
        let crashed = self.crashed_between(consumer.invoked, moment);
        let noticed = consumer.ended.is_some_and(|ended| {
            self.at_ms(ended).saturating_add(self.history.terms.detach_ms) < moment_ms
        });
        crashed || noticed
    }
}
