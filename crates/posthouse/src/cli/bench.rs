//! `posthouse bench`: measure a message broker, a node of our own or any that speaks STOMP; and
//! measure the relay.

mod relay;

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::{Args, Subcommand};
use posthouse_client::Address;
use serde_json::Value;

use super::Global;
use super::output::{self, Column};
use crate::bench::{self, Ack, Plan, Report, Shape, Target};
use crate::codes::Code;
use crate::failure::Failure;

/// The bare loop is measured for as long at most, for it does not need to warm up.
const BARE_SECONDS_MAX: u64 = 3;

/// Everything that a report may tell.
const COLUMNS: [Column; 54] = [
    Column("scenario", "scenario"),
    Column("sender", "sender"),
    Column("connections", "connections"),
    Column("memory before, MiB", "memory_before_mib"),
    Column("memory, MiB", "memory_mib"),
    Column("memory at the peak, MiB", "memory_peak_mib"),
    Column("memory of each, bytes", "bytes_each"),
    Column("requests", "requests"),
    Column("keys", "keys"),
    Column("producers", "producers"),
    Column("consumers", "consumers"),
    Column("destinations", "destinations"),
    Column("body, bytes", "body_bytes"),
    Column("persistent", "persistent"),
    Column("ack", "ack"),
    Column("window", "window"),
    Column("intended/s", "intended_per_s"),
    Column("seconds", "seconds"),
    Column("seconds until all is read", "read_seconds"),
    Column("delivered/s", "delivered_per_s"),
    Column("delivered/s without blocked keys", "free_per_s"),
    Column("share of that, %", "free_share_percent"),
    Column("sent/s", "sent_per_s"),
    Column("received/s", "received_per_s"),
    Column("confirmed/s", "confirmed_per_s"),
    Column("bare loop/s", "bare_per_s"),
    Column("share of the bare loop, %", "bare_share_percent"),
    Column("server CPU, us a message", "server_cpu_us"),
    Column("server CPU, %", "server_cpu_percent"),
    Column("database CPU, us a message", "database_cpu_us"),
    Column("database CPU, %", "database_cpu_percent"),
    Column("dead rows a request", "dead_rows_each"),
    Column("generator CPU, us a message", "generator_cpu_us"),
    Column("generator CPU, %", "generator_cpu_percent"),
    Column("whole machine CPU, %", "machine_cpu_percent"),
    Column("stolen CPU, %", "stolen_cpu_percent"),
    Column("latency p50, us", "latency_us.p50"),
    Column("latency p99, us", "latency_us.p99"),
    Column("latency p99.9, us", "latency_us.p99_9"),
    Column("latency max, us", "latency_us.max"),
    Column("confirmation p50, us", "confirmation_us.p50"),
    Column("confirmation p99, us", "confirmation_us.p99"),
    Column("confirmation p99.9, us", "confirmation_us.p99_9"),
    Column("confirmation max, us", "confirmation_us.max"),
    Column("generator lag p50, us", "generator_lag_us.p50"),
    Column("generator lag p99, us", "generator_lag_us.p99"),
    Column("generator lag p99.9, us", "generator_lag_us.p99_9"),
    Column("generator lag max, us", "generator_lag_us.max"),
    Column("lost", "lost"),
    Column("duplicated", "duplicated"),
    Column("misordered", "misordered"),
    Column("redelivered", "redelivered"),
    Column("overtaken", "overtaken"),
    Column("not recorded", "unsettled"),
];

/// What to measure. Without --server a node is started for the run, and stopped after it.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Messages from producers to competing consumers, as fast as they go.
    Queue {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        /// Sending connections.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        producers: usize,
        /// Receiving connections.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        consumers: usize,
        /// Queues that they share.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        queues: usize,
    },
    /// Each message to many subscribers, as fast as they go.
    Topic {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        /// Sending connections.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        producers: usize,
        /// Receiving connections.
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = count)]
        consumers: usize,
    },
    /// Persistent messages, each confirmed by a receipt.
    Persistent {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        /// Sending connections.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        producers: usize,
        /// Receiving connections; with 0 the queue grows.
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        consumers: usize,
        /// Receipts that each producer may wait for.
        #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = window)]
        window: u64,
    },
    /// The time that messages take at a fixed rate, from when they were to be sent.
    Latency {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        load: Load,
        /// Messages a second.
        #[arg(long, value_name = "COUNT", default_value_t = 5_000, value_parser = window)]
        rate: u64,
        /// Persistent messages, confirmed by receipts.
        #[arg(long)]
        persistent: bool,
    },
    /// The memory of connections that do nothing.
    Idle {
        #[command(flatten)]
        common: Common,
        /// How many connections.
        #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = count)]
        connections: usize,
    },
    /// The memory of a broker at rest.
    Memory {
        #[command(flatten)]
        common: Common,
    },
    /// The relay: requests from a database to a receiver.
    Relay(relay::Relay),
    /// What this machine does at most: a bare loop of bytes, without any meaning.
    Bare {
        #[command(flatten)]
        load: Load,
        /// Receiving connections.
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = count)]
        consumers: usize,
    },
}

/// What all scenarios with a broker take.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The process of a broker given by --server, to measure what it uses.
    #[arg(long, value_name = "PID", requires = "server")]
    server_pid: Option<u32>,
}

/// What all scenarios with messages take.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Bytes of each body.
    #[arg(long, value_name = "BYTES", default_value_t = 128, value_parser = body_bytes)]
    size: usize,
    /// Seconds that count.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    duration: u64,
    /// Seconds before them that do not; a JVM needs 30.
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    warmup: u64,
    /// Messages of one destination that may be on their way to its consumers.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = window)]
    outstanding: u64,
    /// How consumers acknowledge.
    #[arg(long, value_enum, default_value_t = Ack::Auto)]
    ack: Ack,
    /// Messages that a consumer may hold unacknowledged; the broker's choice when it is not said.
    #[arg(long, value_name = "COUNT")]
    prefetch: Option<u32>,
    /// Do not measure a bare loop of bytes for comparison.
    #[arg(long)]
    no_bare: bool,
}

impl Bench {
    /// Does it.
    ///
    /// # Errors
    /// When the broker cannot be reached or started, and when messages were lost or came twice.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let report = match self {
            Self::Memory { common } => bench::memory(&common.target(global)?)?,
            Self::Idle { common, connections } => {
                bench::idle(&common.target(global)?, connections)?
            }
            Self::Relay(relay) => relay.measure()?,
            Self::Bare { load, consumers } => {
                bench::measure_bare(&Plan { consumers, ..load.plan(Shape::Topic) })?
            }
            Self::Queue { common, load, producers, consumers, queues } => {
                check_queues(queues, producers.min(consumers))?;
                let plan = load.plan(Shape::Queue);
                let plan = Plan { producers, consumers, destinations: queues, ..plan };
                load.measure("queue", &plan, &common.target(global)?)?
            }
            Self::Topic { common, load, producers, consumers } => {
                let plan = Plan { producers, consumers, ..load.plan(Shape::Topic) };
                load.measure("topic", &plan, &common.target(global)?)?
            }
            Self::Persistent { common, load, producers, consumers, window } => {
                let plan = Plan { producers, consumers, ..load.plan(Shape::Queue) };
                let plan = Plan { is_persistent: true, window: Some(window), ..plan };
                bench::measure("persistent", &plan, &common.target(global)?)?
            }
            Self::Latency { common, load, rate, persistent } => {
                let plan = Plan { rate: Some(rate), ..load.plan(Shape::Queue) };
                let window = persistent.then_some(load.outstanding);
                let plan = Plan { is_persistent: persistent, window, ..plan };
                bench::measure("latency", &plan, &common.target(global)?)?
            }
        };
        show(global, report)
    }
}

impl Common {
    fn target(&self, global: &Global) -> Result<Target, Failure> {
        let Some(text) = &global.server else { return Ok(Target::Own) };
        let wrong = |what: String| {
            Failure::new(Code::RequestInvalid, what, "write --server stomp://HOST:PORT")
        };
        let address = Address::parse(text).map_err(|error| wrong(error.to_string()))?;
        let Some(server) = address.servers.into_iter().next() else {
            return Err(wrong("the address names no server".into()));
        };
        let address = resolve(&server.host, server.port).map_err(wrong)?;
        Ok(Target::Running { address, pid: self.server_pid, login: server.login })
    }
}

impl Load {
    fn plan(&self, shape: Shape) -> Plan {
        Plan {
            shape,
            producers: 1,
            consumers: 1,
            destinations: 1,
            body_bytes: self.size,
            is_persistent: false,
            window: None,
            rate: None,
            outstanding: self.outstanding,
            ack: self.ack,
            prefetch: self.prefetch,
            warmup: Duration::from_secs(self.warmup),
            duration: Duration::from_secs(self.duration),
        }
    }

    /// Measures a broker, and before it the bare loop.
    fn measure(&self, scenario: &str, plan: &Plan, target: &Target) -> Result<Report, Failure> {
        if self.no_bare {
            return bench::measure(scenario, plan, target);
        }
        let bare_seconds = self.duration.min(BARE_SECONDS_MAX);
        eprintln!("measuring a bare loop of bytes for {bare_seconds} s");
        let short = Duration::from_secs(bare_seconds);
        let bare = Plan { warmup: short / 10, duration: short, ..plan.clone() };
        let bare = bench::measure_bare(&bare)?;
        eprintln!("measuring the broker for {} s", self.warmup + self.duration);
        let mut report = bench::measure(scenario, plan, target)?;
        report.put_bare(&bare);
        Ok(report)
    }
}

fn show(global: &Global, report: Report) -> Result<(), Failure> {
    let is_known = |column: &Column| report.get(column.1).is_some();
    let columns: Vec<Column> = COLUMNS.into_iter().filter(is_known).collect();
    if report.is_generator_late() {
        eprintln!("the generator itself was late: the latencies are not the broker's alone");
    }
    let wrong = report.wrong_count();
    let value: Value = report.into_value();
    output::single(global.output, &columns, &value)?;
    if wrong == 0 {
        return Ok(());
    }
    let what = format!("{wrong} messages or receipts were lost, came twice or out of order");
    Err(Failure::unexpected(what))
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    let failed = |reason: String| format!("{host} cannot be found: {reason}");
    let mut found = (host, port).to_socket_addrs().map_err(|error| failed(error.to_string()))?;
    found.next().ok_or_else(|| failed("it has no address".into()))
}

fn check_queues(queues: usize, connections: usize) -> Result<(), Failure> {
    if queues <= connections {
        return Ok(());
    }
    let what = format!("{queues} queues need as many producers and consumers at least");
    Err(Failure::new(Code::RequestInvalid, what, "use --producers and --consumers"))
}

fn count(text: &str) -> Result<usize, String> {
    bounded(text, 1, 100_000)
}

fn window(text: &str) -> Result<u64, String> {
    bounded(text, 1, 1_000_000).map(|number| number as u64)
}

fn body_bytes(text: &str) -> Result<usize, String> {
    bounded(text, 20, 8 << 20)
}

fn bounded(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("write a number from {least} to {most}"))
}
