//! One turn of a feed: a small transaction that takes rows over into the request table.
//!
//! Only one node feeds at a time, whichever it is: the row of the feed is locked until the end, and
//! who does not get it leaves the turn to the one who has. Rows of the adopted table that others
//! have locked are not waited for. Bodies never leave the database.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Decision, Fact, decide};
use super::gaps::{self, Gap};
use super::known;
use super::mapping::Start;
use super::statements::Statements;
use crate::source::base::{Base, Dialect, Door, NOTIFY, Value, Work};
use crate::source::error::SourceError;
use crate::source::limits::{FEED_BYTES_MAX, FEED_LOOK_BACK_IDS};
use crate::source::operate::announce;
use posthouse_pump::request::RequestId;

/// Which rows a turn looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum From {
    /// Those that their owner has marked as ready.
    Ready,
    /// Those behind the last one that was fed.
    Behind,
    /// Those in ranges below an id in which there was none.
    Late {
        /// The id.
        below: i64,
    },
    /// Those behind an id that could not be fed.
    Unfed {
        /// The id.
        after: i64,
    },
}

/// What a turn was about, in the order in which it is found out: what of it is known when something
/// goes wrong says which row it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// The rows that were looked at.
    pub(super) facts: Vec<Fact>,
    /// What became of them.
    pub(super) decision: Decision,
    /// Whether as many rows were there as were asked for.
    pub(super) is_full: bool,
}

/// A turn is asked for.
pub(super) struct Wanted<'a> {
    pub(super) from: From,
    pub(super) rows_max: usize,
    /// Rows that the database has refused, with what is known of them.
    pub(super) refused: &'a BTreeMap<i64, Fact>,
}

/// Rows that a turn may feed, and those that others have locked.
#[derive(Default)]
struct Candidates {
    ids: Vec<i64>,
    locked: BTreeSet<i64>,
    gaps: Vec<Gap>,
    passed: i64,
}

/// Carries one turn out. What was found out is left in `turn`, also when it fails.
pub(super) async fn take_turn(
    base: &Base,
    statements: &Statements,
    wanted: &Wanted<'_>,
    turn: &mut Turn,
) -> Result<(), SourceError> {
    let mut work = base.write(Door::Work).await?;
    match steps(&mut work, statements, wanted, turn).await {
        Ok(true) => work.commit().await,
        Ok(false) => work.undo().await,
        Err(error) => {
            // The error is what counts; a connection that does not answer is closed.
            let _ = work.undo().await;
            Err(error)
        }
    }
}

/// Whether anything was changed.
async fn steps(
    work: &mut Work,
    statements: &Statements,
    wanted: &Wanted<'_>,
    turn: &mut Turn,
) -> Result<bool, SourceError> {
    let Some(passed) = lock_feed(work, statements.dialect).await? else { return Ok(false) };
    let (passed, is_begun) = match passed {
        None if wanted.from == From::Behind => (begin(work, statements).await?, true),
        passed => (passed.unwrap_or(0), false),
    };
    let candidates = candidates(work, statements, wanted, passed).await?;
    turn.is_full = candidates.ids.len() >= wanted.rows_max;
    let fact = |id: &i64| Fact { row_id: *id, ..Fact::default() };
    turn.facts = candidates.ids.iter().map(fact).collect();
    if candidates.ids.is_empty() {
        return Ok(is_begun);
    }
    turn.facts = facts(work, statements, wanted, &candidates).await?;
    let known = known::of(work, statements, &turn.facts, &candidates.locked).await?;
    turn.decision = decide(&turn.facts, &known, FEED_BYTES_MAX);
    apply(work, statements, wanted.from, &candidates, turn).await?;
    Ok(true)
}

/// How far the feed came, once its row is locked; `None` if another node has it.
async fn lock_feed(work: &mut Work, dialect: Dialect) -> Result<Option<Option<i64>>, SourceError> {
    let lock = match dialect {
        Dialect::Postgres => "FOR NO KEY UPDATE SKIP LOCKED",
        Dialect::Mysql => "FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let text = format!("SELECT passed_id FROM relay_feed WHERE one = 1 {lock}");
    work.rows(text, Vec::new()).await?.first().map(|row| row.maybe_int("passed_id")).transpose()
}

/// Where a table that is only read begins. Of what exists there and is left alone, some may not be
/// committed yet.
async fn begin(work: &mut Work, statements: &Statements) -> Result<i64, SourceError> {
    let ends = work.row(statements.ends(), Vec::new()).await?;
    let lowest = ends.maybe_int("first_id")?.unwrap_or(1);
    let passed = match statements.adoption.start {
        Start::Everything => lowest.saturating_sub(1).min(0),
        Start::After(id) => id,
        Start::Now => {
            let last = ends.maybe_int("last_id")?.unwrap_or(0);
            let first = last.saturating_sub(FEED_LOOK_BACK_IDS).max(lowest.saturating_sub(1));
            let rows_max = FEED_LOOK_BACK_IDS + 1;
            let seen = ids(work, statements.behind(), vec![first.into(), rows_max.into()]).await?;
            gaps::replace(work, statements.dialect, &[], &gaps::between(first, &seen)).await?;
            last
        }
    };
    pass(work, passed).await?;
    Ok(passed)
}

async fn pass(work: &mut Work, id: i64) -> Result<(), SourceError> {
    let text = "UPDATE relay_feed SET passed_id = $1 WHERE one = 1".to_owned();
    work.change(text, vec![id.into()]).await.map(drop)
}

/// The ids that a statement gives.
pub(super) async fn ids(
    work: &mut Work,
    text: String,
    values: Vec<Value>,
) -> Result<Vec<i64>, SourceError> {
    work.rows(text, values).await?.iter().map(|row| row.int("row_id")).collect()
}

async fn candidates(
    work: &mut Work,
    statements: &Statements,
    wanted: &Wanted<'_>,
    passed: i64,
) -> Result<Candidates, SourceError> {
    let rows_max = Value::from(i64::try_from(wanted.rows_max).unwrap_or(i64::MAX));
    let mut found = Candidates { passed, ..Candidates::default() };
    match wanted.from {
        From::Ready => {
            found.ids = ids(work, statements.ready(true), vec![rows_max.clone()]).await?;
            let all = ids(work, statements.ready(false), vec![rows_max]).await?;
            let last = found.ids.last().copied().unwrap_or(i64::MIN);
            found.locked = others(&all, &found.ids).filter(|id| *id < last).collect();
        }
        From::Behind => {
            found.ids = ids(work, statements.behind(), vec![passed.into(), rows_max]).await?;
        }
        From::Late { below } => {
            found.gaps = gaps::below(work, below).await?;
            let values = gaps::values(&found.gaps, wanted.rows_max);
            found.ids = ids(work, statements.late(), values).await?;
        }
        From::Unfed { after } => {
            let text = "SELECT row_id FROM relay_unfed WHERE row_id > $1 ORDER BY row_id LIMIT $2";
            found.ids = ids(work, text.to_owned(), vec![after.into(), rows_max]).await?;
            if statements.adoption.states.is_some() && statements.dialect != Dialect::Sqlite {
                let all = Value::ints(found.ids.iter().copied());
                let got = ids(work, statements.lock(), vec![all.clone()]).await?;
                let present = ids(work, statements.present(), vec![all]).await?;
                found.locked = others(&present, &got).collect();
            }
        }
    }
    Ok(found)
}

fn others<'a>(all: &'a [i64], some: &'a [i64]) -> impl Iterator<Item = i64> + 'a {
    all.iter().copied().filter(|id| some.binary_search(id).is_err())
}

/// What is known of the candidates and of those that are locked. A row that could not be fed before
/// and is not there any more is not wanted.
async fn facts(
    work: &mut Work,
    statements: &Statements,
    wanted: &Wanted<'_>,
    candidates: &Candidates,
) -> Result<Vec<Fact>, SourceError> {
    let all: BTreeSet<i64> = candidates.ids.iter().chain(&candidates.locked).copied().collect();
    let asked = all.iter().copied().filter(|id| !wanted.refused.contains_key(id));
    let mut found = BTreeMap::new();
    for row in &work.rows(statements.facts(), vec![Value::ints(asked)]).await? {
        let fact = known::fact_of(row)?;
        found.insert(fact.row_id, fact);
    }
    let absent = |id: i64| Fact { row_id: id, ..Fact::default() };
    let fact = |id: &i64| {
        let refused = wanted.refused.get(id).cloned();
        refused.or_else(|| found.get(id).cloned()).unwrap_or_else(|| absent(*id))
    };
    Ok(all.iter().map(fact).collect())
}

async fn apply(
    work: &mut Work,
    statements: &Statements,
    from: From,
    candidates: &Candidates,
    turn: &mut Turn,
) -> Result<(), SourceError> {
    let dialect = statements.dialect;
    // The control row comes before requests, as everywhere.
    reopen(work, statements, &turn.decision.reopen).await?;
    insert(work, statements, turn).await?;
    let taken = turn.decision.taken();
    if let (Some(text), false) = (statements.take(), taken.is_empty()) {
        work.change(text, vec![Value::ints(taken.iter().copied())]).await?;
    }
    if matches!(from, From::Unfed { .. }) {
        known::forget_unfed(work, dialect, &mut turn.decision).await?;
    }
    known::remember_unfed(work, dialect, &turn.decision.unfed).await?;
    move_on(work, dialect, from, candidates, &turn.decision.seen).await?;
    if dialect == Dialect::Postgres && !taken.is_empty() {
        work.script(NOTIFY).await?;
    }
    Ok(())
}

/// Remembers how far a table that is only read has been looked at, and what was missing.
async fn move_on(
    work: &mut Work,
    dialect: Dialect,
    from: From,
    candidates: &Candidates,
    seen: &[i64],
) -> Result<(), SourceError> {
    match (from, seen.last()) {
        (From::Behind, Some(last)) => {
            let missing = gaps::between(candidates.passed, seen);
            gaps::replace(work, dialect, &[], &missing).await?;
            pass(work, *last).await
        }
        (From::Late { .. }, _) => {
            let (gone, come) = gaps::without(&candidates.gaps, seen);
            gaps::replace(work, dialect, &gone, &come).await
        }
        _ => Ok(()),
    }
}

async fn insert(work: &mut Work, statements: &Statements, turn: &Turn) -> Result<(), SourceError> {
    let rows = &turn.decision.insert;
    if rows.is_empty() {
        return Ok(());
    }
    work.change(statements.insert(), vec![Value::ints(rows.iter().copied())]).await?;
    match statements.adoption.states {
        Some(_) => known::link(work, statements.dialect, rows, &turn.facts).await,
        None => Ok(()),
    }
}

/// Nodes are told as of what an operator has changed.
async fn reopen(
    work: &mut Work,
    statements: &Statements,
    pairs: &[(i64, i64)],
) -> Result<(), SourceError> {
    if pairs.is_empty() {
        return Ok(());
    }
    let dialect = statements.dialect;
    let requests: Vec<RequestId> = pairs.iter().map(|(_, request)| RequestId(*request)).collect();
    announce(work, dialect, &requests).await?;
    let mut values = vec![Value::ints(pairs.iter().map(|(row_id, _)| *row_id))];
    values.extend(dialect.table_values(known::columns_of(pairs)));
    work.change(statements.reopen(), values).await?;
    let text = format!("UPDATE relay_fed SET told = 0 WHERE {}", dialect.int_in("row_id", 1));
    work.change(text, vec![Value::ints(pairs.iter().map(|(row_id, _)| *row_id))]).await?;
    Ok(())
}
