//! `posthouse explain`: the page of an error code.

use clap::Args;

use super::output;
use crate::codes::Code;
use crate::failure::Failure;
use crate::pages;

/// Which code.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as PH1203.
    code: String,
}

impl Explain {
    /// Does it.
    ///
    /// # Errors
    /// [`Code::PageUnknown`].
    pub(crate) fn run(self) -> Result<(), Failure> {
        let code = self.code.to_uppercase();
        match pages::page(&code) {
            Some(page) => output::write(page.as_bytes()),
            None => Err(Failure::new(
                Code::PageUnknown,
                format!("no error has the code \"{}\"", self.code),
                "copy the code from the error message: PH and four digits",
            )),
        }
    }
}
