//! What can be wrong with a peer's frames.

use std::fmt;

/// Why a peer's bytes are not frames. Its text is one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A length is beyond what was agreed.
    TooLong {
        /// The length.
        bytes: usize,
        /// What was agreed.
        bytes_max: usize,
    },
    /// A length has no room for kind and number.
    TooShort {
        /// The length.
        bytes: usize,
    },
    /// A kind that nobody knows, and that may not be passed over.
    KindUnknown {
        /// The kind.
        kind: u8,
    },
    /// A field is longer than its frame.
    CutOff,
    /// There are more fields than allowed.
    TooManyFields,
    /// A field that may come once has come twice.
    Repeated {
        /// Its tag.
        tag: u8,
    },
    /// A field is not there.
    Missing {
        /// What it says.
        what: &'static str,
    },
    /// A field is not what it should be.
    Wrong {
        /// What it says.
        what: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TooLong { bytes, bytes_max } => write!(
                f,
                "a frame says that it has {bytes} bytes, and at most {bytes_max} are taken; check \
                 that the peer speaks the frame protocol on this port"
            ),
            Error::TooShort { bytes } => {
                write!(f, "a frame says that it has {bytes} bytes, and must have 9 at least")
            }
            Error::KindUnknown { kind } => write!(f, "there is no frame of kind {kind}"),
            Error::CutOff => f.write_str("a field is longer than its frame"),
            Error::TooManyFields => f.write_str("a frame has too many fields"),
            Error::Repeated { tag } => write!(f, "the field {tag} has come twice in one frame"),
            Error::Missing { what } => write!(f, "a frame lacks {what}"),
            Error::Wrong { what, problem } => write!(f, "{what} in a frame {problem}"),
        }
    }
}

impl std::error::Error for Error {}
