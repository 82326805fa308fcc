//! A request as it stands in its source.

use std::sync::Arc;

use bytes::Bytes;

/// The number that a source gives a request when it is written; grows, with gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub i64);

impl RequestId {
    /// Where reading begins. Writers may give numbers below 1, too, and even this one.
    pub const LOWEST: RequestId = RequestId(i64::MIN);

    /// The first one of a span that lies after this one; the lowest begins its span itself.
    pub fn first_after(self) -> RequestId {
        match self {
            RequestId::LOWEST => RequestId::LOWEST,
            RequestId(id) => RequestId(id.saturating_add(1)),
        }
    }
}

/// A hash value of a business id, below [`SLOTS`]. Fixed for ever, so that buckets may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// How many slots there are.
pub const SLOTS: u16 = 1024;

/// What a source may say of a request that is still open. Those that are finished are never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Waits for its turn, its time, or its next try.
    Ready,
    /// Marked as being tried by a relay. Where it is not in hand, that was a former owner of its
    /// bucket, or the answer to marking it was lost.
    Sending,
    /// Given up for the time being; holds its key until an operator decides.
    Blocked,
}

/// One open request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its number at the source.
    pub id: RequestId,
    /// The name under which receivers know it: the same on every try.
    pub request_id: Arc<str>,
    /// Ready or blocked.
    pub standing: Standing,
    /// Its request code.
    pub code: Arc<str>,
    /// The group that the row names, if it names one. It must be its code's group.
    pub group: Option<Arc<str>>,
    /// The region that it belongs to.
    pub region: Arc<str>,
    /// Its business id: requests with the same one go out strictly in order. `None`: no order.
    pub key: Option<Arc<str>>,
    /// Where it belongs. Of a request without a key: drawn at random by its writer.
    pub slot: Slot,
    /// Higher goes first, among those that may go at the same time; 0 to 9, 4 is usual.
    pub priority: u8,
    /// The name of its own processing window, if it has one beside its code's and its group's.
    pub window: Option<Arc<str>>,
    /// Not before this instant, Unix milliseconds of the source.
    pub due_ms: i64,
    /// Not from this instant on, Unix milliseconds of the source.
    pub expires_ms: Option<i64>,
    /// How many tries have been recorded.
    pub attempts: u32,
    /// When it was written, Unix milliseconds of the source.
    pub created_ms: i64,
    /// What the courier needs. Absent if the code was not among those that the read asked for:
    /// such a request is known of and keeps its place in the order, but is not sent.
    pub content: Option<Arc<Content>>,
    /// What of it the source cannot read, if anything. Such a request has no content: it is known
    /// of, keeps its place in the order as far as its key can be read, and is not sent.
    pub unreadable: Option<Arc<Unreadable>>,
}

/// A column of a request that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The column.
    pub column: &'static str,
    /// What is wrong with it, for people.
    pub detail: String,
    /// Whether only the content is concerned, so that all else may be believed. Of other columns
    /// the source gives what it can, and the request is not even written down as expired.
    pub is_content: bool,
}

/// The part of a request that only couriers look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The courier that the row asks for, if it says.
    pub protocol: Option<String>,
    /// The service that it is for.
    pub service: Option<String>,
    /// The method of that service.
    pub method: Option<String>,
    /// Headers for the receiver, by name.
    pub headers: Vec<(String, String)>,
    /// The type of the body, as in HTTP.
    pub content_type: Option<String>,
    /// The body.
    pub body: Bytes,
    /// The W3C trace context that the writer left, if any.
    pub traceparent: Option<String>,
    /// Why it can never be sent as it stands, for people: its body is too long, say, and was left
    /// where it is. Such a request is rejected without a try when its turn comes.
    pub flaw: Option<String>,
}

impl Request {
    /// Whether what it says of itself is not to be believed.
    pub fn is_garbled(&self) -> bool {
        self.unreadable.as_ref().is_some_and(|unreadable| !unreadable.is_content)
    }

    /// How much memory it takes, roughly, in bytes.
    pub fn footprint_bytes(&self) -> usize {
        const FIXED_BYTES: usize = 320;
        let content = self.content.as_ref().map_or(0, |content| {
            let headers: usize = content.headers.iter().map(|(k, v)| k.len() + v.len() + 48).sum();
            content.body.len() + headers + 160
        });
        FIXED_BYTES + self.request_id.len() + self.key.as_ref().map_or(0, |key| key.len()) + content
    }
}
