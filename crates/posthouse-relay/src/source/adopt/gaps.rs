//! Ids below those that were fed at which there was no row: somebody may still commit one.

use crate::source::base::{Dialect, Kind, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::{FEED_GAPS_AT_ONCE, FEED_GAPS_MAX};

/// A range of ids, both ends included.
pub(super) type Gap = (i64, i64);

/// The ranges between ids that were seen, behind another id.
pub(super) fn between(passed: i64, seen: &[i64]) -> Vec<Gap> {
    let former = std::iter::once(passed).chain(seen.iter().copied());
    former
        .zip(seen)
        .filter(|(former, id)| **id - 1 > *former)
        .map(|(former, id)| (former + 1, id - 1))
        .collect()
}

/// What remains of ranges in which these ids were found. Only ranges that have changed are told:
/// those that go, and those that come.
pub(super) fn without(gaps: &[Gap], found: &[i64]) -> (Vec<Gap>, Vec<Gap>) {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for &(first, last) in gaps {
        let inside: Vec<i64> =
            found.iter().copied().filter(|id| (first..=last).contains(id)).collect();
        let Some(&highest) = inside.last() else { continue };
        gone.push((first, last));
        come.extend(between(first - 1, &inside));
        if highest < last {
            come.push((highest + 1, last));
        }
    }
    (gone, come)
}

/// Ranges below an id, from the highest down.
pub(super) async fn below(work: &mut Work, id: i64) -> Result<Vec<Gap>, SourceError> {
    let text = format!(
        "SELECT first_id, last_id FROM relay_feed_gap WHERE first_id < $1 \
         ORDER BY first_id DESC LIMIT {FEED_GAPS_AT_ONCE}"
    );
    let rows = work.rows(text, vec![id.into()]).await?;
    let mut gaps = rows
        .iter()
        .map(|row| Ok((row.int("first_id")?, row.int("last_id")?)))
        .collect::<Result<Vec<Gap>, SourceError>>()?;
    gaps.reverse();
    Ok(gaps)
}

/// The values of the statement that looks for rows in ranges.
pub(super) fn values(gaps: &[Gap], rows_max: usize) -> Vec<Value> {
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    let padded = gaps.iter().copied().chain(std::iter::repeat((1, 0))).take(FEED_GAPS_AT_ONCE);
    let mut values = vec![rows_max.into()];
    values.extend(padded.flat_map(|(first, last)| [first.into(), last.into()]));
    values
}

/// Removes some ranges, and adds others. A part of a range is as old as the range was.
pub(super) async fn replace(
    work: &mut Work,
    dialect: Dialect,
    gone: &[Gap],
    come: &[Gap],
) -> Result<(), SourceError> {
    let since = match gone {
        [] => dialect.now().to_owned(),
        _ => {
            let text = format!(
                "SELECT CAST(min(since) AS BIGINT) AS since FROM relay_feed_gap WHERE {}",
                dialect.int_in("first_id", 1)
            );
            let first = Value::ints(gone.iter().map(|gap| gap.0));
            let since = work.row(text, vec![first]).await?.maybe_int("since")?;
            since.map_or_else(|| dialect.now().to_owned(), |since| since.to_string())
        }
    };
    if !gone.is_empty() {
        let text = format!("DELETE FROM relay_feed_gap WHERE {}", dialect.int_in("first_id", 1));
        work.change(text, vec![Value::ints(gone.iter().map(|gap| gap.0))]).await?;
    }
    if come.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO relay_feed_gap (first_id, last_id, since) SELECT v.first_id, v.last_id, \
         {since} FROM {}",
        dialect.table("v", 1, &[("first_id", Kind::Int), ("last_id", Kind::Int)])
    );
    let values = dialect.table_values(vec![
        Value::ints(come.iter().map(|gap| gap.0)),
        Value::ints(come.iter().map(|gap| gap.1)),
    ]);
    work.change(text, values).await?;
    Ok(())
}

/// Gives up ranges that are older than is waited for, and the lowest of too many. Gives how many
/// ranges, and how many ids.
pub(super) async fn give_up(
    work: &mut Work,
    dialect: Dialect,
    late_ms: u64,
) -> Result<(i64, i64), SourceError> {
    let late_ms = i64::try_from(late_ms).unwrap_or(i64::MAX / 4);
    let beyond = format!(
        "SELECT first_id FROM relay_feed_gap ORDER BY first_id DESC LIMIT 1 OFFSET {FEED_GAPS_MAX}"
    );
    let beyond = work.rows(beyond, Vec::new()).await?;
    let beyond = beyond.first().map_or(Ok(i64::MIN), |row| row.int("first_id"))?;
    let is_over = format!("since < {} - $1 OR first_id <= $2", dialect.now());
    let text = format!(
        "SELECT count(*) AS ranges, CAST(coalesce(sum(last_id - first_id + 1), 0) AS BIGINT) \
         AS ids FROM relay_feed_gap WHERE {is_over}"
    );
    let values = vec![Value::from(late_ms), beyond.into()];
    let row = work.row(text, values.clone()).await?;
    let (ranges, ids) = (row.int("ranges")?, row.int("ids")?);
    if ranges > 0 {
        work.change(format!("DELETE FROM relay_feed_gap WHERE {is_over}"), values).await?;
    }
    Ok((ranges, ids))
}

#[cfg(test)]
mod tests {
    use super::{Gap, between, without};

    #[test]
    fn ranges_lie_between_what_was_seen() {
        assert_eq!(between(0, &[1, 2, 5, 6, 9]), [(3, 4), (7, 8)]);
        assert_eq!(between(3, &[10]), [(4, 9)]);
        assert_eq!(between(3, &[4]), []);
    }

    #[test]
    fn what_is_found_parts_its_range() {
        let check = |gaps: &[Gap], found: &[i64], gone: &[Gap], come: &[Gap]| {
            assert_eq!(without(gaps, found), (gone.to_vec(), come.to_vec()), "{gaps:?} {found:?}");
        };
        check(&[(1, 9), (20, 20)], &[5], &[(1, 9)], &[(1, 4), (6, 9)]);
        check(&[(1, 9), (20, 20)], &[1, 9, 20], &[(1, 9), (20, 20)], &[(2, 8)]);
        check(&[(1, 3)], &[1, 2, 3], &[(1, 3)], &[]);
        check(&[(1, 3)], &[7], &[], &[]);
    }
}
