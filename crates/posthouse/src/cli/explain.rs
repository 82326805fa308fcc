//! `posthouse explain`: the page of an error code.

use clap::Args;
use posthouse_core::refusal;

use super::output;
use crate::codes::Code;
use crate::failure::Failure;
use crate::pages;

/// Which code.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as PH1203 or 1203.
    code: String,
}

impl Explain {
    /// Does it.
    ///
    /// # Errors
    /// [`Code::PageUnknown`].
    pub(crate) fn run(self) -> Result<(), Failure> {
        let digits = self.code.to_uppercase();
        let code = format!("PH{}", digits.strip_prefix("PH").unwrap_or(&digits));
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

/// What to try after the node refused something with this code.
pub(super) fn advice(code: &str) -> String {
    let page = format!("`posthouse explain {code}`");
    if code == refusal::Code::DestinationUnknown.as_str() {
        return format!("`posthouse queue list` or `posthouse topic list`; {page}");
    }
    page
}
