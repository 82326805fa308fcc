//! A backlog that is delivered as fast as it goes.

use std::time::{Duration, Instant};

use super::arrivals::Arrivals;
use super::database::{Database, batch_of};
use super::plan::RequestPlan;
use super::receiver::Receiver;
use super::setting::configuration;
use super::usage::{Usage, put_memory};
use super::{LIVE, STUCK};
use crate::bench::clock::Clock;
use crate::bench::report::Report;
use crate::bench::server::{Server, pause};
use crate::failure::Failure;

/// How long nothing may come before what is missing counts as lost: longer than leases last that an
/// earlier node may have left.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the last outcomes may take to be recorded.
const RECORDING_TIME_MAX: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(2);
/// Blocked keys, and the requests behind them.
const STUCK_KEYS: u64 = 20;
const STUCK_REQUESTS: u64 = 100_000;

/// A backlog over the plan's keys.
pub(super) fn ordered(plan: &RequestPlan, database: &Database) -> Result<Report, Failure> {
    database.refill(&batch_of(plan, LIVE, plan.keys, plan.requests))?;
    let mut report = Report::new(plan.scenario.as_str());
    report.put("requests", plan.requests);
    report.put("keys", plan.keys);
    drain(plan, database, &mut report)?;
    Ok(report)
}

/// The same with and without blocked keys beside, in turn; the best run of each is compared.
pub(super) fn blocked(plan: &RequestPlan, database: &Database) -> Result<Report, Failure> {
    let live = batch_of(plan, LIVE, plan.keys, plan.requests);
    let stuck = batch_of(plan, STUCK, STUCK_KEYS, STUCK_REQUESTS);
    let (mut free_rate, mut rate): (f64, f64) = (0.0, 0.0);
    let mut report = Report::new(plan.scenario.as_str());
    report.put("requests", plan.requests);
    report.put("keys", plan.keys);
    for round in 1..=plan.rounds {
        database.refill(&live)?;
        let free = drain(plan, database, &mut Report::new(""))?;
        database.refill_mixed(&live, &stuck)?;
        let beside = drain(plan, database, &mut report)?;
        eprintln!("round {round}: {free:.0}/s, beside blocked keys {beside:.0}/s");
        (free_rate, rate) = (free_rate.max(free), rate.max(beside));
    }
    report.put_rounded("delivered_per_s", Some(rate.round()));
    report.put_rounded("free_per_s", Some(free_rate.round()));
    report.put_rounded("free_share_percent", Some(rate * 100.0 / free_rate));
    Ok(report)
}

/// Starts a node, waits until it has delivered everything, and answers how many it delivered a
/// second, from the first to the last.
fn drain(plan: &RequestPlan, database: &Database, report: &mut Report) -> Result<f64, Failure> {
    let receiver = Receiver::start(Arrivals::new(Clock::start(), plan.keys, None)?)?;
    let server = Server::start_with(&configuration(plan, receiver.address, false))?;
    await_count(&receiver, 1);
    let begin = Usage::now(&server, database);
    await_count(&receiver, plan.requests);
    let end = Usage::now(&server, database);
    let unsettled = await_recorded(database)?;
    let arrivals = receiver.arrivals();
    let time_ns = arrivals.last_ns.saturating_sub(arrivals.first_ns.unwrap_or(0)).max(1);
    let rate = arrivals.received as f64 * 1e9 / time_ns as f64;
    report.put_rounded("seconds", Some(time_ns as f64 / 1e9));
    report.put_rounded("delivered_per_s", Some(rate.round()));
    end.put_since(&begin, arrivals.received, report);
    put_memory(&server, report);
    put_checks(&arrivals, plan.requests, unsettled, report);
    Ok(rate)
}

/// Adds what went wrong, of so many requests that were written.
pub(super) fn put_checks(arrivals: &Arrivals, sent: u64, unsettled: u64, report: &mut Report) {
    report.put("lost", arrivals.lost(sent) + arrivals.strange);
    report.put("duplicated", arrivals.duplicated());
    report.put("overtaken", arrivals.overtaken);
    report.put("unsettled", unsettled);
}

/// Waits until so many have come, or nothing comes any more.
pub(super) fn await_count(receiver: &Receiver, count: u64) {
    let (mut seen, mut since) = (0, Instant::now());
    while since.elapsed() < PATIENCE {
        let received = receiver.arrivals().received;
        if received >= count {
            return;
        }
        if received > seen {
            (seen, since) = (received, Instant::now());
        }
        pause(POLL);
    }
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
