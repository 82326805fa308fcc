//! What is to be measured of the relay, and where.

use std::time::Duration;

use super::rival::Rival;

/// What to look at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum RequestScenario {
    /// How fast a backlog is delivered, in order for each business id.
    Ordered,
    /// How long it takes from the commit to the delivery, at a fixed rate.
    Latency,
    /// What business ids cost the others that are blocked with a long tail behind them.
    Blocked,
    /// What a backlog costs whose window is shut, once it has been read.
    Closed,
    /// The memory that a backlog takes whose endpoint is down.
    Waiting,
}

impl RequestScenario {
    /// What it is called on the command line and in reports.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Latency => "latency",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
            Self::Waiting => "waiting",
        }
    }

    /// Whether it can be looked at with somebody else in the place of the node.
    pub(crate) fn suits_rivals(self) -> bool {
        matches!(self, Self::Ordered | Self::Latency)
    }

    /// Requests that are there when nobody says how many.
    pub(crate) fn requests_default(self) -> u64 {
        match self {
            Self::Ordered | Self::Blocked => 100_000,
            Self::Latency => 0,
            Self::Closed | Self::Waiting => 1_000_000,
        }
    }
}

/// One measurement.
#[derive(Clone, Debug)]
pub(crate) struct RequestPlan {
    /// What to look at.
    pub(crate) scenario: RequestScenario,
    /// The address of the database.
    pub(crate) url: String,
    /// Requests that are there at the beginning.
    pub(crate) requests: u64,
    /// Business ids that they share; 0: they have none, and any order is right.
    pub(crate) keys: u64,
    /// Bytes of each body.
    pub(crate) body_bytes: usize,
    /// Requests a second that are written, each with a commit of its own.
    pub(crate) rate: u64,
    /// How long is measured, where it is not until all is delivered.
    pub(crate) duration: Duration,
    /// How often runs that are compared are repeated, in turn.
    pub(crate) rounds: usize,
    /// Requests that the receiver takes at a time.
    pub(crate) concurrency: u32,
    /// Who sends the requests instead of a node of our own.
    pub(crate) rival: Option<Rival>,
}
