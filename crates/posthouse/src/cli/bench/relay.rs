//! `posthouse bench relay`: what to measure of the relay.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{body_bytes, bounded, count, window};
use crate::bench::{self, Report, RequestPlan, RequestScenario, Rival};
use crate::codes::Code;
use crate::failure::Failure;

/// Requests are made up in a database, a node is started that relays them to a receiver, and
/// everything is checked: order, losses, duplicates, and what is recorded.
#[derive(Debug, Args)]
pub(crate) struct Relay {
    /// A database for measuring only: sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE, or the
    /// same with mysql:// or mariadb://. The relay's tables are made in it; requests that were not
    /// made up for measuring are left alone.
    #[arg(long, value_name = "URL", env = "POSTHOUSE_RELAY_URL", hide_env_values = true)]
    url: String,
    /// What to look at.
    #[arg(long, value_enum, default_value_t = RequestScenario::Ordered)]
    scenario: RequestScenario,
    /// Requests that are there at the beginning; otherwise 100000, or 1000000 for those that cannot
    /// be delivered.
    #[arg(long, value_name = "COUNT", value_parser = requests)]
    requests: Option<u64>,
    /// Business ids that they share; with 0 they have none.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = keys)]
    keys: u64,
    /// Bytes of each body.
    #[arg(long, value_name = "BYTES", default_value_t = 200, value_parser = body_bytes)]
    size: usize,
    /// Requests a second, each with a commit of its own (latency).
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = window)]
    rate: u64,
    /// Seconds that count (latency, closed, waiting).
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    duration: u64,
    /// Runs of each kind that are compared, in turn (blocked).
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = count)]
    rounds: usize,
    /// Requests that the receiver takes at a time.
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = concurrency)]
    concurrency: u32,
    /// A file that describes somebody else who sends the requests instead of a node of our own
    /// (ordered, latency); docs/performance.md says what it holds.
    #[arg(long, value_name = "FILE")]
    rival: Option<PathBuf>,
}

impl Relay {
    /// Does it.
    ///
    /// # Errors
    /// When the database cannot be used or the node does not start, and when what is asked for
    /// makes no sense.
    pub(super) fn measure(self) -> Result<Report, Failure> {
        if self.rival.is_some() && !self.scenario.suits_rivals() {
            let what = "a rival can only be measured with --scenario ordered or latency";
            return Err(Failure::new(Code::RequestInvalid, what, "leave --rival out"));
        }
        bench::measure_requests(&RequestPlan {
            scenario: self.scenario,
            url: self.url,
            requests: self.requests.unwrap_or(self.scenario.requests_default()),
            keys: self.keys,
            body_bytes: self.size,
            rate: self.rate,
            duration: Duration::from_secs(self.duration),
            rounds: self.rounds,
            concurrency: self.concurrency,
            rival: self.rival.as_deref().map(Rival::read).transpose()?,
        })
    }
}

fn requests(text: &str) -> Result<u64, String> {
    bounded(text, 1, 100_000_000).map(|number| number as u64)
}

fn keys(text: &str) -> Result<u64, String> {
    bounded(text, 0, 10_000_000).map(|number| number as u64)
}

fn concurrency(text: &str) -> Result<u32, String> {
    bounded(text, 1, 10_000).map(|number| number as u32)
}
