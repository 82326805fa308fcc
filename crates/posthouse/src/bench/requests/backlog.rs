//! A backlog that cannot be delivered: what it costs to have it.

use std::time::{Duration, Instant};

use super::LIVE;
use super::arrivals::Arrivals;
use super::database::{Database, batch_of};
use super::plan::RequestPlan;
use super::receiver::Receiver;
use super::sender::Sender;
use super::setting::configuration;
use super::usage::{Usage, put_memory};
use crate::bench::clock::Clock;
use crate::bench::report::Report;
use crate::bench::server::pause;
use crate::failure::Failure;

const SECOND: Duration = Duration::from_secs(1);
/// When node and database use less than this part of a processor, there is nothing left to read.
const REST_SHARE_MAX: f64 = 0.15;
/// For so many seconds in a row.
const REST_SECONDS: u32 = 4;
/// How long to wait for that.
const REST_TIME_MAX: Duration = Duration::from_secs(180);

/// Requests whose window is shut.
pub(super) fn closed(
    plan: &RequestPlan,
    database: &Database,
    receiver: &Receiver,
) -> Result<Report, Failure> {
    database.refill(&batch_of(plan, LIVE, plan.keys, plan.requests))?;
    receiver.expect(Arrivals::new(Clock::start(), plan.keys, None)?);
    let sender = Sender::node(&configuration(plan, receiver.address, true))?;
    let mut report = rest(plan, database, &sender);
    // What was delivered although its window is shut was delivered too often.
    report.put("duplicated", receiver.arrivals().received);
    Ok(report)
}

/// Requests whose endpoint is down.
pub(super) fn waiting(plan: &RequestPlan, database: &Database) -> Result<Report, Failure> {
    database.refill(&batch_of(plan, LIVE, plan.keys, plan.requests))?;
    let gone = Receiver::start()?.address;
    let sender = Sender::node(&configuration(plan, gone, false))?;
    Ok(rest(plan, database, &sender))
}

fn rest(plan: &RequestPlan, database: &Database, sender: &Sender) -> Report {
    let mut report = Report::new(plan.scenario.as_str());
    report.put("requests", plan.requests);
    report.put("keys", plan.keys);
    report.put("body_bytes", plan.body_bytes);
    let read = await_rest(database, sender);
    report.put_rounded("read_seconds", Some(read.as_secs_f64()));
    eprintln!("measuring for {} s", plan.duration.as_secs());
    let begin = Usage::now(sender, database);
    pause(plan.duration);
    let end = Usage::now(sender, database);
    report.put_rounded("seconds", Some(plan.duration.as_secs_f64()));
    end.put_since(&begin, 0, &mut report);
    put_memory(sender, &mut report);
    report
}

/// Waits until everything has been read. Answers how long that took.
fn await_rest(database: &Database, sender: &Sender) -> Duration {
    let start = Instant::now();
    let (mut quiet_seconds, mut last) = (0, Usage::now(sender, database));
    while quiet_seconds < REST_SECONDS && start.elapsed() < REST_TIME_MAX {
        pause(SECOND);
        let now = Usage::now(sender, database);
        let is_quiet = now.share_since(&last) < REST_SHARE_MAX;
        quiet_seconds = if is_quiet { quiet_seconds + 1 } else { 0 };
        last = now;
    }
    start.elapsed().saturating_sub(SECOND * quiet_seconds)
}
