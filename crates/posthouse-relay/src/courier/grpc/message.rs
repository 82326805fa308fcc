//! The messages of `proto/posthouse/relay/v1/relay.proto`, and those of Google's error model that
//! say when to come again.

use bytes::Bytes;
use posthouse_wire::frame::{Answer, Outcome, Request as Call};
use prost::Message;

/// A request for the receiver.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    code: String,
    #[prost(string, optional, tag = "3")]
    service: Option<String>,
    #[prost(string, optional, tag = "4")]
    method: Option<String>,
    #[prost(string, optional, tag = "5")]
    key: Option<String>,
    #[prost(string, optional, tag = "6")]
    region: Option<String>,
    #[prost(uint64, tag = "7")]
    attempt: u64,
    #[prost(int64, tag = "8")]
    not_after_ms: i64,
    #[prost(uint64, tag = "9")]
    fence: u64,
    #[prost(int64, tag = "10")]
    sequence: i64,
    #[prost(string, optional, tag = "11")]
    after_gap: Option<String>,
    #[prost(string, optional, tag = "12")]
    traceparent: Option<String>,
    #[prost(string, optional, tag = "13")]
    content_type: Option<String>,
    #[prost(message, repeated, tag = "14")]
    headers: Vec<Header>,
    #[prost(uint64, tag = "15")]
    timeout_ms: u64,
    #[prost(uint64, tag = "16")]
    timestamp: u64,
    #[prost(string, optional, tag = "17")]
    signature: Option<String>,
    #[prost(bytes = "bytes", tag = "18")]
    body: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// What has become of a request.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Reply {
    #[prost(int32, tag = "1")]
    outcome: i32,
    #[prost(int32, optional, tag = "2")]
    status: Option<i32>,
    #[prost(uint64, optional, tag = "3")]
    retry_after_ms: Option<u64>,
    #[prost(string, optional, tag = "4")]
    detail: Option<String>,
}

impl From<Call> for Request {
    fn from(call: Call) -> Request {
        let header = |(name, value)| Header { name, value };
        Request {
            id: call.id,
            code: call.code,
            service: call.service,
            method: call.method,
            key: call.key,
            region: call.region,
            attempt: call.attempt,
            not_after_ms: call.not_after_ms,
            fence: call.fence,
            sequence: call.sequence,
            after_gap: call.after_gap,
            traceparent: call.traceparent,
            content_type: call.content_type,
            headers: call.headers.into_iter().map(header).collect(),
            timeout_ms: call.timeout_ms,
            timestamp: call.timestamp,
            signature: call.signature,
            body: call.body,
        }
    }
}

impl Reply {
    /// Reads what a receiver says.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(super) fn read(bytes: Bytes) -> Result<Answer, String> {
        let reply = Reply::decode(bytes).map_err(|error| error.to_string())?;
        let outcome = match reply.outcome {
            0 | 1 => Outcome::Done,
            2 => Outcome::Failed,
            3 => Outcome::Rejected,
            4 => Outcome::Postponed,
            other => return Err(format!("there is no outcome {other}")),
        };
        let Reply { status, retry_after_ms, detail, .. } = reply;
        Ok(Answer { outcome, status, retry_after_ms, detail })
    }
}

/// `google.rpc.Status`, as far as it is of use here.
#[derive(Clone, PartialEq, Message)]
struct RichStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Duration>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Duration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// How long a status asks to be left alone, in milliseconds, if it has a `RetryInfo`.
pub(super) fn retry_delay_ms(details: &[u8]) -> Option<u64> {
    let status = RichStatus::decode(details).ok()?;
    let is_retry_info = |any: &&Any| any.type_url.ends_with("/google.rpc.RetryInfo");
    let any = status.details.iter().find(is_retry_info)?;
    let delay = RetryInfo::decode(any.value.clone()).ok()?.retry_delay?;
    let (seconds, nanos) = (u64::try_from(delay.seconds).ok()?, u64::try_from(delay.nanos).ok()?);
    Some(seconds.saturating_mul(1_000).saturating_add(nanos.div_ceil(1_000_000)))
}
