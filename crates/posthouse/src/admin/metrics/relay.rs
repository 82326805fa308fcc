//! The figures of the relay. Labels are names of the configuration and words of the program, so
//! that their number is bounded; business ids and requests are never labels.

use std::fmt;

use posthouse_net::discovery::View;
use posthouse_pump::pump::{CodeFigures, EndpointFigures, WithheldFigures};
use posthouse_relay::runner::Status;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::{Sink, discovery};
use crate::admin::relay::endpoints::oldest_age_ms;
use crate::admin::relay::sources::cause;
use crate::relay::{Standing, severity_word};

/// A bound of error beyond which nothing is known of a source's clock, in milliseconds.
const CLOCK_ERROR_MS_MAX: i64 = 86_400_000;

/// Every source with this node's wall clock of the same moment, in Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct RelaySnapshot {
    pub(super) sources: Vec<(Status, i64)>,
    pub(super) alarms: Vec<Standing>,
    pub(super) services: Vec<View>,
}

/// What a figure is about, and the figure.
pub(super) type Row<T> = (Vec<(&'static str, String)>, T);

impl RelaySnapshot {
    /// Nothing is written where there is no relay.
    pub(super) fn encode(&self, sink: &mut Sink<'_>) -> fmt::Result {
        if self.sources.is_empty() {
            return Ok(());
        }
        self.encode_sources(sink)?;
        self.encode_clocks(sink)?;
        self.encode_codes(sink)?;
        self.encode_endpoints(sink)?;
        let help = "1 while an alarm is on";
        let alarms = self.alarms.iter().map(|standing| (alarm(standing), 1));
        gauges(sink, "posthouse_relay_alarm", help, alarms.collect())?;
        let help = "Business ids whose first open request is withheld, by cause";
        let keys = self.of_causes(|figures| figures.keys);
        gauges(sink, "posthouse_relay_withheld_keys", help, keys)?;
        let help = "Requests withheld one by one, without a business id or an order, by cause";
        let requests = self.of_causes(|figures| figures.requests);
        gauges(sink, "posthouse_relay_withheld_requests", help, requests)?;
        discovery::encode(&self.services, sink)
    }

    fn encode_sources(&self, sink: &mut Sink<'_>) -> fmt::Result {
        type Figure = fn(&Status) -> u64;
        let figures: [(&str, &str, Figure); 8] = [
            ("resident", "Requests in memory", |s| s.figures.resident as u64),
            ("resident_bytes", "Bytes of requests in memory", |s| s.figures.resident_bytes as u64),
            ("blocked_keys", "Business ids that are blocked", |s| s.figures.blocked_keys as u64),
            ("gap_keys", "Business ids that wait for a number that is not there", |s| s.gap_keys),
            ("unsettled", "Outcomes not written back yet", |s| s.figures.unsettled as u64),
            ("withheld_full", "1 if so many business ids are withheld that nothing is read", |s| {
                s.figures.is_withheld_full.into()
            }),
            ("locked", "Outcomes that locks on their rows keep from being written back", |s| {
                s.figures.locked.as_ref().map_or(0, |locked| locked.requests as u64)
            }),
            ("trouble", "1 if the last round failed", |s| s.trouble.is_some().into()),
        ];
        for (name, help, figure) in figures {
            gauges(sink, &format!("posthouse_relay_{name}"), help, self.of_sources(figure))?;
        }
        let figures: [(&str, &str, Figure); 3] = [
            ("archived", "Requests moved to the archive", |s| s.retention.archived),
            ("deleted", "Requests deleted when they were old enough", |s| s.retention.deleted),
            ("forgotten", "Requests deleted from the archive", |s| s.retention.forgotten),
        ];
        for (name, help, figure) in figures {
            counters(sink, &format!("posthouse_relay_{name}"), help, self.of_sources(figure))?;
        }
        let help = "Outcomes refused because another node had the bucket by then";
        counters(sink, "posthouse_relay_fenced", help, self.of_sources(|status| status.fenced))
    }

    fn of_causes(&self, figure: fn(&WithheldFigures) -> usize) -> Vec<Row<u64>> {
        self.sources.iter().flat_map(|(status, _)| withheld(status, figure)).collect()
    }

    fn of_sources(&self, figure: fn(&Status) -> u64) -> Vec<Row<u64>> {
        let row = |(status, _): &(Status, i64)| (source(status), figure(status));
        self.sources.iter().map(row).collect()
    }

    /// Sources whose clock is not known are left out.
    fn encode_clocks(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let known = self.sources.iter().filter(|(s, _)| s.now.error_ms < CLOCK_ERROR_MS_MAX);
        let seconds = |ms: i64| ms as f64 / 1_000.0;
        let offset = |(s, wall_ms): &(Status, i64)| {
            (source(s), seconds(s.now.source_ms.saturating_sub(*wall_ms)))
        };
        let offsets = known.clone().map(offset).collect();
        let help = "How far the clock of the source is ahead of this node's";
        ratios(sink, "posthouse_relay_clock_offset_seconds", help, offsets)?;
        let errors = known.map(|(s, _)| (source(s), seconds(s.now.error_ms))).collect();
        let help = "How far what is known of the clock of the source may be off";
        ratios(sink, "posthouse_relay_clock_error_seconds", help, errors)
    }

    fn encode_codes(&self, sink: &mut Sink<'_>) -> fmt::Result {
        type Figure = fn(&CodeFigures) -> u64;
        let figures: [(&str, &str, Figure); 6] = [
            ("done", "Requests delivered", |code| code.done),
            ("failed", "Requests given up", |code| code.failed),
            ("expired", "Requests that expired", |code| code.expired),
            ("rejected", "Requests that receivers turned down", |code| code.rejected),
            ("retried", "Tries that failed and are followed by others", |code| code.retried),
            ("gone", "Requests that somebody else finished", |code| code.gone),
        ];
        for (name, help, figure) in figures {
            counters(sink, &format!("posthouse_relay_{name}"), help, self.of_codes(figure))?;
        }
        let help = "Attempts under way";
        gauges(sink, "posthouse_relay_in_flight", help, self.of_codes(|code| code.in_flight))
    }

    /// Codes that the configuration does not have come from rows, so that there might be any number
    /// of them; they are left out.
    fn of_codes(&self, figure: fn(&CodeFigures) -> u64) -> Vec<Row<u64>> {
        let rows = self.sources.iter().flat_map(|(status, _)| {
            status.plan.codes.iter().map(move |(name, code)| {
                let mut labels = source(status);
                labels.push(("group", code.group.to_string()));
                labels.push(("code", name.to_string()));
                (labels, status.figures.codes.get(name).map_or(0, figure))
            })
        });
        rows.collect()
    }

    fn encode_endpoints(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let help = "1 if only trials go to the endpoint";
        let is_down = |_: &Status, endpoint: &EndpointFigures| u64::from(endpoint.is_down);
        gauges(sink, "posthouse_relay_endpoint_down", help, self.of_endpoints(is_down))?;
        let help = "Attempts under way to the endpoint";
        let in_flight = |_: &Status, endpoint: &EndpointFigures| u64::from(endpoint.in_flight);
        gauges(sink, "posthouse_relay_endpoint_in_flight", help, self.of_endpoints(in_flight))?;
        let help =
            "Since when the oldest request that could go has been waiting; 0 if there is none";
        let oldest = |status: &Status, endpoint: &EndpointFigures| {
            oldest_age_ms(endpoint, status.now).unwrap_or(0) as f64 / 1_000.0
        };
        let oldest = self.of_endpoints(oldest);
        ratios(sink, "posthouse_relay_endpoint_oldest_seconds", help, oldest)
    }

    fn of_endpoints<T>(&self, figure: fn(&Status, &EndpointFigures) -> T) -> Vec<Row<T>> {
        let rows = self.sources.iter().flat_map(|(status, _)| {
            status.plan.endpoints.keys().map(move |name| {
                let figures = status.figures.endpoints.get(name).cloned().unwrap_or_default();
                let mut labels = source(status);
                labels.push(("endpoint", name.to_string()));
                (labels, figure(status, &figures))
            })
        });
        rows.collect()
    }
}

fn alarm(Standing { source, alarm }: &Standing) -> Vec<(&'static str, String)> {
    vec![
        ("source", source.to_string()),
        ("rule", alarm.rule.name().to_owned()),
        ("severity", severity_word(alarm.severity).to_owned()),
        ("subject", alarm.subject.name().to_owned()),
    ]
}

fn source(status: &Status) -> Vec<(&'static str, String)> {
    vec![("source", status.name.to_string())]
}

/// One row for each kind of cause.
fn withheld(status: &Status, figure: fn(&WithheldFigures) -> usize) -> Vec<Row<u64>> {
    let mut counts = std::collections::BTreeMap::new();
    for figures in &status.figures.withheld {
        let (kind, _) = cause(&figures.cause);
        *counts.entry(kind).or_insert(0) += figure(figures) as u64;
    }
    let row = |(kind, count): (&str, u64)| {
        let mut labels = source(status);
        labels.push(("cause", kind.replace(' ', "_")));
        (labels, count)
    };
    counts.into_iter().map(row).collect()
}

pub(super) fn counters(
    sink: &mut Sink<'_>,
    name: &str,
    help: &str,
    rows: Vec<Row<u64>>,
) -> fmt::Result {
    let rows = rows.into_iter().map(|(labels, value)| (labels, ConstCounter::new(value)));
    family(sink, name, help, &rows.collect::<Vec<_>>())
}

pub(super) fn gauges(
    sink: &mut Sink<'_>,
    name: &str,
    help: &str,
    rows: Vec<Row<u64>>,
) -> fmt::Result {
    let gauge = |value: u64| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let rows = rows.into_iter().map(|(labels, value)| (labels, gauge(value)));
    family(sink, name, help, &rows.collect::<Vec<_>>())
}

pub(super) fn ratios(
    sink: &mut Sink<'_>,
    name: &str,
    help: &str,
    rows: Vec<Row<f64>>,
) -> fmt::Result {
    let rows = rows.into_iter().map(|(labels, value)| (labels, ConstGauge::new(value)));
    family(sink, name, help, &rows.collect::<Vec<_>>())
}

fn family<M: EncodeMetric>(
    sink: &mut Sink<'_>,
    name: &str,
    help: &str,
    rows: &[Row<M>],
) -> fmt::Result {
    let Some((_, first)) = rows.first() else { return Ok(()) };
    let (kind, no_unit): (_, Option<&Unit>) = (first.metric_type(), None);
    let mut encoder = sink.encoder.encode_descriptor(name, help, no_unit, kind)?;
    rows.iter().try_for_each(|(labels, metric)| metric.encode(encoder.encode_family(labels)?))
}
