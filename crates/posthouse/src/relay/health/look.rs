//! Looking at one source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use posthouse_pump::health::{Change, Edge, Finder, Health, Limits, Severity, Sight, Table};
use posthouse_pump::pump::Cause;
use posthouse_relay::courier::Clock as _;
use posthouse_relay::runner::{Status, SteadyClock};
use posthouse_relay::source::look::{Answer, BucketRow, Count, Query, TableState};
use posthouse_relay::source::{AnySource, Source as _};
use tokio::sync::watch;

use super::board::{Board, Past};
use super::find;
use super::herald::Heralds;
use crate::config::HealthConfig;
use crate::relay::RunningSource;
use crate::relay::couriers::Couriers;

/// The state of requests that wait for their turn.
const STATE_READY: u8 = 0;

/// How long the database may take to be asked. One that stands still must not keep its own alarm
/// from being told.
const ASK_MAX: Duration = Duration::from_secs(3);

/// A source, and whom to tell of it.
pub(super) struct Watched {
    pub(super) source: RunningSource,
    pub(super) couriers: Arc<Couriers>,
    pub(super) board: Arc<Board>,
    pub(super) heralds: Arc<Heralds>,
}

impl Watched {
    /// Looks at the source until it or the node ends.
    pub(super) async fn watch_over(self, mut config: watch::Receiver<HealthConfig>) {
        let mut health = Health::default();
        loop {
            let (limits, every_ms) = {
                let config = config.borrow_and_update();
                (config.limits_of(&self.source.config.name), config.every_ms)
            };
            let Some(status) = self.source.handle.status().await else { return };
            self.look(&mut health, &status, &limits).await;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(every_ms)) => {}
                changed = config.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn look(&self, health: &mut Health, status: &Status, limits: &Limits) {
        let wall_ms = SteadyClock::new().wall_ms();
        let name = &self.source.config.name;
        let table = match status.trouble {
            Some(_) => None,
            None => {
                let asked = tokio::time::timeout(ASK_MAX, ask(&self.source.database, status));
                asked.await.ok().flatten()
            }
        };
        let finders = find::finders(&self.couriers, &status.plan);
        let sight = sight(status, wall_ms, table.as_ref(), &finders);
        let changes = health.look(&sight, limits);
        changes.iter().for_each(|change| write_down(name, change));
        let past = changes.into_iter();
        let past = past.map(|change| Past { source: name.clone(), at_ms: wall_ms, change });
        let past: Vec<Past> = past.collect();
        past.iter().for_each(|past| self.heralds.tell(past));
        self.board.put(name, health.alarms().cloned().collect(), past);
    }
}

fn sight<'a>(
    status: &'a Status,
    wall_ms: i64,
    table: Option<&'a Table>,
    finders: &'a [Finder],
) -> Sight<'a> {
    Sight {
        now: status.now,
        wall_ms,
        plan: &status.plan,
        figures: &status.figures,
        trouble: status.trouble.as_deref(),
        fenced: status.fenced,
        gap_keys: status.gap_keys,
        table,
        finders,
    }
}

/// What only the database knows; nothing if it does not answer, of which the next round tells.
async fn ask(database: &AnySource, status: &Status) -> Option<Table> {
    let Ok(Answer::Buckets(buckets)) = database.look(&Query::Buckets).await else { return None };
    let Ok(Answer::Table(state)) = database.look(&Query::Table).await else { return None };
    let own = |bucket: &&BucketRow| bucket.owner.as_deref() == Some(&*status.node);
    let own_buckets = buckets.iter().filter(own).count() as u64;
    let ready = ready(database, status).await;
    let table = Table { ready, buckets: buckets.len() as u64, own_buckets, ..Table::default() };
    if !tells_for_all(&buckets, &status.node) {
        return Some(table);
    }
    let TableState { live_rows, dead_rows, oldest_transaction_ms, log_bytes } = state;
    let unowned_buckets = buckets.iter().filter(|bucket| !is_owned(bucket)).count() as u64;
    Some(Table { unowned_buckets, live_rows, dead_rows, oldest_transaction_ms, log_bytes, ..table })
}

fn is_owned(bucket: &BucketRow) -> bool {
    bucket.owner.is_some() && bucket.lease_left_ms >= 0
}

/// Whether a node tells what is wrong with the table that all nodes share: the owner of the first
/// bucket that has one does, and each if there is none.
fn tells_for_all(buckets: &[BucketRow], node: &str) -> bool {
    let first = buckets.iter().find(|bucket| is_owned(bucket));
    first.is_none_or(|bucket| bucket.owner.as_deref() == Some(node))
}

/// Requests that are ready, by code. Counting walks over them, and the pump knows how many there
/// are as long as they have room in memory.
async fn ready(database: &AnySource, status: &Status) -> BTreeMap<Arc<str>, u64> {
    let withheld = &status.figures.withheld;
    let is_full = withheld.iter().any(|it| matches!(it.cause, Cause::EndpointFull(_)));
    if !is_full {
        return BTreeMap::new();
    }
    let Ok(Answer::Counts { open, .. }) = database.look(&Query::Counts).await else {
        return BTreeMap::new();
    };
    let ready = open.into_iter().filter(|count| count.state == STATE_READY);
    ready.map(|Count { code, requests, .. }| (code.into(), requests)).collect()
}

fn write_down(source: &str, change: &Change) {
    let alarm = &change.alarm;
    let (rule, subject) = (alarm.rule.name(), alarm.subject.name());
    let detail = &*alarm.detail;
    match (change.edge, alarm.severity) {
        (Edge::Begins, Severity::Error) => {
            tracing::error!(source, rule, ?subject, detail, "an alarm begins");
        }
        (Edge::Begins, Severity::Warning) => {
            tracing::warn!(source, rule, ?subject, detail, "an alarm begins");
        }
        (Edge::Ends, _) => tracing::info!(source, rule, ?subject, "an alarm ends"),
    }
}

#[cfg(test)]
mod tests {
    use posthouse_pump::outcome::{BucketNo, Fence};
    use posthouse_pump::read::SlotRange;
    use posthouse_pump::request::Slot;

    use super::*;

    /// Buckets by their owners, those of leases that have ended in brackets.
    fn check(owners: &[&str], tellers: &[&str]) {
        let bucket = |(at, owner): (usize, &&str)| BucketRow {
            bucket: BucketNo(at as u64),
            slots: SlotRange { first: Slot(0), last: Slot(0) },
            owner: Some(owner.trim_matches(['(', ')'])).filter(|it| !it.is_empty()).map(Arc::from),
            fence: Fence(1),
            lease_left_ms: if owner.starts_with('(') { -1 } else { 1_000 },
            is_draining: false,
        };
        let buckets: Vec<BucketRow> = owners.iter().enumerate().map(bucket).collect();
        let told: Vec<&str> =
            ["a", "b"].into_iter().filter(|node| tells_for_all(&buckets, node)).collect();
        assert_eq!(told, tellers, "{owners:?}");
    }

    #[test]
    fn one_node_tells_of_what_all_share() {
        check(&["a", "b", "a"], &["a"]);
        check(&["b", "a"], &["b"]);
        check(&["", "(a)", "b"], &["b"]);
        check(&["", "(a)"], &["a", "b"]);
        check(&[], &["a", "b"]);
    }
}
