//! P6 for plain subscribers of topics: everything while they are there, nothing from before.

use std::collections::BTreeMap;

use crate::checker::ledger::{Consuming, Ledger, Message, Moment};
use crate::checker::{Check, Report};
use crate::history::{Kind, Target};

/// Messages of one connection to one topic, by their place in it.
type Published<'l, 'a> = BTreeMap<(usize, &'l Target), Vec<(Moment, &'l Message<'a>)>>;

/// A subscriber that got a message got all that the same producer had sent to the same topic
/// before and since the subscription was confirmed; one that was there to the end got all. What
/// expired meanwhile is excused. What a topic's policy lets slow subscribers miss they must have
/// been told of.
pub fn subscribers_miss_nothing(ledger: &Ledger<'_>, report: &mut Report) {
    let published = published(ledger);
    for (id, consumer) in &ledger.consumers {
        let Some(from) = consumer.confirmed.filter(|_| is_plain(consumer)) else { continue };
        let got = keys_of(ledger, consumer);
        let mut skipped = 0;
        for ((connection, topic), messages) in &published {
            let is_own = consumer.wish.no_local && *connection == consumer.connection;
            if is_own || !consumer.wish.to.takes_in(topic) {
                continue;
            }
            let got_last = messages.iter().rev().find(|(_, m)| got.contains_key(&m.key));
            let until = until(ledger, consumer).or(got_last.map(|(place, _)| *place));
            for (place, message) in messages {
                let is_due = *place > from && until.is_some_and(|until| *place < until);
                if !is_due || got.contains_key(&message.key) || !is_owed(ledger, consumer, message)
                {
                    continue;
                }
                if ledger.history.terms.rule(topic).skips {
                    skipped += 1;
                    continue;
                }
                let detail = format!("to {topic} never reached subscriber {id}");
                report.blame(Check::Subscriber, message.key, detail);
            }
        }
        let told = ledger.missed.get(id).copied().unwrap_or(0);
        if skipped > told {
            let detail =
                format!("subscriber {id} missed {skipped} messages and was told of {told}");
            report.complain(Check::Subscriber, detail);
        }
    }
}

/// A subscriber does not get what was confirmed before it asked. What was sent again may have been
/// sent anew after a crash, for topics without durable subscriptions keep nothing.
pub fn latecomers_get_nothing_old(ledger: &Ledger<'_>, report: &mut Report) {
    for received in &ledger.deliveries {
        let consumer = ledger.consumer(received);
        let Some(message) = ledger.messages.get(&received.delivery.key) else { continue };
        let confirmed = message.confirmed();
        let is_single = message.attempts.len() == 1;
        if is_plain(consumer)
            && is_single
            && confirmed.is_some_and(|moment| moment < consumer.invoked)
        {
            let detail = format!(
                "was confirmed before subscriber {} came, and reached it",
                received.delivery.consumer
            );
            report.blame(Check::Subscriber, message.key, detail);
        }
    }
}

fn is_plain(consumer: &Consuming<'_>) -> bool {
    consumer.wish.to.kind == Kind::Topic && consumer.wish.durable.is_none()
}

fn published<'l, 'a>(ledger: &'l Ledger<'a>) -> Published<'l, 'a> {
    let mut published: Published<'l, 'a> = BTreeMap::new();
    for message in ledger.messages.values().filter(|message| message.to().kind == Kind::Topic) {
        let [attempt] = message.attempts.as_slice() else { continue };
        let Some(place) = attempt.visible.filter(|_| message.confirmed().is_some()) else {
            continue;
        };
        let stream = published.entry((attempt.connection, message.to())).or_default();
        stream.push((place, message));
    }
    published.values_mut().for_each(|messages| messages.sort_by_key(|(place, _)| *place));
    published
}

fn keys_of(ledger: &Ledger<'_>, consumer: &Consuming<'_>) -> BTreeMap<u64, Moment> {
    let received = consumer.deliveries.iter().filter_map(|index| ledger.deliveries.get(*index));
    received.map(|received| (received.delivery.key, received.at)).collect()
}

/// The end, if the subscriber was there until then.
fn until(ledger: &Ledger<'_>, consumer: &Consuming<'_>) -> Option<Moment> {
    let stayed = consumer.ended.is_none() && !ledger.crashed_between(consumer.invoked, usize::MAX);
    ledger.drained.filter(|_| stayed)
}

fn is_owed(ledger: &Ledger<'_>, consumer: &Consuming<'_>, message: &Message<'_>) -> bool {
    let end_ms = ledger.at_ms(consumer.ended.unwrap_or(ledger.history.events.len() - 1));
    let expires_ms = message.sent.expires_ms;
    consumer.wish.wants.takes(message.sent.label) && (expires_ms == 0 || expires_ms > end_ms)
}
