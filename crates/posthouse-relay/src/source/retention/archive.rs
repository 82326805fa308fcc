//! The archive: where finished requests are kept when they have left the request table.

use crate::source::base::Dialect;

/// The columns that a request takes with it. What a database computes is computed there anew, or
/// not needed any more.
pub(in crate::source) const ARCHIVED_COLUMNS: [&str; 27] = [
    "id",
    "request_id",
    "code",
    "grp",
    "region",
    "protocol",
    "service",
    "method",
    "headers",
    "content_type",
    "body",
    "business_id",
    "key_seq",
    "slot",
    "priority",
    "state",
    "window_name",
    "due_at",
    "expires_at",
    "attempts",
    "last_status",
    "last_error",
    "fence",
    "created_at",
    "updated_at",
    "done_at",
    "traceparent",
];

/// The statement that copies requests into the archive; its value is a list of ids.
pub(in crate::source) fn archived(dialect: Dialect) -> String {
    let columns = ARCHIVED_COLUMNS.join(", ");
    format!(
        "INSERT INTO relay_archive ({columns}, archived_at) SELECT {columns}, {} \
         FROM relay_request {} WHERE {}",
        dialect.now(),
        dialect.by_id(),
        dialect.int_in("id", 1)
    )
}

/// The statement that forgets what has been in the archive for so many milliseconds. MySQL goes
/// over the whole table for a list that it has to ask for, but takes the oldest by itself.
pub(in crate::source) fn forgotten(dialect: Dialect, rows_max: i64) -> String {
    let oldest = format!(
        "FROM relay_archive WHERE archived_at < {} - $1 ORDER BY archived_at LIMIT {rows_max}",
        dialect.now()
    );
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            format!("DELETE FROM relay_archive WHERE archive_no IN (SELECT archive_no {oldest})")
        }
        Dialect::Mysql => format!("DELETE {oldest}"),
    }
}
