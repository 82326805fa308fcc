//! What a run has found.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

/// The figures of a run, by name; what does not apply is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
}

impl Report {
    /// A report on a scenario.
    pub(super) fn new(scenario: &str) -> Self {
        let mut report = Self::default();
        report.put("scenario", scenario);
        report
    }

    /// Adds a figure.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Adds a figure if it is known, to two digits behind the point.
    pub(super) fn put_rounded(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.put(name, rounded(value));
        }
    }

    /// Adds how many there were a second.
    pub(super) fn put_rate(&mut self, name: &str, count: u64, time: Duration) {
        self.put(name, (count as f64 / time.as_secs_f64()).round() as u64);
    }

    /// Adds how long things took, in microseconds, if there were any.
    pub(super) fn put_times(&mut self, name: &str, times: &Histogram<u64>) {
        if times.is_empty() {
            return;
        }
        let us = |quantile: f64| rounded(times.value_at_quantile(quantile) as f64 / 1_000.0);
        let (p50, p99, p99_9, max) = (us(0.5), us(0.99), us(0.999), us(1.0));
        self.put(name, json!({ "p50": p50, "p99": p99, "p99_9": p99_9, "max": max }));
    }

    /// Adds what a bare loop of bytes does, and how much of it this run has done.
    pub(crate) fn put_bare(&mut self, bare: &Self) {
        let rate = |report: &Self| report.get("received_per_s").and_then(Value::as_f64);
        let (Some(own), Some(most)) = (rate(self), rate(bare)) else { return };
        self.put_rounded("bare_per_s", Some(most));
        self.put_rounded("bare_share_percent", Some(own * 100.0 / most));
    }

    /// A figure; one inside another is named `outer.inner`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        match name.split_once('.') {
            Some((outer, inner)) => self.figures.get(outer)?.get(inner),
            None => self.figures.get(name),
        }
    }

    /// Whether the generator was so late that it shows in the latencies: their 99th percentiles
    /// are within a factor of ten.
    pub(crate) fn is_generator_late(&self) -> bool {
        let p99 = |name: &str| self.get(name).and_then(Value::as_f64);
        let both = p99("generator_lag_us.p99").zip(p99("latency_us.p99"));
        both.is_some_and(|(lag, latency)| lag * 10.0 > latency)
    }

    /// Messages that were lost or came twice, and requests that came out of order or whose outcome
    /// was not recorded: a run with any proves nothing.
    pub(crate) fn wrong_count(&self) -> u64 {
        let names = ["lost", "duplicated", "overtaken", "unsettled"];
        let counts = names.map(|name| self.get(name).and_then(Value::as_u64));
        counts.into_iter().flatten().sum()
    }

    /// All figures, in the order in which they were added.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.figures)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
