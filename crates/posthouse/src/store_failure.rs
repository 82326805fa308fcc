//! What a fault of a store on disk means for whoever runs a command or a node.

use std::io;
use std::path::Path;

use posthouse_store::journal::fault::Fault;

use crate::codes::Code;
use crate::failure::Failure;

/// The journal's directory below the data directory.
pub(crate) const JOURNAL_DIR: &str = "journal";

/// The store in the directory `dir` cannot be used because of `fault`.
pub(crate) fn of_fault(dir: &Path, fault: &Fault) -> Failure {
    let message = format!("the store in {} cannot be used: {fault}", dir.display());
    explained(code_of_fault(fault), message)
}

/// The code of what is wrong with a store.
pub(crate) fn code_of_fault(fault: &Fault) -> Code {
    match fault {
        Fault::Damaged { .. } => Code::StoreDamaged,
        Fault::Future { .. } => Code::StoreNewer,
        Fault::Io { error, .. } => code_of(error),
    }
}

/// The system does not let `path` be used.
pub(crate) fn of_error(path: &Path, error: &io::Error) -> Failure {
    explained(code_of(error), format!("{} cannot be used: {error}", path.display()))
}

/// A failure whose page says what to do.
pub(crate) fn explained(code: Code, message: String) -> Failure {
    Failure::new(code, message, format!("`posthouse explain {}`", code.as_str()))
}

fn code_of(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Code::StoreForbidden,
        io::ErrorKind::ReadOnlyFilesystem => Code::StoreReadOnly,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StoreNoRoom,
        _ => Code::StoreFailed,
    }
}
