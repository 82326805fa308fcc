//! One row of the request table, as a request.

use std::sync::Arc;

use bytes::Bytes;
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing, Unreadable};
use serde_json::Value as Json;

use super::base::{Options, Record};
use super::columns::{
    CODE, CONTENT_TYPE, GROUP, HEADERS, KEY, METHOD, PROTOCOL, REGION, REQUEST_ID, SERVICE,
    TRACEPARENT, WINDOW,
};
use super::error::SourceError;
use super::legible::Reader;
use super::limits::HEADERS_MAX;
use super::settle::FOREIGN_FENCE;
use super::slot::slot_of;

/// The state of a request that was given up for the time being.
pub(super) const STATE_BLOCKED: i64 = 2;

/// The state of a request that is marked as being tried.
const STATE_SENDING: i64 = 1;

/// Tries of a request that are told apart: the column of PostgreSQL holds no more.
const ATTEMPTS_MAX: i64 = i32::MAX as i64;

/// Reads a request. Rows that name no region belong to this relay's, and so do those whose region
/// cannot be read: somebody must tell of them. One whose business id cannot be read has none.
pub(super) fn request_of(row: &Record, options: &Options) -> Result<Request, SourceError> {
    let mut reader = Reader::of_request(row)?;
    let request_id: Arc<str> = reader.needed_text(&REQUEST_ID)?.into();
    let key = reader.text(&KEY)?.filter(|_| !reader.is_wrong(KEY.name)).map(Arc::<str>::from);
    let slot = match reader.maybe_int("slot")? {
        Some(slot) => Slot(u16::try_from(slot).unwrap_or(u16::MAX)),
        None => slot_of(key.as_ref().unwrap_or(&request_id)),
    };
    let region = reader.text(&REGION)?.filter(|_| !reader.is_wrong(REGION.name));
    let fence = reader.int("fence")?;
    let standing = match reader.int("state")? {
        STATE_BLOCKED => Standing::Blocked,
        STATE_SENDING if fence != FOREIGN_FENCE => Standing::Sending,
        _ => Standing::Ready,
    };
    // It cannot be written down as expired while somebody else has it.
    let is_foreign = fence == FOREIGN_FENCE && reader.int("state")? == STATE_SENDING;
    let kept_until_ms = if is_foreign { reader.int("due_at")? } else { i64::MIN };
    let request = Request {
        id: RequestId(row.int("id")?),
        request_id,
        standing,
        code: reader.needed_text(&CODE)?.into(),
        group: reader.text(&GROUP)?.map(Arc::from),
        region: region.map_or_else(|| options.region.clone(), Arc::from),
        key,
        slot,
        priority: u8::try_from(reader.int("priority")?.clamp(0, 9)).unwrap_or(9),
        window: reader.text(&WINDOW)?.map(Arc::from),
        due_ms: reader.int("due_at")?,
        expires_ms: reader.maybe_int("expires_at")?.map(|at| at.max(kept_until_ms)),
        attempts: attempts_of(reader.int("attempts")?),
        created_ms: reader.int("created_at")?,
        content: None,
        unreadable: None,
    };
    let wrong = reader.wrong();
    if wrong.is_some() || !row.is_set("is_wanted")? {
        return Ok(Request { unreadable: wrong.map(Arc::new), ..request });
    }
    Ok(match content_of(row, options.body_bytes_max)? {
        (_, Some(wrong)) => Request { unreadable: Some(Arc::new(wrong)), ..request },
        (content, None) => Request { content: Some(Arc::new(content)), ..request },
    })
}

/// How many tries have been recorded.
pub(super) fn attempts_of(number: i64) -> u32 {
    u32::try_from(number.clamp(0, ATTEMPTS_MAX)).unwrap_or(0)
}

/// The content, as far as it can be read, and what of it cannot. A request whose headers cannot be
/// read is not sent, for to send it without them might be worse. One whose body is longer than
/// `body_bytes_max`, which the statement has left where it is, has a flaw instead.
pub(super) fn content_of(
    row: &Record,
    body_bytes_max: u64,
) -> Result<(Content, Option<Unreadable>), SourceError> {
    let mut reader = Reader::of_content(row)?;
    let mut content = Content {
        protocol: reader.text(&PROTOCOL)?,
        service: reader.text(&SERVICE)?,
        method: reader.text(&METHOD)?,
        headers: Vec::new(),
        content_type: reader.text(&CONTENT_TYPE)?,
        body: Bytes::from(row.maybe_bytes("body")?.unwrap_or_default()),
        traceparent: reader.text(&TRACEPARENT)?,
        flaw: flaw_of(row.int("id")?, row.maybe_int("body_bytes")?.unwrap_or(0), body_bytes_max),
    };
    let headers = reader.text(&HEADERS)?;
    match headers_of(headers.as_deref()) {
        Some(headers) => content.headers = headers,
        None => reader.note(
            HEADERS.name,
            &format!("is no JSON object of strings, or has more than {HEADERS_MAX} of them"),
        ),
    }
    Ok((content, reader.wrong()))
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

    #[test]
    fn headers_are_counted() {
        let block = |headers: usize| {
            let names: Vec<String> = (0..headers).map(|n| format!("\"x-{n}\":\"\"")).collect();
            format!("{{{}}}", names.join(","))
        };
        let count = |headers| headers_of(Some(&block(headers))).map(|headers| headers.len());
        assert_eq!(count(HEADERS_MAX), Some(HEADERS_MAX));
        assert_eq!(count(HEADERS_MAX + 1), None);
    }
}
