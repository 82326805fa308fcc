//! Why a call has no answer, and what the receiver may have seen of it.

use std::fmt;

/// Why a call has no answer. Its text is one sentence for people, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There was no connection. Nothing was sent.
    Net(posthouse_net::Error),
    /// The peer did not greet as it should. Nothing was sent.
    Greeting {
        /// What was wrong.
        reason: String,
    },
    /// As many requests as the peer takes were under way until it was too late.
    Busy,
    /// It could not be written before it was too late to begin.
    Late,
    /// It can never be written as it is.
    Unfit {
        /// Why.
        reason: String,
    },
    /// The connection ended before it was written, or the peer says that it has not taken it. It
    /// may go on another connection at once.
    NotTaken,
    /// The connection ended after it was written, at least in part, and before the answer came.
    Unknown {
        /// How it ended.
        reason: String,
    },
    /// The answer did not come in time.
    Timeout,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Net(error) => error.fmt(f),
            Lost::Greeting { reason } => write!(f, "the receiver did not greet: {reason}"),
            Lost::Busy => f.write_str("the receiver takes no more requests at a time"),
            Lost::Late => f.write_str("the request could not be written in time"),
            Lost::Unfit { reason } => f.write_str(reason),
            Lost::NotTaken => f.write_str("the receiver ends its connections without taking it"),
            Lost::Unknown { reason } => write!(
                f,
                "the connection ended before the answer came, and nobody knows whether the request \
                 was handled: {reason}"
            ),
            Lost::Timeout => {
                f.write_str("no answer in time, and nobody knows whether the request was handled")
            }
        }
    }
}

impl From<posthouse_net::Error> for Lost {
    fn from(error: posthouse_net::Error) -> Lost {
        Lost::Net(error)
    }
}
