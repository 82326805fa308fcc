//! What is to be measured, and where.

use std::net::SocketAddr;
use std::time::Duration;

/// Where the broker is that is measured.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A node that is started for the run and stopped after it.
    Own,
    /// A broker that is running.
    Running {
        /// Its STOMP address.
        address: SocketAddr,
        /// Its process, if its use of the machine is to be measured.
        pid: Option<u32>,
        /// User name and password.
        login: Option<(String, String)>,
    },
}

/// How consumers acknowledge.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Ack {
    /// By having been sent to.
    Auto,
    /// Once for everything that was read at once.
    Client,
    /// Each message on its own.
    ClientIndividual,
}

impl Ack {
    /// The value of the `ack` header.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Client => "client",
            Self::ClientIndividual => "client-individual",
        }
    }
}

/// How messages flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Each message goes to one consumer of its queue.
    Queue,
    /// Each message goes to every consumer.
    Topic,
}

/// One run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How messages flow.
    pub(crate) shape: Shape,
    /// Producers, shared out among the destinations.
    pub(crate) producers: usize,
    /// Consumers, shared out among the destinations.
    pub(crate) consumers: usize,
    /// Queues or topics.
    pub(crate) destinations: usize,
    /// Bytes of each body.
    pub(crate) body_bytes: usize,
    /// Whether messages are persistent.
    pub(crate) is_persistent: bool,
    /// Receipts that a producer may wait for; none are asked for when absent.
    pub(crate) window: Option<u64>,
    /// Messages a second of all producers together, by a schedule; as fast as possible when
    /// absent.
    pub(crate) rate: Option<u64>,
    /// Messages of one destination that may be on their way to its consumers.
    pub(crate) outstanding: u64,
    /// How consumers acknowledge.
    pub(crate) ack: Ack,
    /// Messages that a consumer may hold unacknowledged; the broker's choice when absent.
    pub(crate) prefetch: Option<u32>,
    /// How long to run before anything is counted.
    pub(crate) warmup: Duration,
    /// How long to count.
    pub(crate) duration: Duration,
}

impl Plan {
    /// How many consumers each message of a destination reaches.
    pub(crate) fn fan_out(&self) -> u64 {
        match self.shape {
            Shape::Queue => 1,
            Shape::Topic => (self.consumers / self.destinations.max(1)) as u64,
        }
    }
}
