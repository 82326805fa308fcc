//! What can go wrong, said so that a person can act on it and a program can decide.
//!
//! The kinds say what is known about the outcome: most mean that nothing happened, while
//! [`Error::ConnectionLost`] and [`Error::CommitUnknown`] mean that nobody can tell.

use std::fmt;
use std::sync::Arc;

use posthouse_wire::stomp::EncodeError;

/// What a server said when it refused something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The stable code, such as `PH1204`; `None` from servers that have no such codes.
    pub code: Option<Box<str>>,
    /// The `message` header of the ERROR frame.
    pub message: Box<str>,
    /// The body of the ERROR frame, cut to a few lines; often advice.
    pub detail: Box<str>,
}

/// Codes that stand for a state that passes: full, busy, in use, stopping, silent.
const PASSING_CODES: [&str; 8] =
    ["PH1106", "PH1204", "PH1205", "PH1209", "PH1215", "PH1219", "PH1324", "PH1328"];

impl Refusal {
    /// Whether the same request may be granted later.
    pub fn is_retryable(&self) -> bool {
        self.code.as_deref().is_some_and(|code| PASSING_CODES.contains(&code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        match self.detail.trim() {
            "" => Ok(()),
            detail => write!(formatter, "\n{detail}"),
        }
    }
}

/// Why something that the client was asked for did not happen, or may not have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address of the server cannot be read.
    Address {
        /// The address, or the part of it that is meant.
        text: Box<str>,
        /// What is wrong with it, and what to write.
        problem: Box<str>,
    },
    /// What was asked for cannot be put into a frame, or is over a limit. Nothing was sent.
    Invalid {
        /// What is wrong, and what to do.
        problem: Box<str>,
    },
    /// A server could not be reached.
    Unreachable {
        /// Which one.
        server: Box<str>,
        /// What the system said.
        reason: Box<str>,
    },
    /// The server refused the login.
    LoginRefused(Refusal),
    /// The server refused this request. Nothing happened.
    Refused(Refusal),
    /// The connection broke before the answer came; what was asked for may have happened.
    ConnectionLost {
        /// How it broke.
        reason: Box<str>,
    },
    /// The server has taken the delivery back, because its connection or its subscription has
    /// ended. The message comes again.
    Stale,
    /// The connection broke while the transaction was open. Nothing of it happened: begin again.
    TransactionLost,
    /// The connection broke while the transaction was being committed: either all of it happened
    /// or nothing did.
    CommitUnknown,
    /// No server could be reached, as often as was allowed.
    GaveUp {
        /// How often the whole list was tried.
        rounds: u32,
        /// What happened the last time.
        last: Arc<Error>,
    },
    /// The server did something that STOMP does not allow.
    Protocol {
        /// What it did.
        problem: Box<str>,
    },
    /// The client was closed while messages were not confirmed; they may have arrived.
    Unconfirmed,
    /// The client is closed.
    Closed,
}

impl Error {
    /// The server's stable code, such as `PH1204`, if it sent one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) | Self::LoginRefused(refusal) => refusal.code.as_deref(),
            Self::GaveUp { last, .. } => last.code(),
            _ => None,
        }
    }

    /// Whether the same request may succeed when it is made again. After
    /// [`Error::ConnectionLost`] it may also happen twice.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) | Self::LoginRefused(refusal) => refusal.is_retryable(),
            Self::Unreachable { .. } | Self::ConnectionLost { .. } => true,
            Self::TransactionLost => true,
            _ => false,
        }
    }

    pub(crate) fn invalid(problem: impl Into<Box<str>>) -> Self {
        Self::Invalid { problem: problem.into() }
    }

    pub(crate) fn protocol(problem: impl Into<Box<str>>) -> Self {
        Self::Protocol { problem: problem.into() }
    }

    pub(crate) fn connection_lost(reason: impl fmt::Display) -> Self {
        Self::ConnectionLost { reason: reason.to_string().into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { text, problem } => write!(formatter, "address \"{text}\": {problem}"),
            Self::Invalid { problem } => formatter.write_str(problem),
            Self::Unreachable { server, reason } => {
                write!(formatter, "{server} cannot be reached: {reason}")
            }
            Self::LoginRefused(refusal) => write!(formatter, "login refused: {refusal}"),
            Self::Refused(refusal) => write!(formatter, "refused: {refusal}"),
            Self::ConnectionLost { reason } => {
                write!(formatter, "the connection was lost before the answer came: {reason}")
            }
            Self::GaveUp { rounds, last } => {
                write!(formatter, "gave up after trying all servers {rounds} times: {last}")
            }
            Self::Protocol { problem } => {
                write!(formatter, "the server does not keep to STOMP: {problem}")
            }
            Self::Stale
            | Self::TransactionLost
            | Self::CommitUnknown
            | Self::Unconfirmed
            | Self::Closed => formatter.write_str(self.sentence()),
        }
    }
}

impl Error {
    /// The text of the kinds that hold nothing.
    fn sentence(&self) -> &'static str {
        match self {
            Self::Stale => {
                "the server has taken the delivery back with its connection or subscription; the \
                 message comes again"
            }
            Self::TransactionLost => {
                "the connection broke and with it the transaction; nothing of it happened, begin \
                 again"
            }
            Self::CommitUnknown => {
                "the connection broke during the commit; look whether it happened before doing it \
                 again"
            }
            Self::Unconfirmed => {
                "the client was closed before the server had confirmed all messages; they may have \
                 arrived"
            }
            _ => "the client is closed; connect again",
        }
    }
}

impl std::error::Error for Error {}

/// What cannot be written was given by the program.
impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: Option<&str>) -> Refusal {
        Refusal { code: code.map(Into::into), message: "PH1204 full".into(), detail: "".into() }
    }

    #[test]
    fn errors_say_whether_to_try_again() {
        let lost = Error::ConnectionLost { reason: "reset".into() };
        let gave_up = Error::GaveUp { rounds: 3, last: Arc::new(lost.clone()) };
        let cases = [
            (Error::Refused(refusal(Some("PH1204"))), true, Some("PH1204")),
            (Error::Refused(refusal(Some("PH1201"))), false, Some("PH1201")),
            (Error::LoginRefused(refusal(None)), false, None),
            (lost, true, None),
            (gave_up, false, None),
            (Error::TransactionLost, true, None),
            (Error::CommitUnknown, false, None),
            (Error::Stale, false, None),
        ];
        for (error, is_retryable, code) in cases {
            assert_eq!(error.is_retryable(), is_retryable, "{error}");
            assert_eq!(error.code(), code, "{error}");
        }
    }
}
