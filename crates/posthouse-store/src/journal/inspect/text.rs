//! Records as lines of text: a name, then fields as `name=value`. Texts that come from outside
//! are quoted and escaped, so that a line stays a line.

use std::fmt::{Display, Write};

use posthouse_core::ids::{BacklogKey, SubscriptionId};
use posthouse_core::message::{BodyKind, Envelope};
use posthouse_core::record::{Attempt, BitPages, Enqueued, KeptPage, Moved, Record, Removed};

use crate::journal::layout::place::Place;

/// The most items of a list that are shown.
const ITEMS_MAX: usize = 8;

/// The most bytes of a line.
const LINE_BYTES_MAX: usize = 4 << 10;

/// What ends a line that was cut.
const CUT: &str = " ...";

/// The name of a record's kind.
pub(super) fn name(record: &Record) -> &'static str {
    match record {
        Record::Started { .. } => "started",
        Record::DestinationDefined { .. } => "destination-defined",
        Record::DestinationRemoved { .. } => "destination-removed",
        Record::SubscriptionDefined { .. } => "subscription-defined",
        Record::SubscriptionRemoved { .. } => "subscription-removed",
        Record::Enqueued(_) => "enqueued",
        Record::Removed(_) => "removed",
        Record::Returned { .. } => "returned",
        Record::Dispatched { .. } => "dispatched",
        Record::Moved(_) => "moved",
        Record::Transaction(_) => "transaction",
        Record::Numbered { .. } => "numbered",
        Record::Kept(_) => "kept",
        Record::Waiting(_) => "waiting",
        Record::Produced(_) => "produced",
    }
}

/// The record on one line of at most 4 KiB, with so many bytes of each body.
pub(super) fn line(record: &Record, body_bytes_max: usize) -> String {
    cut(whole_line(record, body_bytes_max))
}

fn cut(mut line: String) -> String {
    if line.len() > LINE_BYTES_MAX {
        line.truncate(line.floor_char_boundary(LINE_BYTES_MAX - CUT.len()));
        line.push_str(CUT);
    }
    line
}

fn whole_line(record: &Record, body_bytes_max: usize) -> String {
    format!("{} {}", name(record), fields(record, body_bytes_max))
}

fn fields(record: &Record, body_bytes_max: usize) -> String {
    match record {
        Record::Started { run } => format!("run={run}"),
        Record::DestinationDefined { id, kind, path } => {
            format!("id={} kind={kind:?} path={path:?}", id.0)
        }
        Record::DestinationRemoved { id } => format!("id={}", id.0),
        Record::SubscriptionDefined { id, client, name, path, selector } => format!(
            "id={} client={client:?} name={name:?} path={path:?} selector={selector:?}",
            id.0
        ),
        Record::SubscriptionRemoved { id } => format!("id={}", id.0),
        Record::Enqueued(enqueued) => {
            enqueued_fields(enqueued) + &body(&enqueued.message, body_bytes_max)
        }
        Record::Removed(Removed { from, seqs }) => {
            format!("from={} seqs={}", key(*from), list(seqs, u64::to_string))
        }
        Record::Returned { backlog, attempts } => {
            format!("to={} attempts={}", key(*backlog), list(attempts, attempt))
        }
        Record::Dispatched { backlog, up_to } => format!("from={} up_to={up_to}", key(*backlog)),
        Record::Moved(moved) => moved_fields(moved),
        Record::Transaction(records) => list(records, |record| whole_line(record, body_bytes_max)),
        Record::Numbered { last_destination, last_subscription } => {
            format!("last_destination={last_destination} last_subscription={last_subscription}")
        }
        Record::Kept(page) => kept_fields(page),
        Record::Waiting(waiting) => {
            let (key, priority) = (key(waiting.backlog), waiting.priority);
            format!("in={key} priority={priority} messages={}", bits(&waiting.pages))
        }
        Record::Produced(produced) => {
            let (producer, floor) = (produced.producer, produced.floor);
            format!("producer={producer:x} floor={floor} numbers={}", bits(&produced.seen))
        }
    }
}

fn kept_fields(page: &KeptPage) -> String {
    let messages = list(&page.messages, |message| {
        let place = Place::from_locator(message.locator);
        let place = place.map_or_else(String::new, |p| format!("@{}/{}", p.segment, p.block()));
        let seq = page.number * 256 + u64::from(message.index);
        format!("{seq}{place}")
    });
    format!("destination={} messages={messages}", page.destination.0)
}

/// How many bits are set.
fn bits(pages: &BitPages) -> u32 {
    pages.iter().flat_map(|(_, words)| words).map(|word| word.count_ones()).sum()
}

fn enqueued_fields(enqueued: &Enqueued) -> String {
    let Enqueued { destination, seq, subscriptions, message } = enqueued;
    let for_whom = list(subscriptions, |SubscriptionId(id)| id.to_string());
    let message = message_fields(message);
    format!("destination={} seq={seq} for={for_whom} {message}", destination.0)
}

/// What is on the envelope. Properties and body are the users' own.
fn message_fields(message: &Envelope) -> String {
    let kind = if message.body_kind == BodyKind::Text { "text" } else { "bytes" };
    let properties = message.block_bytes();
    let mut fields = format!(
        "persistent={} priority={} timestamp_ms={} expires_ms={} properties={properties}B \
         body={}B/{kind}",
        message.persistent,
        message.priority,
        message.timestamp_ms,
        message.expires_ms,
        message.body().len(),
    );
    if let Some(producer) = message.producer {
        write!(fields, " producer={:032x}:{}", producer.producer, producer.seq)
            .expect("a text takes all");
    }
    fields
}

/// The beginning of a body: characters as they are, bytes as hexadecimal digits.
fn body(message: &Envelope, bytes_max: usize) -> String {
    let body = message.body();
    let shown = body.get(..bytes_max).unwrap_or(body);
    let rest = if shown.len() < body.len() { CUT } else { "" };
    match message.body_kind {
        _ if bytes_max == 0 => String::new(),
        BodyKind::Text => format!(" content={:?}{rest}", String::from_utf8_lossy(shown)),
        BodyKind::Bytes => {
            let digits: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(" content={digits}{rest}")
        }
    }
}

fn moved_fields(moved: &Moved) -> String {
    let Moved { from, seq, to, to_seq, reason, moved_ms, deliveries } = moved;
    let reason = reason.map_or("returned", |reason| reason.as_str());
    format!(
        "from={} seq={seq} to={} to_seq={to_seq} reason={reason} moved_ms={moved_ms} \
         deliveries={deliveries}",
        key(*from),
        key(*to),
    )
}

fn attempt(attempt: &Attempt) -> String {
    format!("{}:{}/{}", attempt.seq, attempt.failures, attempt.deliveries)
}

/// A backlog: the destination and, for a topic, the subscription.
fn key(key: BacklogKey) -> String {
    match key.subscription {
        SubscriptionId::QUEUE => key.destination.0.to_string(),
        SubscriptionId(subscription) => format!("{}/{subscription}", key.destination.0),
    }
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    let shown: Vec<String> = items.iter().take(ITEMS_MAX).map(text).collect();
    let left = items.len() - shown.len();
    let rest: &dyn Display = if left > 0 { &format_args!(" and {left} more") } else { &"" };
    format!("[{}{rest}]", shown.join(", "))
}
