//! What operators do to requests: those that fit are locked, and then changed.

use posthouse_pump::request::RequestId;

use crate::source::base::{Dialect, Value, Work};
use crate::source::error::SourceError;

/// Changes requests that were locked because they fit; so all of them are changed.
pub(in crate::source) async fn change(
    work: &mut Work,
    change: &str,
    locked: Vec<RequestId>,
) -> Result<Vec<RequestId>, SourceError> {
    if !locked.is_empty() {
        let text = format!(
            "UPDATE relay_request {} SET {change}, updated_at = {} WHERE {}",
            Dialect::Mysql.by_id(),
            Dialect::Mysql.now(),
            Dialect::Mysql.int_in("id", 1)
        );
        work.change(text, vec![Value::ints(locked.iter().map(|id| id.0))]).await?;
    }
    Ok(locked)
}
