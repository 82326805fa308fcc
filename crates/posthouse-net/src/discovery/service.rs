//! Names of services. Rows may choose them, so that they must not lead anywhere else than to a
//! service.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::limits::SERVICE_BYTES_MAX;

/// Where the name of the service stands in the path of a discovery.
const FIELD: &str = "{service}";

/// The name, if it is one.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn check(text: &str) -> Result<Arc<str>, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-:$".contains(c);
    if text.is_empty() || text.len() > SERVICE_BYTES_MAX {
        return Err(format!("the name of a service has 1 to {SERVICE_BYTES_MAX} bytes"));
    }
    if !text.chars().all(is_fine) || text.starts_with('.') {
        return Err(format!(
            "{text:?} is not the name of a service: letters, digits and . _ - : $ may stand in \
             it, and it does not begin with a dot"
        ));
    }
    Ok(text.into())
}

/// Whether a path has a place for the name of the service.
pub(super) fn has_field(path: &str) -> bool {
    path.contains(FIELD)
}

/// The path of a service.
pub(super) fn path_of(path: &str, service: &str) -> String {
    path.replace(FIELD, service)
}

/// The name as a part of a URL's path.
pub(super) fn escaped(service: &str) -> String {
    utf8_percent_encode(service, NON_ALPHANUMERIC).to_string()
}
