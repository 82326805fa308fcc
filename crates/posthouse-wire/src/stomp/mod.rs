//! STOMP 1.0, 1.1 and 1.2 as bytes.
//!
//! [`Decoder`] finds frames in a byte slice without copying them; [`Inbox`] keeps the unfinished
//! frame between two reads; [`FrameWriter`] appends frames to a buffer. Server and client use the
//! same types. Source: the STOMP specifications at <https://stomp.github.io>, and the observed
//! behaviour of ActiveMQ Classic where they leave a choice.
//!
//! What the versions differ in, and the choices made here:
//!
//! | | 1.0 | 1.1 | 1.2 |
//! |---|---|---|---|
//! | escapes in headers | none | `\n` `\c` `\\` | `\n` `\c` `\\` `\r` |
//! | line end | LF or CRLF | LF; CR is data | LF or CRLF |
//! | white space around a value | dropped | kept | kept |
//!
//! * The frames that settle the version (CONNECT, STOMP, CONNECTED) are never escaped, and their
//!   lines may end in CRLF in every version, for their sender may mean 1.2.
//! * ActiveMQ drops white space around 1.0 values and the CR of 1.0 lines, and 1.0 clients depend
//!   on it; the 1.0 specification does not speak of either.
//! * A colon in a value is data in every version; the first colon of a line ends the name.
//! * Every violation is fatal: after one, the borders of the peer's frames are not known any more.

mod command;
mod decode;
mod encode;
mod error;
mod escape;
mod find;
mod frame;
mod heart_beat;
mod inbox;
mod limits;
mod scan;
pub mod session;
#[cfg(test)]
mod tests;
mod version;

pub use command::Command;
pub use decode::{Decoded, Decoder};
pub use encode::{EncodeError, FrameWriter};
pub use error::{DecodeError, DecodeErrorKind};
pub use escape::{Escaping, escape_into};
pub use frame::{FrameRef, Header, Headers};
pub use heart_beat::HeartBeat;
pub use inbox::{Inbox, Reading};
pub use limits::FrameLimits;
pub use version::Version;
