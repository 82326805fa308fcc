//! Looks into queues. They take nothing out and change nothing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthouse_core::broker::view::{BrowseCursor, Browsed, Standing};
use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::limits::BROWSE_PAGE_MAX;
use posthouse_core::message::{DeadLetterReason, Envelope, PRIORITY_MAX, Provenance};
use posthouse_core::property::{Name, Value, WellKnown};
use posthouse_core::selector::{Selector, Strings};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Any};
use utoipa::{IntoParams, ToSchema};

use super::Admin;
use super::extract::{Asked, Named};
use super::problem::Problem;
use crate::broker_thread::{Ask, Browse};
use crate::codes::Code;

/// Messages of an answer when the request does not say.
const LIMIT_DEFAULT: usize = 100;

/// Bytes of bodies in one answer; what is beyond is left out and said to be.
const BODY_BYTES_MAX: usize = 4 << 20;

/// The largest integer that every reader of JSON keeps exactly.
const JSON_INTEGER_MAX: u64 = 1 << 53;

/// Which messages are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BrowseQuery {
    /// Where to go on: `next` of the answer before.
    cursor: Option<String>,
    /// Messages to look at: 1 to 1000, 100 when absent.
    limit: Option<usize>,
    /// Only messages that this selector takes.
    selector: Option<String>,
}

/// Messages of a queue in the order in which they would be handed out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MessagePage {
    /// The messages.
    items: Vec<Message>,
    /// The cursor to go on with; absent at the end.
    next: Option<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    /// Its identity here.
    id: String,
    /// `ready`, `unacknowledged` or `delayed`.
    standing: &'static str,
    /// How often it has been handed out.
    deliveries: u32,
    /// 0 to 9; higher goes first.
    priority: u8,
    /// Whether it survives a crash.
    persistent: bool,
    /// When it was sent, in milliseconds since 1970.
    timestamp_ms: u64,
    /// When it expires, in milliseconds since 1970; 0 means never.
    expires_ms: u64,
    /// What its sender wrote about it. Integers beyond 53 bits are strings, bytes are base64.
    #[schema(value_type = Object)]
    properties: Map<String, Any>,
    /// Its body.
    body: String,
    /// How the body is written: `text` or `base64`.
    body_encoding: &'static str,
    /// Bytes of the whole body.
    body_bytes: usize,
    /// Whether the body is left out because the answer would be too large.
    body_omitted: bool,
    /// Where it was set aside from, if it was.
    origin: Option<Origin>,
}

/// Where a message was set aside from, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Origin {
    /// Its identity there.
    id: String,
    /// The destination.
    destination: String,
    /// `rejected`, `delivery-limit` or `expired`; absent when it has been returned since.
    reason: Option<&'static str>,
    /// How often it had been handed out.
    deliveries: u32,
    /// When it was moved, in milliseconds since 1970.
    moved_ms: u64,
}

/// Look at the messages of a queue.
#[utoipa::path(
    get, path = "/api/v1/queues/{name}/messages", tag = "queues",
    params(("name" = String, Path), BrowseQuery),
    responses((status = 200, body = MessagePage), (status = "4XX", body = Problem))
)]
pub(crate) async fn browse_queue(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<BrowseQuery>,
) -> Result<Json<MessagePage>, Problem> {
    let browse = Box::new(read(&name, &query)?);
    let found = admin.asker.ask(|reply| Ask::Browse(browse, reply)).await??;
    let mut budget = BODY_BYTES_MAX;
    let items = found.messages.iter().map(|browsed| message(browsed, &mut budget)).collect();
    Ok(Json(MessagePage { items, next: found.next.map(write_cursor) }))
}

fn read(name: &str, query: &BrowseQuery) -> Result<Browse, Problem> {
    let queue = DestinationName::new(Kind::Queue, name)?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    if limit == 0 || limit > BROWSE_PAGE_MAX {
        return Err(invalid(format!("`limit` is 1 to {BROWSE_PAGE_MAX}")));
    }
    let from = match &query.cursor {
        Some(text) => read_cursor(text).ok_or_else(|| invalid("`cursor` is not one".into()))?,
        None => BrowseCursor::START,
    };
    let selector = query.selector.as_deref().filter(|text| !text.is_empty());
    let selector = selector.map(|text| Selector::parse(text, Strings::Convert)).transpose();
    let selector = selector.map_err(|error| invalid(format!("`selector`: {error}")))?;
    Ok(Browse { queue, from, limit, selector })
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, detail)
}

fn write_cursor(cursor: BrowseCursor) -> String {
    format!("{}.{:x}", cursor.priority, cursor.seq)
}

fn read_cursor(text: &str) -> Option<BrowseCursor> {
    let (priority, seq) = text.split_once('.')?;
    let priority = priority.parse().ok().filter(|priority| *priority <= PRIORITY_MAX)?;
    Some(BrowseCursor { priority, seq: u64::from_str_radix(seq, 16).ok()? })
}

fn message(browsed: &Browsed, budget: &mut usize) -> Message {
    let envelope = &browsed.message;
    let body_bytes = envelope.body().len();
    let body_omitted = body_bytes > *budget;
    let (body, body_encoding) = if body_omitted { (String::new(), "text") } else { body(envelope) };
    *budget = budget.saturating_sub(body_bytes);
    Message {
        id: browsed.id.to_string(),
        standing: standing(browsed.standing),
        deliveries: browsed.deliveries,
        priority: envelope.priority,
        persistent: envelope.persistent,
        timestamp_ms: envelope.timestamp_ms,
        expires_ms: envelope.expires_ms,
        properties: properties(envelope),
        body,
        body_encoding,
        body_bytes,
        body_omitted,
        origin: browsed.provenance.as_deref().map(origin),
    }
}

fn body(envelope: &Envelope) -> (String, &'static str) {
    match std::str::from_utf8(envelope.body()) {
        Ok(text) => (text.to_owned(), "text"),
        Err(_) => (STANDARD.encode(envelope.body()), "base64"),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Ready => "ready",
        Standing::Unacknowledged => "unacknowledged",
        Standing::Delayed => "delayed",
    }
}

fn properties(envelope: &Envelope) -> Map<String, Any> {
    let named = envelope.properties().map(|property| {
        let name = match property.name {
            Name::Own(name) => name,
            Name::WellKnown(field) => well_known(field),
        };
        (name.to_owned(), json(property.value))
    });
    named.collect()
}

/// The names that the same fields have in STOMP.
fn well_known(field: WellKnown) -> &'static str {
    match field {
        WellKnown::MessageId => "message-id",
        WellKnown::CorrelationId => "correlation-id",
        WellKnown::ReplyTo => "reply-to",
        WellKnown::Type => "type",
        WellKnown::GroupId => "JMSXGroupID",
        WellKnown::ContentType => "content-type",
    }
}

fn json(value: Value<'_>) -> Any {
    match value {
        Value::Null => Any::Null,
        Value::Bool(truth) => truth.into(),
        Value::Int(number) if number.unsigned_abs() > JSON_INTEGER_MAX => number.to_string().into(),
        Value::Int(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Str(text) => text.into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
    }
}

fn origin(provenance: &Provenance) -> Origin {
    Origin {
        id: provenance.first_id.to_string(),
        destination: provenance.destination.to_string(),
        reason: provenance.reason.map(DeadLetterReason::as_str),
        deliveries: provenance.deliveries,
        moved_ms: provenance.moved_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::{BrowseCursor, read_cursor, write_cursor};

    #[test]
    fn cursors_come_back_as_they_went() {
        let cursor = BrowseCursor { priority: 4, seq: u64::MAX };
        assert_eq!(read_cursor(&write_cursor(cursor)), Some(cursor));
        for text in ["", "4", "10.1", "4.", "4.g", "-1.0", "4.10000000000000000"] {
            assert_eq!(read_cursor(text), None, "{text:?}");
        }
    }
}
