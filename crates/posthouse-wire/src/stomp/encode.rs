//! From headers and bodies to bytes.
//!
//! Frames are appended to a buffer that may hold others. What cannot be written is refused, and
//! the buffer stays as it was: a header never becomes two, nor a frame.

use std::error::Error;
use std::fmt::{self, Write as _};

use super::command::Command;
use super::escape::{Escaping, Part, escape_part};
use super::version::Version;

/// Why a header or a body cannot be written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EncodeError {
    /// A header holds a byte that the version has no way to write (CVE-2026-59920 is what happens
    /// when it is written all the same).
    HeaderByte {
        /// The name of the header, escaped for display.
        name: Box<str>,
        /// The byte.
        byte: u8,
    },
    /// A header without a name.
    HeaderNameEmpty,
    /// `content-length` given as an ordinary header: it belongs to the body.
    HeaderReserved,
    /// A body for a command that must not have one.
    BodyNotAllowed(Command),
    /// A body that holds a NUL, to be written without its length.
    BodyNul,
}

impl EncodeError {
    /// The stable code under which the manual explains the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HeaderByte { .. } => "PH1031",
            Self::HeaderNameEmpty => "PH1032",
            Self::HeaderReserved => "PH1033",
            Self::BodyNotAllowed(_) => "PH1034",
            Self::BodyNul => "PH1035",
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderByte { name, byte } => write!(
                formatter,
                "header \"{name}\" holds the byte 0x{byte:02x}, which this version of STOMP cannot \
                 express here; leave the header out or use a later version"
            ),
            Self::HeaderNameEmpty => {
                formatter.write_str("a header has no name; give it one or leave it out")
            }
            Self::HeaderReserved => formatter
                .write_str("content-length is written with the body; do not set it as a header"),
            Self::BodyNotAllowed(command) => {
                write!(formatter, "a {} frame has no body; leave it out", command.as_str())
            }
            Self::BodyNul => {
                formatter.write_str("the body holds a NUL; write it with its content-length")
            }
        }
    }
}

impl Error for EncodeError {}

/// Appends one frame, or the tail of one, to a buffer.
///
/// A writer that is dropped before it is finished takes back what it has written, so that an error
/// on the way leaves no half frame. Nor does a refused header leave anything: the caller may go on
/// without it.
///
/// Without escapes (STOMP 1.0 and the handshake) values that hold a line feed, a carriage return
/// or a NUL, and names that hold a colon too, are refused. White space around a value is
/// written as it is, though a 1.0 peer is likely to drop it.
#[derive(Debug)]
pub struct FrameWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    command: Command,
    escaping: Escaping,
}

impl<'o> FrameWriter<'o> {
    /// Begins a frame at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>, version: Version, command: Command) -> Self {
        let start = out.len();
        out.extend_from_slice(command.as_str().as_bytes());
        out.push(b'\n');
        Self { out, start, command, escaping: Escaping::of(version, command) }
    }

    /// Begins the shared tail of MESSAGE frames: headers, body and NUL without the command, to be
    /// kept and given to [`FrameWriter::finish_with`] for each subscription.
    pub fn message_tail(out: &'o mut Vec<u8>, version: Version) -> Self {
        let start = out.len();
        let escaping = Escaping::of(version, Command::Message);
        Self { out, start, command: Command::Message, escaping }
    }

    /// Appends a header.
    ///
    /// # Errors
    /// [`EncodeError::HeaderByte`], [`EncodeError::HeaderNameEmpty`] and
    /// [`EncodeError::HeaderReserved`]; then the header is left out.
    pub fn header(&mut self, name: &str, value: &str) -> Result<&mut Self, EncodeError> {
        let line_start = self.begin_header(name)?;
        match escape_part(self.out, value, self.escaping, Part::Value) {
            Ok(()) => Ok(self.end_header()),
            Err(byte) => Err(self.refuse(line_start, name, byte)),
        }
    }

    /// Appends a header with a decimal number for its value.
    ///
    /// # Errors
    /// As [`FrameWriter::header`].
    pub fn header_number(&mut self, name: &str, value: u64) -> Result<&mut Self, EncodeError> {
        self.begin_header(name)?;
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        Ok(self.end_header())
    }

    /// Appends a header with anything that can be displayed for its value, without a string in
    /// between.
    ///
    /// # Errors
    /// As [`FrameWriter::header`].
    pub fn header_display(
        &mut self,
        name: &str,
        value: impl fmt::Display,
    ) -> Result<&mut Self, EncodeError> {
        let line_start = self.begin_header(name)?;
        let mut sink = EscapingSink { out: self.out, escaping: self.escaping, refused: None };
        let result = write!(sink, "{value}");
        match (result, sink.refused) {
            (Ok(()), None) => Ok(self.end_header()),
            // A value that fails to display itself is taken for one that holds a NUL.
            (_, byte) => Err(self.refuse(line_start, name, byte.unwrap_or_default())),
        }
    }

    /// Ends the frame with a body and its `content-length`.
    ///
    /// # Errors
    /// [`EncodeError::BodyNotAllowed`] when the body is not empty and the command has none.
    pub fn body(mut self, body: &[u8]) -> Result<(), EncodeError> {
        self.check_body(body)?;
        let length = body.len();
        self.out.extend_from_slice(b"content-length:");
        self.out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
        self.end_header();
        self.end(body);
        Ok(())
    }

    /// Ends the frame with a body that lasts until its NUL, as ActiveMQ's clients send text.
    ///
    /// # Errors
    /// [`EncodeError::BodyNul`], and those of [`FrameWriter::body`].
    pub fn body_without_length(mut self, body: &[u8]) -> Result<(), EncodeError> {
        self.check_body(body)?;
        if memchr::memchr(0, body).is_some() {
            return Err(EncodeError::BodyNul);
        }
        self.end(body);
        Ok(())
    }

    /// Ends the frame without a body.
    pub fn finish(mut self) {
        self.end(b"");
    }

    /// Ends the frame with what [`FrameWriter::message_tail`] has written for the same version.
    pub fn finish_with(mut self, tail: &[u8]) {
        self.out.extend_from_slice(tail);
        self.start = self.out.len();
    }

    /// Answers with where the header line starts.
    fn begin_header(&mut self, name: &str) -> Result<usize, EncodeError> {
        if name.is_empty() {
            return Err(EncodeError::HeaderNameEmpty);
        }
        if name == "content-length" {
            return Err(EncodeError::HeaderReserved);
        }
        let line_start = self.out.len();
        if let Err(byte) = escape_part(self.out, name, self.escaping, Part::Name) {
            return Err(self.refuse(line_start, name, byte));
        }
        self.out.push(b':');
        Ok(line_start)
    }

    fn end_header(&mut self) -> &mut Self {
        self.out.push(b'\n');
        self
    }

    #[cold]
    fn refuse(&mut self, line_start: usize, name: &str, byte: u8) -> EncodeError {
        self.out.truncate(line_start);
        EncodeError::HeaderByte { name: name.escape_debug().to_string().into(), byte }
    }

    fn check_body(&self, body: &[u8]) -> Result<(), EncodeError> {
        if body.is_empty() || self.command.allows_body() {
            Ok(())
        } else {
            Err(EncodeError::BodyNotAllowed(self.command))
        }
    }

    fn end(&mut self, body: &[u8]) {
        self.out.push(b'\n');
        self.out.extend_from_slice(body);
        self.out.push(0);
        self.start = self.out.len();
    }
}

/// Takes back everything since the last frame that was ended.
impl Drop for FrameWriter<'_> {
    fn drop(&mut self) {
        self.out.truncate(self.start);
    }
}

/// Escapes what is displayed into it, piece by piece.
struct EscapingSink<'o> {
    out: &'o mut Vec<u8>,
    escaping: Escaping,
    refused: Option<u8>,
}

impl fmt::Write for EscapingSink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape_part(self.out, text, self.escaping, Part::Value).map_err(|byte| {
            self.refused = Some(byte);
            fmt::Error
        })
    }
}
