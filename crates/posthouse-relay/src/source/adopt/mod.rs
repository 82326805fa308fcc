//! Adopted tables: what somebody else has made is fed into the request table of the same database.
//!
//! Everything that the relay does, it does with requests; so the one thing that is done to an
//! adopted table is to take its new rows over, in small transactions, and to tell them in the end.
//! A table whose state may be written is *marked*; one that is only read is followed by its ids.
//! Why it is done so is told by the decision 14.

mod check;
mod decide;
mod expression;
mod feed;
mod gaps;
mod known;
mod made_by;
mod mapping;
mod quoting;
mod report;
mod rights;
mod shape;
mod side_tables;
mod statements;
mod sweep;
mod tell;
#[cfg(test)]
mod tests;
mod verdict;
mod words;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub use expression::MAPPABLE;
pub use mapping::{Adoption, Mapped, Start, States, TableName, check_identifier, check_sql};
pub use report::{Refusal, Report, Unfed};
pub(super) use report::{unfed, unfed_count};

use super::base::{Base, Door, Options};
use super::error::{SourceError, SourceErrorKind};
use super::limits::{
    CONFLICT_TRIES_MAX, FEED_ROWS_MAX, FEED_SWEEP_EVERY, FEED_WATCH, TELL_ROWS_MAX, UNTOLD_MAX,
};
use decide::Fact;
use feed::{From, Turn, Wanted, ids, take_turn};
use statements::Statements;
use sweep::Places;

/// The adopted table of a source.
pub(super) struct Adopted {
    adoption: Adoption,
    body_bytes_max: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    statements: Option<Arc<Statements>>,
    places: Places,
    swept: Option<Instant>,
    /// Requests whose rows could not be told, as far as it was told of them.
    untold: BTreeSet<i64>,
}

impl Adopted {
    /// The one that is configured, if there is one.
    pub(super) fn of(options: &Options) -> Option<Adopted> {
        let adoption = options.adoption.as_deref()?.clone();
        let body_bytes_max = options.body_bytes_max;
        Some(Adopted { adoption, body_bytes_max, state: Mutex::default() })
    }

    /// Checks everything that would go wrong later.
    ///
    /// # Errors
    /// What is wrong, all of it in one sentence.
    pub(super) async fn prepare(&self, base: &Base, options: &Options) -> Result<(), SourceError> {
        let report = self.report(base, options).await?;
        for warning in &report.warnings {
            tracing::warn!(table = self.adoption.table.shown(), "{warning}");
        }
        match report.refusal() {
            None => Ok(()),
            Some(refusal) => Err(SourceError::unfit(refusal)),
        }
    }

    /// Everything that is to be said about the table, and the statements that follow from it.
    pub(super) async fn report(
        &self,
        base: &Base,
        options: &Options,
    ) -> Result<Report, SourceError> {
        let (report, statements) = check::check(base, &self.adoption, options).await?;
        self.lock().statements = statements.map(Arc::new);
        Ok(report)
    }

    /// Makes the side tables.
    pub(super) async fn create(&self, base: &Base) -> Result<(), SourceError> {
        side_tables::create(base, &self.adoption.table.shown()).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn statements(&self, base: &Base) -> Result<Arc<Statements>, SourceError> {
        if let Some(statements) = self.lock().statements.clone() {
            return Ok(statements);
        }
        let made = check::make(base, &self.adoption, self.body_bytes_max).await?;
        let made = Arc::new(made);
        self.lock().statements = Some(made.clone());
        Ok(made)
    }

    /// Feeds what is new, and looks after what was left over. Gives whether there may be more.
    pub(super) async fn feed(&self, base: &Base) -> Result<bool, SourceError> {
        let statements = self.statements(base).await?;
        let is_full = match self.adoption.states {
            Some(_) => self.feed_ready(base, &statements).await?,
            None => self.feed_behind(base, &statements).await?,
        };
        self.sweep_now_and_then(base, &statements).await?;
        Ok(is_full)
    }

    async fn feed_ready(&self, base: &Base, statements: &Statements) -> Result<bool, SourceError> {
        if !self.has_ready(base, statements).await? {
            return Ok(false);
        }
        let turn = self.drive(base, statements, From::Ready, FEED_ROWS_MAX).await?;
        Ok(turn.may_go_on())
    }

    /// What came late goes before what came behind it.
    async fn feed_behind(&self, base: &Base, statements: &Statements) -> Result<bool, SourceError> {
        let has_more = self.feed_late(base, statements, i64::MAX).await?;
        if has_more || !self.has_behind(base, statements).await? {
            return Ok(has_more);
        }
        let turn = self.drive(base, statements, From::Behind, FEED_ROWS_MAX).await?;
        Ok(turn.may_go_on())
    }

    /// Feeds rows in ranges below an id that were empty, if there are any.
    async fn feed_late(
        &self,
        base: &Base,
        statements: &Statements,
        below: i64,
    ) -> Result<bool, SourceError> {
        let mut work = base.single(Door::Work).await?;
        let gaps = gaps::below(&mut work, below).await?;
        let late = match gaps.is_empty() {
            true => Vec::new(),
            false => ids(&mut work, statements.late(), gaps::values(&gaps, 1)).await?,
        };
        work.done();
        if late.is_empty() {
            return Ok(false);
        }
        let turn = self.drive(base, statements, From::Late { below }, FEED_ROWS_MAX).await?;
        Ok(turn.may_go_on())
    }

    async fn has_ready(&self, base: &Base, statements: &Statements) -> Result<bool, SourceError> {
        let mut work = base.single(Door::Work).await?;
        let found = ids(&mut work, statements.ready(false), vec![1.into()]).await?;
        work.done();
        Ok(!found.is_empty())
    }

    async fn has_behind(&self, base: &Base, statements: &Statements) -> Result<bool, SourceError> {
        let mut work = base.single(Door::Work).await?;
        let text = "SELECT passed_id FROM relay_feed WHERE one = 1".to_owned();
        let passed = work.row(text, Vec::new()).await?.maybe_int("passed_id")?;
        let found = match passed {
            None => true,
            Some(id) => {
                let found = ids(&mut work, statements.behind(), vec![id.into(), 1.into()]).await?;
                !found.is_empty()
            }
        };
        work.done();
        Ok(found)
    }

    /// One turn. If the database refuses a row, the turn is made smaller until it is known which
    /// one, and that one is set aside.
    async fn drive(
        &self,
        base: &Base,
        statements: &Statements,
        from: From,
        rows_max: usize,
    ) -> Result<Turn, SourceError> {
        let (mut rows_max, mut tries) = (rows_max, 1);
        let mut refused = BTreeMap::new();
        loop {
            let mut turn = Turn::default();
            let wanted = Wanted { from, rows_max, refused: &refused };
            let Err(error) = take_turn(base, statements, &wanted, &mut turn).await else {
                self.tell_unfed(&turn);
                turn.is_full |= !refused.is_empty() || rows_max < turn.facts.len();
                return Ok(turn);
            };
            match (error.kind, turn.facts.as_slice()) {
                (SourceErrorKind::Conflict, _) if tries < CONFLICT_TRIES_MAX => tries += 1,
                (SourceErrorKind::Refused, [fact]) if refused.is_empty() => {
                    let key = known::key_of(base, statements, fact.row_id).await?;
                    let flaw = Some(error.detail);
                    let fact = Fact { flaw, is_wanted: true, key, ..fact.clone() };
                    refused.insert(fact.row_id, fact);
                }
                (SourceErrorKind::Refused, facts) if rows_max > 1 && !facts.is_empty() => {
                    rows_max = rows_max.min(facts.len()).div_ceil(2).min(rows_max - 1);
                }
                _ => return Err(error.while_doing("feeding from the adopted table")),
            }
        }
    }

    fn tell_unfed(&self, turn: &Turn) {
        const LOGGED_MAX: usize = 10;
        for unfed in turn.decision.unfed.iter().take(LOGGED_MAX) {
            tracing::error!(
                table = self.adoption.table.shown(),
                row = unfed.row_id,
                reason = unfed.reason,
                "a row of the adopted table cannot be fed; it waits until it is repaired"
            );
        }
        if let Some(more) = turn.decision.unfed.len().checked_sub(LOGGED_MAX + 1) {
            tracing::error!(
                table = self.adoption.table.shown(),
                rows = more + 1,
                "more rows of the adopted table cannot be fed; `posthouse relay adopt --unfed` \
                 lists them"
            );
        }
    }

    async fn sweep_now_and_then(
        &self,
        base: &Base,
        statements: &Statements,
    ) -> Result<(), SourceError> {
        let places = {
            let mut state = self.lock();
            if state.swept.is_some_and(|swept| swept.elapsed() < FEED_SWEEP_EVERY) {
                return Ok(());
            }
            state.swept = Some(Instant::now());
            state.places
        };
        let places = sweep::sweep(self, base, statements, places).await?;
        self.lock().places = places;
        Ok(())
    }

    /// Tells the rows of requests that have ended. What goes wrong here is left to a sweep.
    pub(super) async fn tell(&self, base: &Base, requests: impl Iterator<Item = i64>) {
        let requests: Vec<i64> = requests.collect();
        let told = async {
            let statements = self.statements(base).await?;
            for part in requests.chunks(TELL_ROWS_MAX) {
                self.tell_part(base, &statements, part).await?;
            }
            Ok::<_, SourceError>(())
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, "rows of the adopted table could not be told yet");
        }
    }

    /// A row that cannot be told is told of once.
    async fn tell_part(
        &self,
        base: &Base,
        statements: &Statements,
        requests: &[i64],
    ) -> Result<(), SourceError> {
        for (request, error) in tell::tell(base, statements, requests).await? {
            let is_new = {
                let untold = &mut self.lock().untold;
                untold.len() < UNTOLD_MAX && untold.insert(request)
            };
            if is_new {
                tracing::error!(
                    table = self.adoption.table.shown(),
                    request,
                    error,
                    "the row of a request that has ended cannot be told; it is tried again"
                );
            }
        }
        Ok(())
    }

    /// Waits until the adopted table has something new.
    pub(super) async fn wake(&self, base: &Base) {
        loop {
            tokio::time::sleep(FEED_WATCH).await;
            let Ok(statements) = self.statements(base).await else { continue };
            let is_new = match self.adoption.states {
                Some(_) => self.has_ready(base, &statements).await,
                None => self.has_behind(base, &statements).await,
            };
            if is_new.unwrap_or(false) {
                return;
            }
        }
    }
}

impl Turn {
    /// Whether it was worth while, and there may be more.
    fn may_go_on(&self) -> bool {
        !self.decision.seen.is_empty() && (self.is_full || self.decision.is_cut)
    }
}
