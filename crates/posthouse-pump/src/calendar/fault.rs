//! What is wrong with a window, for the person who wrote it.

use std::fmt;

/// One thing that is wrong with a [`WindowSpec`](super::WindowSpec).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowFault {
    /// The field, by its name.
    pub field: &'static str,
    /// Which entry of a list, counted from 0.
    pub index: Option<usize>,
    /// What was written there.
    pub entry: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub advice: String,
}

impl fmt::Display for WindowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        if let Some(index) = self.index {
            write!(f, " entry {} \"{}\"", index + 1, self.entry)?;
        } else if !self.entry.is_empty() {
            write!(f, " \"{}\"", self.entry)?;
        }
        write!(f, ": {}; {}", self.problem, self.advice)
    }
}

impl std::error::Error for WindowFault {}

/// A fault whose place is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) problem: String,
    pub(crate) advice: String,
}

impl Mistake {
    pub(crate) fn new(problem: impl Into<String>, advice: impl Into<String>) -> Mistake {
        Mistake { problem: problem.into(), advice: advice.into() }
    }

    /// The fault of a field that stands alone.
    pub(crate) fn in_field(self, field: &'static str, entry: &str) -> WindowFault {
        self.placed(field, None, entry)
    }

    /// The fault of an entry of a list.
    pub(crate) fn in_entry(self, field: &'static str, index: usize, entry: &str) -> WindowFault {
        self.placed(field, Some(index), entry)
    }

    fn placed(self, field: &'static str, index: Option<usize>, entry: &str) -> WindowFault {
        const SHOWN_CHARS_MAX: usize = 100;
        let entry = entry.chars().take(SHOWN_CHARS_MAX).collect();
        WindowFault { field, index, entry, problem: self.problem, advice: self.advice }
    }
}
