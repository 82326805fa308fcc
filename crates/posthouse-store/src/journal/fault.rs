//! What is wrong with a store, for a person: each is one sentence that names the file and the
//! place in it.

use std::fmt;
use std::io;

use crate::journal::layout::{BLOCK_BYTES, FORMAT};

/// Why a store cannot be opened or read.
#[derive(Debug)]
pub enum Fault {
    /// What is there is not what was written.
    Damaged {
        /// Name of the file in the store's directory.
        file: String,
        /// The byte at which the damage, or the block that holds it, begins.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// A newer Posthouse has written it.
    Future {
        /// Name of the file in the store's directory.
        file: String,
        /// The format number that it carries.
        format: u32,
    },
    /// The system could not do what was asked.
    Io {
        /// What was to be done, as in "cannot ...".
        doing: String,
        /// The system's answer.
        error: io::Error,
    },
}

impl Fault {
    /// Damage at byte `at` of `file`.
    pub fn damaged(file: &str, at: u64, what: impl Into<String>) -> Fault {
        Fault::Damaged { file: file.to_owned(), at, what: what.into() }
    }

    /// For `map_err`: the system failed at `doing` something with `file`.
    pub fn io(doing: &str, file: &str) -> impl FnOnce(io::Error) -> Fault {
        let doing = format!("{doing} {file}");
        move |error| Fault::Io { doing, error }
    }

    /// For `map_err`: a sync of `file` failed. Whatever the system says, that is never taken for a
    /// want of room that may pass: what was to be made durable may be lost.
    pub fn unsynced(file: &str) -> impl FnOnce(io::Error) -> Fault {
        let doing = format!("sync {file}");
        move |error| Fault::Io { doing, error: io::Error::other(error) }
    }
}

/// The sentence holds the system's own words, too, because the store port hands on text only; for
/// the same reason there is no [`source`](std::error::Error::source) that would repeat them.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Damaged { file, at, what } => {
                let block = at / BLOCK_BYTES as u64;
                write!(f, "{file} is damaged at byte {at} (block {block}): {what}")
            }
            Fault::Future { file, format } => write!(
                f,
                "{file} was written by a newer Posthouse in format {format}, and this one knows \
                 formats up to {FORMAT}: start the newer one"
            ),
            Fault::Io { doing, error } => write!(f, "cannot {doing}: {error}"),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use std::io;

    use super::Fault;

    fn check(fault: &Fault, expected: &str) {
        assert_eq!(fault.to_string(), expected);
    }

    #[test]
    fn a_fault_is_one_sentence_for_a_person() {
        check(
            &Fault::damaged("1.segment", 8192, "the sum is wrong"),
            "1.segment is damaged at byte 8192 (block 2): the sum is wrong",
        );
        check(
            &Fault::Future { file: "manifest.a".into(), format: 7 },
            "manifest.a was written by a newer Posthouse in format 7, and this one knows formats \
             up to 1: start the newer one",
        );
        let error = io::Error::new(io::ErrorKind::PermissionDenied, "not yours");
        check(&Fault::io("read", "manifest.a")(error), "cannot read manifest.a: not yours");
    }
}
