//! Requests at a fixed rate, each with a commit of its own: how long until each is delivered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use posthouse_relay::source::SourceError;
use posthouse_relay::source::fill::{Batch, Filler};
use tokio::task::JoinSet;

use super::LIVE;
use super::arrivals::{Arrivals, Commits};
use super::database::{Database, batch_of, failure_of};
use super::drain::{await_count, await_recorded, begun, put_checks, put_dead_rows};
use super::plan::RequestPlan;
use super::receiver::Receiver;
use super::sender::Sender;
use super::usage::{Usage, put_memory};
use crate::bench::clock::{Clock, wake_exactly};
use crate::bench::figures::histogram;
use crate::bench::report::Report;
use crate::failure::Failure;

/// How long requests are written before those that are timed: connections and leases come first.
const WARMUP: Duration = Duration::from_secs(2);

/// See the module.
pub(super) fn latency(
    plan: &RequestPlan,
    database: &Database,
    receiver: &Receiver,
) -> Result<Report, Failure> {
    let clock = Clock::start();
    let seconds = (WARMUP + plan.duration).as_secs();
    let count = plan.rate.saturating_mul(seconds);
    let commits: Commits = (0..count).map(|_| AtomicU64::new(0)).collect();
    database.refill(&batch_of(plan, LIVE, plan.keys, 0))?;
    receiver.expect(Arrivals::new(clock, plan.keys, Some(commits.clone()))?);
    let dead_before = database.dead_rows()?;
    let mut sender = Sender::start(plan, receiver.address)?;
    eprintln!("writing {} requests a second for {seconds} s", plan.rate);
    wake_exactly();
    let warmup_count = plan.rate.saturating_mul(WARMUP.as_secs());
    let mut writer = Writer { plan, database, clock, commits, lag: histogram()? };
    writer.write(0..warmup_count)?;
    await_count(receiver, &mut sender, warmup_count)?;
    receiver.arrivals().latency.reset();
    writer.lag.reset();
    let begin = Usage::now(&sender, database);
    writer.write(warmup_count..count)?;
    await_count(receiver, &mut sender, count)?;
    let end = Usage::now(&sender, database);
    let unsettled = await_recorded(database)?;
    let mut report = begun(plan, count);
    report.put("intended_per_s", plan.rate);
    end.put_since(&begin, count - warmup_count, &mut report);
    put_memory(&sender, &mut report);
    drop(sender);
    let arrivals = receiver.arrivals();
    report.put_times("latency_us", &arrivals.latency);
    report.put_times("generator_lag_us", &writer.lag);
    put_checks(&arrivals, count, unsettled, &mut report);
    put_dead_rows(database, dead_before, arrivals.received, &mut report)?;
    Ok(report)
}

struct Writer<'a> {
    plan: &'a RequestPlan,
    database: &'a Database,
    clock: Clock,
    commits: Commits,
    /// From when a request was to be written until it was begun, in nanoseconds.
    lag: Histogram<u64>,
}

impl Writer<'_> {
    /// Writes the requests with these numbers by schedule.
    fn write(&mut self, numbers: std::ops::Range<u64>) -> Result<(), Failure> {
        let database = self.database;
        database.runtime.block_on(self.write_all(numbers)).map_err(|error| failure_of(&error))
    }

    /// A commit that takes long must not hold the next one up, so each is a task of its own.
    async fn write_all(&mut self, numbers: std::ops::Range<u64>) -> Result<(), SourceError> {
        let mut writing = JoinSet::new();
        let (start, first) = (Instant::now(), numbers.start);
        for number in numbers {
            let due = Duration::from_secs_f64((number - first) as f64 / self.plan.rate as f64);
            tokio::time::sleep_until((start + due).into()).await;
            let lag_ns = start.elapsed().saturating_sub(due).as_nanos();
            self.lag.saturating_record(u64::try_from(lag_ns).unwrap_or(u64::MAX));
            let batch = Batch { first: number, ..batch_of(self.plan, LIVE, self.plan.keys, 1) };
            let (filler, clock) = (self.database.filler.clone(), self.clock);
            writing.spawn(write_one(filler, batch, clock, self.commits.clone()));
            while let Some(written) = writing.try_join_next() {
                written.unwrap_or(Ok(()))?;
            }
        }
        while let Some(written) = writing.join_next().await {
            written.unwrap_or(Ok(()))?;
        }
        Ok(())
    }
}

async fn write_one(
    filler: Arc<Filler>,
    batch: Batch,
    clock: Clock,
    commits: Commits,
) -> Result<(), SourceError> {
    let place = usize::try_from(batch.first).ok().and_then(|at| commits.get(at));
    let note = || {
        if let Some(place) = place {
            place.store(clock.now_ns(), Ordering::Release);
        }
    };
    filler.write(&batch, note).await
}
