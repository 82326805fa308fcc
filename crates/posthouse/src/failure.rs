//! What ends a command or the node, told in a way that a person can act on.

use std::fmt;

use crate::codes::Code;
use crate::exit::Exit;

/// A failure: its code, what failed and why, and what to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The stable code, such as `PH1306`.
    pub(crate) code: String,
    /// The status to exit with.
    pub(crate) exit: Exit,
    /// What failed and why.
    pub(crate) message: String,
    /// What to try; may be empty.
    pub(crate) help: String,
}

impl Failure {
    /// A failure that exits as its code says.
    pub(crate) fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure {
            code: code.as_str().into(),
            exit: code.exit(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// A failure that nobody foresaw.
    pub(crate) fn unexpected(message: impl Into<String>) -> Failure {
        Failure::new(Code::Unexpected, message, "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n  try: {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<crate::config::Report> for Failure {
    fn from(report: crate::config::Report) -> Failure {
        let code = report.mistakes.first().map_or(Code::ValueInvalid, |mistake| mistake.code);
        Failure {
            code: code.as_str().into(),
            exit: Exit::Configuration,
            message: format!("the configuration cannot be used\n\n{report}"),
            help: format!("`posthouse explain {}`", code.as_str()),
        }
    }
}
