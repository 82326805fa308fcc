//! One row of the request table, as a request.

use std::sync::Arc;

use bytes::Bytes;
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};
use serde_json::Value as Json;

use super::base::{Options, Record};
use super::error::SourceError;
use super::limits::{HEADERS_BYTES_MAX, HEADERS_MAX};
use super::slot::slot_of;

/// What is selected of every request, from a table that is called `r`.
pub(super) const COLUMNS: &str = "\
    CAST(r.id AS BIGINT) AS id, CAST(r.request_id AS TEXT) AS request_id, \
    CAST(r.state AS BIGINT) AS state, CAST(r.code AS TEXT) AS code, CAST(r.grp AS TEXT) AS grp, \
    CAST(r.region AS TEXT) AS region, CAST(r.business_id AS TEXT) AS business_id, \
    CAST(r.slot AS BIGINT) AS slot, CAST(r.priority AS BIGINT) AS priority, \
    CAST(r.window_name AS TEXT) AS window_name, CAST(r.due_at AS BIGINT) AS due_at, \
    CAST(r.expires_at AS BIGINT) AS expires_at, CAST(r.attempts AS BIGINT) AS attempts, \
    CAST(r.created_at AS BIGINT) AS created_at";

/// What is selected of those that may be sent: the name, and how it is had. Of headers, one
/// character more than may be, which tells that there are too many.
pub(super) const CONTENT_COLUMNS: [(&str, &str); 7] = [
    ("protocol", "CAST(r.protocol AS TEXT)"),
    ("service", "CAST(r.service AS TEXT)"),
    ("method", "CAST(r.method AS TEXT)"),
    ("headers", "substr(CAST(r.headers AS TEXT), 1, 16385)"),
    ("content_type", "CAST(r.content_type AS TEXT)"),
    ("body", "r.body"),
    ("traceparent", "CAST(r.traceparent AS TEXT)"),
];

const _: () = assert!(HEADERS_BYTES_MAX == 16_384, "the statement above has it in it");

/// The state of a request that was given up for the time being.
pub(super) const STATE_BLOCKED: i64 = 2;

/// Reads a request. Rows that name no region belong to this relay's.
pub(super) fn request_of(row: &Record, options: &Options) -> Result<Request, SourceError> {
    let request_id: Arc<str> = row.text("request_id")?.into();
    let key: Option<Arc<str>> = row.maybe_text("business_id")?.map(Arc::from);
    let slot = match row.maybe_int("slot")? {
        Some(slot) => Slot(u16::try_from(slot).unwrap_or(u16::MAX)),
        None => slot_of(key.as_ref().unwrap_or(&request_id)),
    };
    let is_blocked = row.int("state")? == STATE_BLOCKED;
    Ok(Request {
        id: RequestId(row.int("id")?),
        request_id,
        standing: if is_blocked { Standing::Blocked } else { Standing::Ready },
        code: row.text("code")?.into(),
        group: row.maybe_text("grp")?.map(Arc::from),
        region: row.maybe_text("region")?.map_or_else(|| options.region.clone(), Arc::from),
        key,
        slot,
        priority: u8::try_from(row.int("priority")?.clamp(0, 9)).unwrap_or(9),
        window: row.maybe_text("window_name")?.map(Arc::from),
        due_ms: row.int("due_at")?,
        expires_ms: row.maybe_int("expires_at")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(0),
        created_ms: row.int("created_at")?,
        content: content_of(row, options.body_bytes_max)?.map(Arc::new),
    })
}

/// The content, if it was asked for. A request whose headers cannot be read has none: it keeps its
/// place and is not sent, for to send it without them might be worse. One whose body is longer than
/// `body_bytes_max`, which the statement has left where it is, has a flaw instead.
pub(super) fn content_of(
    row: &Record,
    body_bytes_max: u64,
) -> Result<Option<Content>, SourceError> {
    if !row.is_set("is_wanted")? {
        return Ok(None);
    }
    let Some(headers) = headers_of(row.maybe_text("headers")?.as_deref()) else {
        return Ok(None);
    };
    Ok(Some(Content {
        protocol: row.maybe_text("protocol")?,
        service: row.maybe_text("service")?,
        method: row.maybe_text("method")?,
        headers,
        content_type: row.maybe_text("content_type")?,
        body: Bytes::from(row.maybe_bytes("body")?.unwrap_or_default()),
        traceparent: row.maybe_text("traceparent")?,
        flaw: flaw_of(row.int("id")?, row.maybe_int("body_bytes")?.unwrap_or(0), body_bytes_max),
    }))
}

fn flaw_of(id: i64, body_bytes: i64, body_bytes_max: u64) -> Option<String> {
    let is_long = u64::try_from(body_bytes).is_ok_and(|bytes| bytes > body_bytes_max);
    is_long.then(|| {
        format!(
            "the body of request {id} has {body_bytes} bytes, and its source lets at most \
             {body_bytes_max} pass: make it shorter, or raise body_max"
        )
    })
}

/// Headers are a JSON object of texts; empty means none.
fn headers_of(text: Option<&str>) -> Option<Vec<(String, String)>> {
    let text = text.unwrap_or("").trim();
    if text.is_empty() {
        return Some(Vec::new());
    }
    if text.len() > HEADERS_BYTES_MAX {
        return None;
    }
    let Ok(Json::Object(object)) = serde_json::from_str(text) else {
        return None;
    };
    if object.len() > HEADERS_MAX {
        return None;
    }
    let text_of = |(name, value)| match value {
        Json::String(text) => Some((name, text)),
        _ => None,
    };
    object.into_iter().map(text_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: Option<&str>, expected: Option<&[(&str, &str)]>) {
        let expected = expected.map(|headers| {
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(headers_of(text), expected, "{text:?}");
    }

    #[test]
    fn headers_are_an_object_of_texts() {
        check(None, Some(&[]));
        check(Some(" "), Some(&[]));
        check(Some("{}"), Some(&[]));
        check(Some(r#"{"b":"1","a":"2"}"#), Some(&[("b", "1"), ("a", "2")]));
        check(Some(r#"{"a":1}"#), None);
        check(Some("a: 1"), None);
        check(Some("[]"), None);
    }

    /// So many headers in a block of so many bytes.
    fn check_bounds(headers: usize, bytes: usize, expected: Option<usize>) {
        let names: Vec<String> = (0..headers).map(|n| format!("\"x-{n}\":\"\"")).collect();
        let block = format!("{{{}}}", names.join(","));
        let block = block.replacen("\"\"", &format!("\"{}\"", "a".repeat(bytes - block.len())), 1);
        assert_eq!(block.len(), bytes);
        assert_eq!(headers_of(Some(&block)).map(|headers| headers.len()), expected, "{bytes}");
    }

    #[test]
    fn what_is_read_can_be_carried() {
        check_bounds(64, 1_000, Some(64));
        check_bounds(65, 1_000, None);
        check_bounds(1, 16_384, Some(1));
        check_bounds(1, 16_385, None);
    }
}
