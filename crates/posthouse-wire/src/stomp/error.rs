//! What can be wrong with a peer's bytes, said for a person and as a stable code.

use std::error::Error;
use std::fmt;

use posthouse_core::limits::ERROR_QUOTE_BYTES_MAX;

/// The ways in which a peer can break the protocol; each is fatal for its connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DecodeErrorKind {
    /// The first line of a frame is no command of any version.
    CommandUnknown,
    /// The first line of a frame is longer than any command.
    CommandTooLong,
    /// A header line has no colon.
    HeaderWithoutColon,
    /// A header line starts with its colon.
    HeaderNameEmpty,
    /// A header name is over its limit.
    HeaderNameTooLong,
    /// A header value is over its limit.
    HeaderValueTooLong,
    /// There are too many header lines.
    HeaderCountTooHigh,
    /// Command and headers together are over their limit.
    HeaderBlockTooLong,
    /// A NUL stands before the blank line that ends the headers.
    HeaderNul,
    /// The headers are not UTF-8.
    HeaderNotUtf8,
    /// A backslash is followed by something that the version does not define.
    EscapeUndefined,
    /// `content-length` is no number of bytes.
    ContentLengthInvalid,
    /// Two `content-length` headers disagree.
    ContentLengthConflict,
    /// The frame is, or says that it will be, over its limit.
    FrameTooLong,
    /// There is a body on a frame that must not have one.
    BodyNotAllowed,
    /// The body does not end where `content-length` says.
    BodyNotTerminated,
    /// The `heart-beat` header is not two numbers.
    HeartBeatInvalid,
    /// No version offered is spoken here.
    VersionUnknown,
}

impl DecodeErrorKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 18] = [
        Self::CommandUnknown,
        Self::CommandTooLong,
        Self::HeaderWithoutColon,
        Self::HeaderNameEmpty,
        Self::HeaderNameTooLong,
        Self::HeaderValueTooLong,
        Self::HeaderCountTooHigh,
        Self::HeaderBlockTooLong,
        Self::HeaderNul,
        Self::HeaderNotUtf8,
        Self::EscapeUndefined,
        Self::ContentLengthInvalid,
        Self::ContentLengthConflict,
        Self::FrameTooLong,
        Self::BodyNotAllowed,
        Self::BodyNotTerminated,
        Self::HeartBeatInvalid,
        Self::VersionUnknown,
    ];

    /// The stable code under which the manual explains the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CommandUnknown => "PH1001",
            Self::CommandTooLong => "PH1002",
            Self::HeaderWithoutColon => "PH1003",
            Self::HeaderNameEmpty => "PH1004",
            Self::HeaderNameTooLong => "PH1005",
            Self::HeaderValueTooLong => "PH1006",
            Self::HeaderCountTooHigh => "PH1007",
            Self::HeaderBlockTooLong => "PH1008",
            Self::HeaderNul => "PH1009",
            Self::HeaderNotUtf8 => "PH1010",
            Self::EscapeUndefined => "PH1011",
            Self::ContentLengthInvalid => "PH1012",
            Self::ContentLengthConflict => "PH1013",
            Self::FrameTooLong => "PH1014",
            Self::BodyNotAllowed => "PH1015",
            Self::BodyNotTerminated => "PH1016",
            Self::HeartBeatInvalid => "PH1017",
            Self::VersionUnknown => "PH1018",
        }
    }

    /// What happened.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::CommandUnknown => "unknown command",
            Self::CommandTooLong => "command line too long",
            Self::HeaderWithoutColon => "header line without a colon",
            Self::HeaderNameEmpty => "header line without a name",
            Self::HeaderNameTooLong => "header name too long",
            Self::HeaderValueTooLong => "header value too long",
            Self::HeaderCountTooHigh => "too many headers",
            Self::HeaderBlockTooLong => "headers too long",
            Self::HeaderNul => "NUL before the blank line that ends the headers",
            Self::HeaderNotUtf8 => "headers are not UTF-8",
            Self::EscapeUndefined => "undefined escape in a header",
            Self::ContentLengthInvalid => "content-length is not a number of bytes",
            Self::ContentLengthConflict => "two content-length headers disagree",
            Self::FrameTooLong => "frame too long",
            Self::BodyNotAllowed => "body on a frame that must not have one",
            Self::BodyNotTerminated => "no NUL after content-length bytes of body",
            Self::HeartBeatInvalid => "heart-beat is not two numbers",
            Self::VersionUnknown => "no version in common",
        }
    }

    /// What to do about it.
    const fn advice(self) -> &'static str {
        match self {
            Self::CommandUnknown => "check that the peer speaks STOMP without TLS on this port",
            Self::CommandTooLong => "check that the peer speaks STOMP without TLS on this port",
            Self::HeaderWithoutColon => "write headers as name:value, and a blank line after them",
            Self::HeaderNameEmpty => "write headers as name:value",
            Self::HeaderNameTooLong => "shorten it or move it into the body",
            Self::HeaderValueTooLong => "shorten it or move it into the body",
            Self::HeaderCountTooHigh => "send fewer or move them into the body",
            Self::HeaderBlockTooLong => "send less or move it into the body",
            Self::HeaderNul => "end the headers with a blank line",
            Self::HeaderNotUtf8 => "encode headers in UTF-8",
            Self::EscapeUndefined => "write a backslash as two",
            Self::ContentLengthInvalid => "write the count of the body's bytes in decimal digits",
            Self::ContentLengthConflict => "send content-length once",
            Self::FrameTooLong => "send less, or log in first",
            Self::BodyNotAllowed => "leave the body out",
            Self::BodyNotTerminated => "count the bytes, not the characters, of the body",
            Self::HeartBeatInvalid => "write two counts of milliseconds such as 10000,10000",
            Self::VersionUnknown => "offer 1.0, 1.1 or 1.2 in accept-version",
        }
    }
}

/// Why a peer's bytes were refused.
///
/// `Display` gives what happened, the bytes in question, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The particulars: the peer's bytes, escaped and cut, or the limit that was passed.
    pub detail: Box<str>,
}

impl DecodeError {
    /// An error about `bytes`, which are shown escaped, in quotes, and cut to
    /// [`ERROR_QUOTE_BYTES_MAX`] so that a log line stays one short line.
    #[cold]
    pub(super) fn quoting(kind: DecodeErrorKind, bytes: &[u8]) -> Self {
        let detail = match bytes.split_at_checked(ERROR_QUOTE_BYTES_MAX) {
            Some((head, [_, ..])) => format!("\"{}\"...", head.escape_ascii()),
            _ => format!("\"{}\"", bytes.escape_ascii()),
        };
        Self { kind, detail: detail.into() }
    }

    /// An error about a limit that was passed.
    #[cold]
    pub(super) fn over(kind: DecodeErrorKind, limit: usize, unit: &str) -> Self {
        Self { kind, detail: format!("more than {limit} {unit}").into() }
    }

    /// The stable code, such as `PH1003`.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}; {}", self.kind.event(), self.detail, self.kind.advice())
    }
}

impl Error for DecodeError {}
