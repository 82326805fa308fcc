//! The port behind which a protocol stands.

use bytes::BytesMut;
use posthouse_net::Scheme;

pub use posthouse_wire::frame::{Answer as Reply, Outcome as ReplyOutcome, Request as Call};

/// A protocol whose requests and answers bear numbers, so that many are under way at a time.
pub trait Protocol: Send + Sync + 'static {
    /// One connection of it.
    type Session: Session;

    /// How its addresses begin.
    fn scheme(&self) -> Scheme;

    /// The session of a fresh connection.
    fn begin(&self) -> Self::Session;
}

/// One connection, without the socket. It keeps what the protocol needs to remember and is told of
/// everything in turn. It MUST take out of the input what it has understood, MUST NOT wait, and
/// SHOULD bound what it keeps.
pub trait Session: Send + 'static {
    /// Appends what is written first. Requests are written once [`Event::Ready`] has come.
    fn open(&mut self, out: &mut BytesMut);

    /// The next event in `input`; `None` if more bytes are needed. It is asked once before anything
    /// has come, so that a protocol without a greeting is ready at once.
    ///
    /// # Errors
    /// What the peer has done wrong, or says is wrong, for people. It ends the connection.
    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, String>;

    /// Appends a request. Numbers grow from 1 on; not all of them need come.
    ///
    /// # Errors
    /// Why this request can never be sent, for people. Nothing MUST have been appended then.
    fn request(&mut self, number: u64, call: Box<Call>, out: &mut BytesMut) -> Result<(), String>;

    /// Appends that nobody waits for a request any more, if the protocol can say so.
    fn cancel(&mut self, number: u64, out: &mut BytesMut) {
        _ = (number, out);
    }

    /// Appends a sign of life, if the protocol has one.
    fn beat(&mut self, out: &mut BytesMut) {
        _ = out;
    }
}

/// What a peer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Requests may be written.
    Ready(Terms),
    /// What has become of a request. One that nobody waits for any more is ignored.
    Answer {
        /// Its number.
        number: u64,
        /// What has become of it.
        reply: Reply,
    },
    /// The peer takes no more, and has not looked at requests above `last`. It answers the others.
    Leaving {
        /// The highest number that it has taken.
        last: u64,
    },
    /// Nothing but a sign of life.
    Alive,
}

/// How a connection is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Requests at a time, 1 at least.
    pub requests_max: usize,
    /// A sign of life is written when nothing else was for so long, in milliseconds; `None`: never.
    pub beat_ms: Option<u64>,
    /// A peer that is silent for so long is gone, in milliseconds; `None`: it may be silent.
    pub silence_ms_max: Option<u64>,
}
