//! Whether the buckets in the table are those of the layout that the control row names, and making
//! those that are missing.
//!
//! A slot without a bucket has no owner, so that its requests wait for ever, and nothing else tells
//! of it.

use posthouse_pump::outcome::BucketNo;
use posthouse_pump::read::SlotRange;

use super::base::{Dialect, Value, Work};
use super::error::SourceError;
use super::limits::BUCKETS_MAX;
use super::ownership::{Bucket, lay_out, layout_of};
use super::round::{bucket_of, control_row_is_missing, insert_buckets, lock_control};

/// What the owner of a bucket is called that was made anew and may still be held by somebody.
const MAKER: &str = "relay init";

/// A layout, and what the table has of it.
struct Layout {
    number: u32,
    buckets: i64,
    found: Vec<Bucket>,
}

impl Layout {
    fn wanted(&self) -> Vec<(BucketNo, SlotRange)> {
        lay_out(self.number, u32::try_from(self.buckets).unwrap_or(0))
    }

    fn missing(&self) -> Vec<(BucketNo, SlotRange)> {
        let is_found = |number| self.found.iter().any(|bucket| bucket.number == number);
        self.wanted().into_iter().filter(|(number, _)| !is_found(*number)).collect()
    }

    /// The first bucket that is none of this layout, by its number or its slots.
    fn wrong(&self) -> Option<&Bucket> {
        let wanted = self.wanted();
        let is_wanted = |bucket: &Bucket| wanted.contains(&(bucket.number, bucket.slots));
        self.found.iter().find(|bucket| !is_wanted(bucket))
    }
}

/// Every slot is to have a bucket.
pub(super) async fn check(work: &mut Work) -> Result<(), SourceError> {
    let layout = load(work).await?;
    if !(1..=i64::from(BUCKETS_MAX)).contains(&layout.buckets) {
        return Err(SourceError::unfit(format!(
            "the column `buckets` of the table `relay_control` holds {}, which must be from 1 to \
             {BUCKETS_MAX}: set it to the number of rows that `relay_bucket` is to have, and run \
             `posthouse relay init` on this database",
            layout.buckets
        )));
    }
    if let Some(wrong) = layout.wrong() {
        return Err(SourceError::unfit(format!(
            "the row {} of the table `relay_bucket`, for the slots {} to {}, is none of the {} \
             buckets that there are to be: delete it, and run `posthouse relay init` on this \
             database",
            wrong.number.0, wrong.slots.first.0, wrong.slots.last.0, layout.buckets
        )));
    }
    match layout.missing().as_slice() {
        [] => Ok(()),
        [(_, slots), ..] => Err(SourceError::unfit(format!(
            "the table `relay_bucket` lacks {} of its {} rows, the first of them for the slots {} \
             to {}, whose requests nobody would send: run `posthouse relay init` on this database",
            layout.missing().len(),
            layout.buckets,
            slots.first.0,
            slots.last.0
        ))),
    }
}

/// Makes the buckets that are missing. Whoever held one may hold it still, and does not know; it
/// does so at most for as long as it said that it lives. Until then the bucket is nobody's.
pub(super) async fn repair(work: &mut Work, dialect: Dialect) -> Result<(), SourceError> {
    let control = lock_control(work, dialect).await?;
    let layout = load(work).await?;
    let missing = layout.missing();
    if missing.is_empty() {
        return Ok(());
    }
    insert_buckets(work, dialect, &missing).await?;
    let given = layout.found.iter().map(|bucket| bucket.fence).max().unwrap_or(0);
    let fence = control.fence.max(given) + 1;
    let numbers = missing.iter().filter_map(|(number, _)| i64::try_from(number.0).ok());
    let text = format!(
        "UPDATE relay_bucket SET owner = $2, fence = $3, is_silent = 1, lease_until = \
         (SELECT coalesce(max(lives_until), 0) FROM relay_node) WHERE {}",
        dialect.int_in("bucket", 1)
    );
    work.change(text, vec![Value::ints(numbers), MAKER.into(), fence.into()]).await?;
    let text = "UPDATE relay_control SET fence = $1".to_owned();
    work.change(text, vec![fence.into()]).await?;
    Ok(())
}

/// One statement, so that a layout that is just being replaced is seen as a whole.
async fn load(work: &mut Work) -> Result<Layout, SourceError> {
    let text = "SELECT CAST(c.layout AS BIGINT) AS layout, CAST(c.buckets AS BIGINT) AS buckets, \
                b.bucket AS bucket, CAST(b.slot_first AS BIGINT) AS slot_first, \
                CAST(b.slot_last AS BIGINT) AS slot_last, CAST(b.owner AS TEXT) AS owner, \
                b.fence AS fence, b.lease_until AS lease_until, b.granted_at AS granted_at, \
                CAST(b.is_draining AS BIGINT) AS is_draining, \
                CAST(b.is_silent AS BIGINT) AS is_silent \
                FROM relay_control AS c LEFT JOIN relay_bucket AS b ON b.bucket >= 0 \
                WHERE c.one = 1 ORDER BY b.bucket";
    let rows = work.rows(text.to_owned(), Vec::new()).await?;
    let first = rows.first().ok_or_else(control_row_is_missing)?;
    let number = u32::try_from(first.int("layout")?).unwrap_or(0);
    let mut found = Vec::new();
    for row in &rows {
        if row.maybe_int("bucket")?.is_some() {
            found.push(bucket_of(row)?);
        }
    }
    found.retain(|bucket| layout_of(bucket.number) == number);
    Ok(Layout { number, buckets: first.int("buckets")?, found })
}
