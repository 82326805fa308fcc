//! The metadata of a call: what a call by HTTP has as headers, within what gRPC lets stand there.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};
use posthouse_pump::attempt::Attempt;
use posthouse_wire::frame::Request as Call;
use tonic::Request;
use tonic::metadata::MetadataMap;

use crate::courier::escape::identity;
use crate::courier::headers;

/// Who calls.
const AGENT: HeaderValue = HeaderValue::from_static("posthouse");

/// What gRPC says of a call itself.
const RESERVED_PREFIX: &str = "grpc-";

/// Puts a message and its metadata together. The headers are the row's and the target's.
///
/// # Errors
/// As with a call by HTTP.
pub(super) fn request(
    message: Bytes,
    mut metadata: HeaderMap,
    attempt: &Attempt,
    call: &Call,
) -> Result<Request<Bytes>, String> {
    let reserved: Vec<_> =
        metadata.keys().filter(|name| is_reserved(name.as_str())).cloned().collect();
    for name in reserved {
        metadata.remove(name);
    }
    metadata.values_mut().for_each(make_plain);
    headers::set_attempt(&mut metadata, attempt)?;
    let timestamp = call.timestamp.to_string();
    let signature = call.signature.as_deref();
    headers::set_webhook_signed(&mut metadata, &call.id, &timestamp, signature)?;
    metadata.entry(USER_AGENT).or_insert(AGENT);
    let mut request = Request::new(message);
    *request.metadata_mut() = MetadataMap::from_headers(metadata);
    request.set_timeout(std::time::Duration::from_millis(call.timeout_ms));
    Ok(request)
}

/// Whether gRPC gives a header a meaning of its own. `te` is left out of calls anyway.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED_PREFIX)
}

/// Values are visible ASCII (gRPC over HTTP/2, "Requests"); the rest is written as `%XX`, as in an
/// identity.
fn make_plain(value: &mut HeaderValue) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if value.as_bytes().iter().all(is_plain) {
        return;
    }
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    // What was escaped is visible ASCII, and that may stand in any header.
    if let Ok(plain) = HeaderValue::from_str(&identity(&text)) {
        *value = plain;
    }
}
