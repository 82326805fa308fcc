//! The headers of a call: ours, the row's, and which of the row's are left out.
//!
//! Ours always win. A row's header that would replace one of ours, or that belongs to the
//! connection (RFC 9110, section 7.6.1) and not to the message, is left out without a word:
//! writers often pass on all the headers of a call they have had themselves, and such a row should
//! still go out. A name that is no name at all is a mistake, and the row is rejected.

use std::borrow::Cow;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use posthouse_pump::attempt::Attempt;
use posthouse_pump::request::Content;

use super::escape::{Place, append, identity};
use super::limits::{HEADER_BYTES_MAX, ROW_HEADERS_MAX};
use super::signature::{self, Key};

/// Headers that neither rows nor templates may set.
const RESERVED: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// Families of headers that are ours.
const RESERVED_PREFIXES: [&str; 2] = ["posthouse-", "webhook-"];

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Whether a header, by its lower-case name, is ours or the connection's.
pub(crate) fn is_reserved(name: &str) -> bool {
    let is_ours = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    is_ours || RESERVED.contains(&name)
}

/// The headers of the row that may go out, and its content type.
///
/// # Errors
/// What is wrong with them, naming the column.
pub(crate) fn from_row(content: &Content) -> Result<HeaderMap, String> {
    check_size(content)?;
    let mut headers = HeaderMap::with_capacity(content.headers.len() + 16);
    for (name, text) in &content.headers {
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed =
            parsed.map_err(|_| format!("column headers: {name:?} is not the name of a header"))?;
        if !is_reserved(parsed.as_str()) {
            headers.append(parsed, value(text)?);
        }
    }
    if let Some(content_type) = &content.content_type {
        headers.insert(CONTENT_TYPE, value(content_type)?);
    }
    Ok(headers)
}

/// Whether there are no more headers than allowed.
///
/// # Errors
/// What is too much, naming the column.
pub(crate) fn check_size(content: &Content) -> Result<(), String> {
    if content.headers.len() > ROW_HEADERS_MAX {
        return Err(format!("column headers has more than {ROW_HEADERS_MAX} headers"));
    }
    let bytes: usize = content.headers.iter().map(|(name, text)| name.len() + text.len()).sum();
    if bytes > HEADER_BYTES_MAX {
        return Err(format!("column headers has more than {HEADER_BYTES_MAX} bytes"));
    }
    Ok(())
}

/// A value without control characters; most have none to begin with.
///
/// # Errors
/// Never, as far as is known; an error beats a malformed call.
pub(crate) fn value(text: &str) -> Result<HeaderValue, String> {
    if let Ok(value) = HeaderValue::from_str(text.trim()) {
        return Ok(value);
    }
    let mut clean = Vec::with_capacity(text.len());
    append(&mut clean, text.trim().as_bytes(), Place::Header)?;
    HeaderValue::from_bytes(&clean).map_err(|error| format!("a header's value: {error}"))
}

/// Sets one header, replacing the row's. What gives access is kept out of compression tables.
pub(crate) fn set(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Result<(), String> {
    let mut value = value(text)?;
    value.set_sensitive(name == AUTHORIZATION);
    headers.insert(name.clone(), value);
    Ok(())
}

/// What every call and message says of its attempt, besides the body: names and values.
pub(crate) fn of_attempt(attempt: &Attempt) -> Vec<(&'static str, Cow<'_, str>)> {
    let request = &attempt.request;
    let mut headers = vec![
        ("posthouse-request-id", Cow::Borrowed(&*request.request_id)),
        ("posthouse-code", Cow::Borrowed(&*request.code)),
        ("posthouse-sequence", Cow::Owned(request.id.0.to_string())),
        ("posthouse-fence", Cow::Owned(attempt.fence.0.to_string())),
        ("posthouse-attempt", Cow::Owned(attempt.try_no.to_string())),
        ("posthouse-not-after", Cow::Owned(attempt.not_after_ms.to_string())),
    ];
    let key = request.key.as_deref().map(|key| ("posthouse-key", key));
    let gap = attempt.after_gap.as_deref().map(|id| ("posthouse-after-gap", id));
    let content = request.content.as_deref();
    let trace = content.and_then(|content| content.traceparent.as_deref());
    let optional = [key, gap, trace.map(|trace| ("traceparent", trace))];
    headers.extend(optional.into_iter().flatten().map(|(name, text)| (name, Cow::Borrowed(text))));
    headers
}

/// Sets [`of_attempt`]; what is not visible ASCII is written as `%XX`, because many receivers read
/// headers as Latin-1.
pub(crate) fn set_attempt(headers: &mut HeaderMap, attempt: &Attempt) -> Result<(), String> {
    for (name, text) in of_attempt(attempt) {
        set(headers, &HeaderName::from_static(name), &identity(&text))?;
    }
    Ok(())
}

/// Sets the headers of Standard Webhooks. The id is written, and signed, as in [`set_attempt`].
pub(crate) fn set_webhook(
    headers: &mut HeaderMap,
    request_id: &str,
    wall_ms: i64,
    body: &[u8],
    keys: &[Key],
) -> Result<(), String> {
    let timestamp = wall_ms.div_euclid(1000).to_string();
    let sign = || signature::list(keys, &identity(request_id), &timestamp, body);
    let signatures = (!keys.is_empty()).then(sign);
    set_webhook_signed(headers, request_id, &timestamp, signatures.as_deref())
}

/// The same, where it was signed already.
pub(crate) fn set_webhook_signed(
    headers: &mut HeaderMap,
    request_id: &str,
    timestamp: &str,
    signatures: Option<&str>,
) -> Result<(), String> {
    if let Some(signatures) = signatures {
        set(headers, &WEBHOOK_SIGNATURE, signatures)?;
    }
    set(headers, &WEBHOOK_ID, &identity(request_id))?;
    set(headers, &WEBHOOK_TIMESTAMP, timestamp)
}
