//! The frame protocol, by which relays hand requests to receivers: `docs/protocols/frame.md`.
//!
//! [`Decoder`] finds frames in a buffer, [`encode`] appends one to a buffer. Relay and receivers
//! use the same types. Every violation is fatal: after one, the borders of the peer's frames are
//! not known any more.

mod answer;
mod decode;
mod encode;
mod error;
mod field;
mod hello;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Outcome};
pub use decode::Decoder;
pub use encode::{encode, encoded_bytes};
pub use error::Error;
pub use hello::{Hello, VERSION};
pub use request::Request;

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Who speaks, and how much it takes.
    Hello(Hello),
    /// A request for the receiver.
    Request {
        /// Its number on this connection, from 1.
        number: u64,
        /// The request. In a box, because it is the largest by far.
        request: Box<Request>,
    },
    /// What has become of a request.
    Answer {
        /// The number of the request.
        number: u64,
        /// What has become of it.
        answer: Answer,
    },
    /// The relay no longer waits for a request.
    Cancel {
        /// The number of the request.
        number: u64,
    },
    /// A sign of life.
    Beat,
    /// The receiver takes no more requests.
    Leaving {
        /// The highest number that it has taken; 0 if none.
        last: u64,
    },
    /// The connection ends because of a mistake.
    Fault {
        /// What is wrong, for people.
        detail: String,
    },
}

/// The kinds of frames, as numbers.
mod kind {
    pub(super) const HELLO: u8 = 1;
    pub(super) const REQUEST: u8 = 2;
    pub(super) const ANSWER: u8 = 3;
    pub(super) const CANCEL: u8 = 4;
    pub(super) const BEAT: u8 = 5;
    pub(super) const LEAVING: u8 = 6;
    pub(super) const FAULT: u8 = 7;
    /// From here on frames that are not known are passed over.
    pub(super) const OPTIONAL_FIRST: u8 = 128;
}

/// Bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// Bytes of kind and number, which every frame has behind its length.
const HEAD_BYTES: usize = 9;
