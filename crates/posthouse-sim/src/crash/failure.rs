//! Something that is wrong, and how to see it again.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::crash::setup::Setup;
use crate::invariants::Breach;

/// See the module.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was done to the disk.
    pub cause: String,
    /// What is wrong.
    pub breach: Breach,
    /// The command that repeats it.
    pub command: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { cause, breach, command } = self;
        write!(f, "after {cause}: {breach}\nrepeat it by: {command}")
    }
}

/// Does something that `options` repeat; a panic of the node is a breach like any other.
///
/// # Errors
/// What is wrong after `cause`.
pub fn guarded<T>(
    setup: &Setup,
    options: &str,
    cause: impl FnOnce() -> String,
    work: impl FnOnce() -> Result<T, Breach>,
) -> Result<T, Box<Failure>> {
    let worked = catch_unwind(AssertUnwindSafe(work));
    let worked = worked.unwrap_or_else(|panic| Err(breach_of(panic.as_ref())));
    let command = || setup.command(options);
    worked.map_err(|breach| Box::new(Failure { cause: cause(), breach, command: command() }))
}

fn breach_of(panic: &(dyn Any + Send)) -> Breach {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    Breach { invariant: "nothing-panics", detail: text.unwrap_or("without words").to_owned() }
}
