//! Measures the relay: made-up requests in a database, a node of our own that relays them, and a
//! receiver that checks what comes. Instead of the node, somebody else may take the requests, who
//! is measured in just the same way.
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
mod rival;
mod sender;
mod setting;
mod usage;

pub(crate) use plan::{RequestPlan, RequestScenario};
pub(crate) use rival::Rival;

use super::report::Report;
use crate::failure::Failure;
use database::Database;
use receiver::Receiver;

/// The code of requests that are to be delivered.
const LIVE: &str = "bench.live";
/// The code of requests that the receiver refuses for ever.
const STUCK: &str = "bench.stuck";

/// Measures the relay.
///
/// # Errors
/// When the database cannot be used or the node does not start.
pub(crate) fn measure_requests(plan: &RequestPlan) -> Result<Report, Failure> {
    let receiver = Receiver::start()?;
    let database = Database::open(plan, receiver.address)?;
    let report = match plan.scenario {
        RequestScenario::Ordered => drain::ordered(plan, &database, &receiver),
        RequestScenario::Latency => latency::latency(plan, &database, &receiver),
        RequestScenario::Blocked => drain::blocked(plan, &database, &receiver),
        RequestScenario::Closed => backlog::closed(plan, &database, &receiver),
        RequestScenario::Waiting => backlog::waiting(plan, &database),
    };
    database.close();
    report
}
