//! Rounds: what is written in them.

use crate::source::base::{Dialect, Value, Work};
use crate::source::error::SourceError;
use crate::source::round::BUCKET_COLUMNS;

/// Leaves a sign of life, and gives the time. The values: the node, the lease in milliseconds, and
/// whether it wants more buckets.
pub(in crate::source) async fn greet(
    work: &mut Work,
    values: Vec<Value>,
) -> Result<i64, SourceError> {
    let now = Dialect::Mysql.now();
    let text = format!(
        "INSERT INTO relay_node (node, seen_at, lives_until, is_wanting) \
         VALUES ($1, {now}, {now} + $2, $3) ON DUPLICATE KEY UPDATE seen_at = VALUES(seen_at), \
         lives_until = VALUES(lives_until), is_wanting = VALUES(is_wanting)"
    );
    let node = values.first().cloned();
    work.change(text, values).await?;
    let text = "SELECT seen_at FROM relay_node WHERE node = $1".to_owned();
    work.row(text, node.into_iter().collect()).await?.int("seen_at")
}

/// Writes buckets, which are locked in the order of their numbers first. The values: the numbers,
/// and a table of [`BUCKET_COLUMNS`].
pub(in crate::source) async fn store_buckets(
    work: &mut Work,
    numbers: Value,
    columns: Vec<Value>,
) -> Result<(), SourceError> {
    let text = format!(
        "SELECT bucket FROM relay_bucket WHERE {} ORDER BY bucket {}",
        Dialect::Mysql.int_in("bucket", 1),
        Dialect::Mysql.for_update()
    );
    work.rows(text, vec![numbers]).await?;
    let text = format!(
        "UPDATE {} STRAIGHT_JOIN relay_bucket AS b ON b.bucket = v.bucket SET b.owner = v.owner, \
         b.fence = v.fence, b.lease_until = v.lease_until, b.granted_at = v.granted_at, \
         b.is_draining = v.is_draining, b.is_silent = v.is_silent",
        Dialect::Mysql.table("v", 1, &BUCKET_COLUMNS)
    );
    work.change(text, columns).await?;
    Ok(())
}
