//! Inspections of stores that a script has laid out.

mod check;
mod dump;
mod fuzz;
mod state;
mod stats;

use std::sync::Arc;

use crate::files::Files;
use crate::files::held::HeldFiles;

/// What the script has laid out, as an inspection takes it.
fn shared(files: &Arc<HeldFiles>) -> Arc<dyn Files> {
    files.clone()
}
