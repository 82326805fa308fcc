//! Measures the relay: made-up requests in a database, a node of our own that relays them, and a
//! receiver that checks what comes.
//!
//! The receiver has a thread of its own; everything else happens on the thread that measures.
//! Every request carries its key and its number, so that every run counts what was lost, came
//! twice or was overtaken, and asks the database at the end whether every outcome is recorded.

mod arrivals;
mod backlog;
mod database;
mod drain;
mod latency;
mod plan;
mod receiver;
mod setting;
mod usage;

pub(crate) use plan::{RequestPlan, RequestScenario};

use super::report::Report;
use crate::failure::Failure;
use database::Database;

/// The code of requests that are to be delivered.
const LIVE: &str = "bench.live";
/// The code of requests that the receiver refuses for ever.
const STUCK: &str = "bench.stuck";

/// Measures the relay.
///
/// # Errors
/// When the database cannot be used or the node does not start.
pub(crate) fn measure_requests(plan: &RequestPlan) -> Result<Report, Failure> {
    let database = Database::open(&plan.url)?;
    let report = match plan.scenario {
        RequestScenario::Ordered => drain::ordered(plan, &database),
        RequestScenario::Latency => latency::latency(plan, &database),
        RequestScenario::Blocked => drain::blocked(plan, &database),
        RequestScenario::Closed => backlog::closed(plan, &database),
        RequestScenario::Waiting => backlog::waiting(plan, &database),
    };
    database.close();
    report
}
