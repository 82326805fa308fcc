//! A backlog that is delivered as fast as it goes.

use std::time::{Duration, Instant};

use super::arrivals::Arrivals;
use super::database::{Database, batch_of};
use super::plan::RequestPlan;
use super::receiver::Receiver;
use super::sender::Sender;
use super::usage::{Usage, put_memory};
use super::{LIVE, STUCK};
use crate::bench::clock::Clock;
use crate::bench::report::Report;
use crate::bench::server::pause;
use crate::failure::Failure;

/// How long nothing may come before what is missing counts as lost: longer than leases last that an
/// earlier node may have left.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the last outcomes may take to be recorded.
const RECORDING_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the database may take to count what was done in it.
const COUNTING_TIME_MAX: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(2);
/// Who sends unless a rival does.
const OWN_NAME: &str = "posthouse";
/// Blocked keys, and the requests behind them.
const STUCK_KEYS: u64 = 20;
const STUCK_REQUESTS: u64 = 100_000;

/// A backlog over the plan's keys.
pub(super) fn ordered(
    plan: &RequestPlan,
    database: &Database,
    receiver: &Receiver,
) -> Result<Report, Failure> {
    database.refill(&batch_of(plan, LIVE, plan.keys, plan.requests))?;
    let mut report = begun(plan, plan.requests);
    drain(plan, database, receiver, &mut report)?;
    Ok(report)
}

/// A report that says what is measured, with so many requests.
pub(super) fn begun(plan: &RequestPlan, requests: u64) -> Report {
    let mut report = Report::new(plan.scenario.as_str());
    report.put("sender", plan.rival.as_ref().map_or(OWN_NAME, |rival| rival.name.as_str()));
    report.put("requests", requests);
    report.put("keys", plan.keys);
    report
}

/// The same with and without blocked keys beside, in turn; the best run of each is compared.
pub(super) fn blocked(
    plan: &RequestPlan,
    database: &Database,
    receiver: &Receiver,
) -> Result<Report, Failure> {
    let live = batch_of(plan, LIVE, plan.keys, plan.requests);
    let stuck = batch_of(plan, STUCK, STUCK_KEYS, STUCK_REQUESTS);
    let (mut free_rate, mut rate): (f64, f64) = (0.0, 0.0);
    let mut report = begun(plan, plan.requests);
    for round in 1..=plan.rounds {
        database.refill(&live)?;
        let free = drain(plan, database, receiver, &mut Report::new(""))?;
        database.refill_mixed(&live, &stuck)?;
        let beside = drain(plan, database, receiver, &mut report)?;
        eprintln!("round {round}: {free:.0}/s, beside blocked keys {beside:.0}/s");
        (free_rate, rate) = (free_rate.max(free), rate.max(beside));
    }
    report.put_rounded("delivered_per_s", Some(rate.round()));
    report.put_rounded("free_per_s", Some(free_rate.round()));
    report.put_rounded("free_share_percent", Some(rate * 100.0 / free_rate));
    Ok(report)
}

/// Starts who sends, waits until it has delivered everything, and answers how many it delivered a
/// second, from the first to the last.
fn drain(
    plan: &RequestPlan,
    database: &Database,
    receiver: &Receiver,
    report: &mut Report,
) -> Result<f64, Failure> {
    receiver.expect(Arrivals::new(Clock::start(), plan.keys, None)?);
    let dead_before = database.dead_rows()?;
    let mut sender = Sender::start(plan, receiver.address)?;
    await_count(receiver, &mut sender, 1)?;
    let begin = Usage::now(&sender, database);
    await_count(receiver, &mut sender, plan.requests)?;
    let end = Usage::now(&sender, database);
    let unsettled = await_recorded(database)?;
    put_memory(&sender, report);
    drop(sender);
    let arrivals = receiver.arrivals();
    let time_ns = arrivals.last_ns.saturating_sub(arrivals.first_ns.unwrap_or(0)).max(1);
    let rate = arrivals.received as f64 * 1e9 / time_ns as f64;
    report.put_rounded("seconds", Some(time_ns as f64 / 1e9));
    report.put_rounded("delivered_per_s", Some(rate.round()));
    end.put_since(&begin, arrivals.received, report);
    put_checks(&arrivals, plan.requests, unsettled, report);
    put_dead_rows(database, dead_before, arrivals.received, report)?;
    Ok(rate)
}

/// Adds how many dead rows each of `requests` has left behind, once whoever sent has gone.
pub(super) fn put_dead_rows(
    database: &Database,
    before: Option<i64>,
    requests: u64,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(before) = before else { return Ok(()) };
    let mut dead = before;
    let deadline = Instant::now() + COUNTING_TIME_MAX;
    // What a connection did is counted at its end, so it is there once nothing is added any more.
    while let Some(now) = database.dead_rows()?.filter(|_| Instant::now() < deadline) {
        if now == dead && now > before {
            break;
        }
        dead = now;
        pause(COUNTING_TIME_MAX / 10);
    }
    report.put_rounded("dead_rows_each", Some((dead - before) as f64 / requests.max(1) as f64));
    Ok(())
}

/// Adds what went wrong, of so many requests that were written.
pub(super) fn put_checks(arrivals: &Arrivals, sent: u64, unsettled: u64, report: &mut Report) {
    report.put("lost", arrivals.lost(sent) + arrivals.strange);
    report.put("duplicated", arrivals.duplicated());
    report.put("overtaken", arrivals.overtaken);
    report.put("unsettled", unsettled);
}

/// Waits until so many have come, or nothing comes any more.
///
/// # Errors
/// When a process of a rival ends: then nothing is proved.
pub(super) fn await_count(
    receiver: &Receiver,
    sender: &mut Sender,
    count: u64,
) -> Result<(), Failure> {
    let (mut seen, mut since) = (0, Instant::now());
    while since.elapsed() < PATIENCE {
        let received = receiver.arrivals().received;
        if received >= count {
            return Ok(());
        }
        sender.check()?;
        if received > seen {
            (seen, since) = (received, Instant::now());
        }
        pause(POLL);
    }
    Ok(())
}

/// Waits until the outcomes of all requests are recorded. Answers how many are not.
pub(super) fn await_recorded(database: &Database) -> Result<u64, Failure> {
    let deadline = Instant::now() + RECORDING_TIME_MAX;
    loop {
        let ready = database.ready_count(LIVE)?;
        if ready == 0 || Instant::now() > deadline {
            return Ok(ready);
        }
        pause(RECORDING_TIME_MAX / 50);
    }
}
