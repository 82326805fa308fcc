//! Mistakes in the configuration of a courier.

use std::fmt;

/// One mistake, at one field of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `url` or `headers.authorization`.
    pub field: String,
    /// What is wrong with it, and what to write.
    pub problem: String,
}

impl Fault {
    /// A mistake at `field`.
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Fault {
        Fault { field: field.into(), problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// Collects mistakes while a target is checked, so that all are reported together.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// The value, or `None` and a note of what is wrong with `field`.
    pub(crate) fn take<T>(&mut self, field: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|problem| self.0.push(Fault::new(field, problem))).ok()
    }

    /// Notes a mistake.
    pub(crate) fn add(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push(Fault::new(field, problem));
    }

    /// What was built, if nothing was wrong.
    pub(crate) fn finish<T>(self, built: Option<T>) -> Result<T, Vec<Fault>> {
        match built {
            Some(built) if self.0.is_empty() => Ok(built),
            _ => Err(self.0),
        }
    }
}
