//! How a run of the program ends, for scripts that look at its exit status.

use std::process::ExitCode;

/// The exit statuses. Scripts rely on their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It was done.
    Ok = 0,
    /// It failed in a way that no other status names.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Done in part.
    Partial = 3,
    /// What it was about does not exist.
    NotFound = 4,
    /// The login does not allow it.
    NotAllowed = 5,
    /// Something that exists stands in the way.
    Conflict = 6,
    /// The node cannot be reached.
    Unreachable = 7,
    /// The configuration has mistakes.
    Configuration = 8,
    /// What is stored is damaged.
    StoreDamaged = 9,
    /// The store failed.
    StoreFailed = 10,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
