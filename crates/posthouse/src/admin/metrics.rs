//! Metrics for Prometheus. They are sums over the node, so that their number does not grow with
//! its destinations, and they are read from the broker when they are asked for.

mod discovery;
mod journal;
mod relay;

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use posthouse_core::broker::view::DestinationStats;
use posthouse_core::destination::Kind;
use posthouse_relay::runner::Status;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::Admin;
use super::problem::Problem;
use crate::broker_thread::{Ask, Overview, wall_ms};
use crate::codes::Code;
use crate::process;
use crate::version::VERSION;
use journal::JournalSnapshot;
use relay::RelaySnapshot;

const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The protocol of all connections so far.
const STOMP: &[(&str, &str)] = &[("protocol", "stomp")];

/// All figures of one moment.
#[derive(Debug)]
struct Snapshot {
    overview: Overview,
    ready: u64,
    unacknowledged: u64,
    queues: u64,
    topics: u64,
    started_seconds: u64,
    unreadable: u64,
    /// Absent when everything is kept in memory.
    journal: Option<JournalSnapshot>,
    relay: RelaySnapshot,
}

/// Answers all metrics.
pub(crate) async fn metrics(State(admin): State<Arc<Admin>>) -> Result<Response, Problem> {
    let overview = admin.asker.ask(Ask::Overview).await?;
    let destinations = admin.asker.destinations().await?;
    let mut snapshot = Snapshot::new(overview, &destinations, admin.started_ms);
    snapshot.journal = admin.journal.as_ref().map(|journal| JournalSnapshot {
        figures: journal.figures(),
        is_held: admin.holds.is_held(),
    });
    snapshot.relay.sources = relay(&admin).await;
    snapshot.relay.alarms = admin.relay.alarms();
    snapshot.relay.services = admin.relay.discoveries().view();
    let text = write(snapshot).map_err(|_| {
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, Code::Unexpected, "the metrics could not be written")
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// The sources that are running.
async fn relay(admin: &Admin) -> Vec<(Status, i64)> {
    let mut sources = Vec::new();
    for source in admin.relay.sources().values() {
        if let Some(status) = source.handle.status().await {
            sources.push((status, i64::try_from(wall_ms()).unwrap_or(i64::MAX)));
        }
    }
    sources
}

fn write(snapshot: Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let build = Info::new([("version", VERSION)]);
    registry.register("posthouse_build", "What is running", build);
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Snapshot {
    fn new(overview: Overview, destinations: &[DestinationStats], started_ms: u64) -> Snapshot {
        let count = |kind| destinations.iter().filter(|d| d.name.kind == kind).count() as u64;
        Snapshot {
            overview,
            ready: destinations.iter().map(|stats| stats.ready).sum(),
            unacknowledged: destinations.iter().map(|stats| stats.unacknowledged).sum(),
            queues: count(Kind::Queue),
            topics: count(Kind::Topic),
            started_seconds: started_ms / 1_000,
            unreadable: destinations.iter().map(|stats| stats.unreadable).sum(),
            journal: None,
            relay: RelaySnapshot::default(),
        }
    }

    fn connections(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let totals = &self.overview.connections;
        sink.gauge_of("posthouse_connections", "Messaging connections", STOMP, totals.open)?;
        let help = "Messaging connections that were taken";
        sink.counter_of("posthouse_connections_opened", help, STOMP, totals.opened)?;
        let help = "Messaging connections that a limit refused";
        sink.counter_of("posthouse_connections_refused", help, STOMP, totals.refused)?;
        sink.counter_of("posthouse_received_bytes", "Bytes received", STOMP, totals.bytes_in)?;
        sink.counter_of("posthouse_sent_bytes", "Bytes sent", STOMP, totals.bytes_out)
    }

    fn counters(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let counters = &self.overview.broker.counters;
        let rows = [
            ("posthouse_messages_received", "Messages taken over", counters.enqueued),
            ("posthouse_messages_delivered", "Messages handed out", counters.delivered),
            ("posthouse_messages_acknowledged", "Messages acknowledged", counters.acknowledged),
            ("posthouse_messages_redelivered", "Messages handed out again", counters.redelivered),
            ("posthouse_messages_expired", "Messages that expired", counters.expired),
            ("posthouse_messages_dead_lettered", "Messages set aside", counters.dead_lettered),
            ("posthouse_messages_dropped", "Messages dropped by a limit", counters.dropped),
            ("posthouse_messages_duplicate", "Second arrivals recognised", counters.duplicates),
        ];
        rows.into_iter().try_for_each(|(name, help, value)| sink.counter_of(name, help, &[], value))
    }

    fn gauges(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let broker = &self.overview.broker;
        let rows = [
            ("posthouse_messages", "Messages kept", broker.messages),
            ("posthouse_messages_bytes", "Bytes of the messages kept", broker.bytes),
            (
                "posthouse_messages_memory_bytes",
                "Bytes of messages in memory",
                broker.resident_bytes,
            ),
            ("posthouse_messages_unreadable", "Messages that cannot be read", self.unreadable),
            ("posthouse_messages_ready", "Messages that could be handed out", self.ready),
            ("posthouse_messages_unacked", "Messages not settled yet", self.unacknowledged),
            ("posthouse_queues", "Queues", self.queues),
            ("posthouse_topics", "Topics", self.topics),
            ("posthouse_subscriptions", "Durable subscriptions", broker.subscriptions),
            ("posthouse_consumers", "Consumers", broker.consumers),
            ("posthouse_transactions", "Open transactions", broker.transactions),
            ("process_start_time_seconds", "Start, since 1970", self.started_seconds),
            ("process_resident_memory_bytes", "Memory in use", process::resident_bytes()),
            ("process_open_fds", "Open files and sockets", process::open_files()),
        ];
        rows.into_iter().try_for_each(|(name, help, value)| sink.gauge_of(name, help, &[], value))
    }
}

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut sink = Sink { encoder };
        self.connections(&mut sink)?;
        self.counters(&mut sink)?;
        self.gauges(&mut sink)?;
        self.journal.as_ref().map_or(Ok(()), |journal| journal.encode(&mut sink))?;
        self.relay.encode(&mut sink)
    }
}

/// Where single figures are written.
struct Sink<'a> {
    encoder: DescriptorEncoder<'a>,
}

type Labels = [(&'static str, &'static str)];

impl Sink<'_> {
    fn counter_of(&mut self, name: &str, help: &str, labels: &Labels, value: u64) -> fmt::Result {
        self.write(name, help, labels, &ConstCounter::new(value))
    }

    fn gauge_of(&mut self, name: &str, help: &str, labels: &Labels, value: u64) -> fmt::Result {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.write(name, help, labels, &ConstGauge::new(value))
    }

    /// A gauge that need not be a whole number.
    fn ratio_of(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.write(name, help, &[], &ConstGauge::new(value))
    }

    /// A gauge for each value of one label.
    fn gauges_of(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: &[(&'static str, u64)],
    ) -> fmt::Result {
        let no_unit: Option<&Unit> = None;
        let kind = MetricType::Gauge;
        let mut encoder = self.encoder.encode_descriptor(name, help, no_unit, kind)?;
        values.iter().try_for_each(|(word, value)| {
            let value = i64::try_from(*value).unwrap_or(i64::MAX);
            ConstGauge::new(value).encode(encoder.encode_family(&[(label, *word)])?)
        })
    }

    fn write(
        &mut self,
        name: &str,
        help: &str,
        labels: &Labels,
        metric: &impl EncodeMetric,
    ) -> fmt::Result {
        let no_unit: Option<&Unit> = None;
        let kind = metric.metric_type();
        let mut encoder = self.encoder.encode_descriptor(name, help, no_unit, kind)?;
        if labels.is_empty() {
            metric.encode(encoder)
        } else {
            metric.encode(encoder.encode_family(&labels)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Overview, Snapshot, write};

    #[test]
    fn every_figure_has_its_name() {
        let text = write(Snapshot::new(Overview::default(), &[], 7_000)).expect("it is written");
        for line in [
            "posthouse_build_info{version=",
            "posthouse_connections{protocol=\"stomp\"} 0",
            "posthouse_connections_opened_total{protocol=\"stomp\"} 0",
            "posthouse_messages_received_total 0",
            "posthouse_messages_ready 0",
            "posthouse_messages_unacked 0",
            "process_start_time_seconds 7",
        ] {
            assert!(text.lines().any(|found| found.starts_with(line)), "{line}\n{text}");
        }
    }
}
