//! A message that has come in.

use std::str::Utf8Error;

use bytes::Bytes;
use posthouse_wire::stomp::FrameRef;

/// A message as the server sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Received {
    headers: Vec<(Box<str>, Box<str>)>,
    body: Bytes,
}

impl Received {
    pub(crate) fn new(frame: &FrameRef<'_>) -> Self {
        let headers = frame.headers().map(|header| (header.name().into(), header.value().into()));
        Self { headers: headers.collect(), body: Bytes::copy_from_slice(frame.body()) }
    }

    /// Where the message was sent to, such as `/queue/orders`.
    pub fn destination(&self) -> &str {
        self.header("destination").unwrap_or_default()
    }

    /// The name that the server gave the message, or that its sender did.
    pub fn message_id(&self) -> &str {
        self.header("message-id").unwrap_or_default()
    }

    /// The value of the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// All headers, in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether the message may have been delivered before.
    pub fn is_redelivered(&self) -> bool {
        self.header("redelivered") == Some("true")
    }

    /// The body; cloning it copies nothing.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> Result<&str, Utf8Error> {
        str::from_utf8(&self.body)
    }
}
