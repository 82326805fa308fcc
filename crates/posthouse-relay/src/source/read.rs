//! Reads: open requests in the slots that were asked for, in the order of their ids.
//!
//! Reads that walk over open requests, those of foreign slots too, stop after so many of them that
//! none takes long. A forward read then looks for ids at which there is no row.
//! Everything that belongs to one read sees the same state of the table: a row that is committed
//! between two looks would otherwise be neither found nor missed.

use posthouse_pump::read::{Found, Read, SlotRange, Span};
use posthouse_pump::request::{Request, RequestId, SLOTS};

use super::base::{Base, CommitOrder, Dialect, Door, Options, Record, Value, Work};
use super::error::SourceError;
use super::limits::{MISSING_IDS_MAX, MISSING_RANGES_MAX};
use super::read_text::{reading, walking};
use super::row::request_of;

/// See [`Source::read`](super::Source::read).
pub(super) async fn read(
    base: &Base,
    options: &Options,
    read: &Read,
) -> Result<Found, SourceError> {
    match read.span {
        Span::Forward { after } => forward(base, options, read, after).await,
        Span::Again { after, up_to } => again(base, options, read, (after, up_to)).await,
        Span::Probe { .. } | Span::Key { .. } => pick(base, options, read).await,
    }
}

async fn forward(
    base: &Base,
    options: &Options,
    read: &Read,
    after: RequestId,
) -> Result<Found, SourceError> {
    let mut work = base.view().await?;
    let mut page = page(&mut work, base, options, read).await?;
    if !page.has_more {
        page.stop_at(&walk(&mut work, base, options, read).await?, None);
    }
    page.begin_with(lowest(&mut work, base, options, read, after).await?);
    let scanned_to = page.last.unwrap_or(after).max(after);
    let missing = missing(&mut work, base.dialect(), options.order, (after, scanned_to)).await?;
    work.commit().await?;
    let (rows, has_more) = (page.rows, page.has_more);
    Ok(Found { number: read.number, rows, scanned_to, has_more, missing })
}

async fn again(
    base: &Base,
    options: &Options,
    read: &Read,
    (after, up_to): (RequestId, RequestId),
) -> Result<Found, SourceError> {
    let mut work = base.view().await?;
    let mut page = page(&mut work, base, options, read).await?;
    if !page.has_more {
        page.stop_at(&walk(&mut work, base, options, read).await?, Some(up_to));
    }
    page.begin_with(lowest(&mut work, base, options, read, after).await?);
    work.commit().await?;
    let scanned_to = page.last.unwrap_or(after).max(after);
    let (rows, has_more) = (page.rows, page.has_more);
    Ok(Found { number: read.number, rows, scanned_to, has_more, missing: Vec::new() })
}

/// The request with the lowest id that there is lies after no other: where a read begins at the
/// beginning of everything, it is looked up by itself.
async fn lowest(
    work: &mut Work,
    base: &Base,
    options: &Options,
    read: &Read,
    after: RequestId,
) -> Result<Vec<Request>, SourceError> {
    if after != RequestId::LOWEST {
        return Ok(Vec::new());
    }
    let ranges = vec![(RequestId::LOWEST, RequestId::LOWEST)];
    let read = Read { span: Span::Probe { ranges }, ..read.clone() };
    Ok(page(work, base, options, &read).await?.rows)
}

/// One statement, which sees one state by itself and does not walk.
async fn pick(base: &Base, options: &Options, read: &Read) -> Result<Found, SourceError> {
    let mut work = base.single(Door::Work).await?;
    let page = page(&mut work, base, options, read).await?;
    work.done();
    let end = match &read.span {
        Span::Probe { ranges } => ranges.last().map_or(RequestId(0), |&(_, last)| last),
        Span::Key { from, .. } => page.last.unwrap_or(*from),
        Span::Forward { after } | Span::Again { after, .. } => *after,
    };
    let scanned_to = if page.has_more { page.last.unwrap_or(end) } else { end };
    let (rows, has_more) = (page.rows, page.has_more);
    Ok(Found { number: read.number, rows, scanned_to, has_more, missing: Vec::new() })
}

/// What one statement has brought.
struct Page {
    rows: Vec<Request>,
    /// The last id that was looked at.
    last: Option<RequestId>,
    has_more: bool,
}

/// How far a walk over open requests came.
struct Walk {
    /// The last open request on the way, if the way was too long to be walked to its end.
    stopped_at: Option<RequestId>,
    /// The last request of all, open or not.
    last: Option<RequestId>,
}

impl Page {
    /// A page that is not full ends where the walk was stopped, else at the end of the span.
    fn stop_at(&mut self, walk: &Walk, up_to: Option<RequestId>) {
        self.has_more = walk.stopped_at.is_some();
        self.last = walk.stopped_at.or(up_to).or(walk.last);
    }

    /// Puts what lies before everything else in front.
    fn begin_with(&mut self, lowest: Vec<Request>) {
        self.rows.splice(..0, lowest);
    }
}

async fn page(
    work: &mut Work,
    base: &Base,
    options: &Options,
    read: &Read,
) -> Result<Page, SourceError> {
    let (text, span_values) = reading(base.dialect(), options.order, read);
    let mut values = vec![
        Value::Bytes(mask(&read.slots)),
        Value::texts(read.codes.iter().map(|code| code.to_string())),
        number(read.bytes_max.max(1)),
        number(options.body_bytes_max),
    ];
    values.extend(span_values);
    let rows = work.rows(text, values).await?;
    cut(&rows, read, options)
}

fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

/// Keeps rows up to the bounds, and drops those without a slot that turn out to be foreign.
fn cut(rows: &[Record], read: &Read, options: &Options) -> Result<Page, SourceError> {
    let rows_max = usize::try_from(read.rows_max.max(1)).unwrap_or(usize::MAX);
    let mut page = Page { rows: Vec::with_capacity(rows.len()), last: None, has_more: false };
    for (at, row) in rows.iter().enumerate() {
        if at >= rows_max || row.is_set("is_cut")? {
            page.has_more = true;
            break;
        }
        let request = request_of(row, options)?;
        page.last = Some(request.id);
        if read.slots.iter().any(|range| range.contains(request.slot)) {
            page.rows.push(request);
        }
    }
    Ok(page)
}

/// One byte for each slot: 1 if it is wanted.
fn mask(ranges: &[SlotRange]) -> Vec<u8> {
    let mut mask = vec![0; usize::from(SLOTS)];
    for range in ranges {
        let slots = usize::from(range.first.0)..=usize::from(range.last.0.min(SLOTS - 1));
        for slot in slots {
            if let Some(byte) = mask.get_mut(slot) {
                *byte = 1;
            }
        }
    }
    mask
}

async fn walk(
    work: &mut Work,
    base: &Base,
    options: &Options,
    read: &Read,
) -> Result<Walk, SourceError> {
    let (text, values) = walking(base.dialect(), options.order, read);
    let row = work.row(text, values).await?;
    let is_stopped = row.int("walked")? >= base.dialect().scan_max();
    let stopped_at = if is_stopped { row.maybe_int("edge")?.map(RequestId) } else { None };
    Ok(Walk { stopped_at, last: row.maybe_int("last")?.map(RequestId) })
}

/// Ranges of ids at which there is no row. No database counts from below 1, so nobody is on the way
/// to an id down there. One that is there but not visible yet, under
/// [`CommitOrder::Xid`], counts as missing.
async fn missing(
    work: &mut Work,
    dialect: Dialect,
    order: CommitOrder,
    (after, up_to): (RequestId, RequestId),
) -> Result<Vec<(RequestId, RequestId)>, SourceError> {
    let after = after.0.max(0).max(up_to.0.saturating_sub(MISSING_IDS_MAX));
    if after >= up_to.0 {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT former + 1 AS first, id - 1 AS last FROM ( \
         SELECT id, coalesce(lag(id) OVER (ORDER BY id), $1) AS former FROM ( \
         SELECT id FROM relay_request {} WHERE id > $1 AND id <= $2 {} \
         UNION ALL SELECT CAST($3 AS BIGINT)) AS present) AS step WHERE id - 1 > former \
         ORDER BY id DESC LIMIT {MISSING_RANGES_MAX}",
        dialect.by_id(),
        order.visible()
    );
    let end = up_to.0.saturating_add(1);
    let rows = work.rows(text, vec![after.into(), up_to.0.into(), end.into()]).await?;
    let range = |row: &Record| Ok((RequestId(row.int("first")?), RequestId(row.int("last")?)));
    rows.iter().rev().map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use posthouse_pump::request::Slot;

    fn check(ranges: &[(u16, u16)], expected: &[usize]) {
        let ranges: Vec<SlotRange> = ranges
            .iter()
            .map(|&(first, last)| SlotRange { first: Slot(first), last: Slot(last) })
            .collect();
        let mask = mask(&ranges);
        let set: Vec<usize> = (0..mask.len()).filter(|&slot| mask[slot] == 1).collect();
        assert_eq!(set, expected, "{ranges:?}");
    }

    #[test]
    fn the_mask_has_the_slots_of_all_ranges() {
        check(&[], &[]);
        check(&[(3, 5)], &[3, 4, 5]);
        check(&[(0, 0), (1023, 1023)], &[0, 1023]);
        check(&[(1022, 5000)], &[1022, 1023]);
    }
}
