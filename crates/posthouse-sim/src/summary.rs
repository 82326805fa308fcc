//! What many runs came to, in one line.

use std::time::Duration;

use crate::world::Outcome;

/// Sums over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    seeds: u64,
    lasted_ms: u64,
    messages: u64,
    deliveries: u64,
    crashes: u64,
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.lasted_ms += outcome.lasted_ms;
        self.crashes += outcome.crashes;
        self.messages += outcome.report.as_ref().map_or(0, |report| report.figures.attempt);
        self.deliveries += outcome.deliveries;
    }

    /// The line, for runs that took `took` in all.
    pub fn line(&self, took: Duration) -> String {
        let Summary { seeds, lasted_ms, messages, deliveries, crashes } = self;
        let hours = *lasted_ms as f64 / 3_600_000.0;
        let speed = *lasted_ms as f64 / 1_000.0 / took.as_secs_f64().max(0.001);
        format!(
            "{seeds} seeds, {hours:.1} simulated hours, {messages} messages, {deliveries} \
             deliveries, {crashes} crashes, {:.1} s, {speed:.0} times real time",
            took.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Summary;

    #[test]
    fn the_line_says_how_much_and_how_fast() {
        let summary =
            Summary { seeds: 2, lasted_ms: 7_200_000, messages: 3, deliveries: 5, crashes: 4 };
        assert_eq!(
            summary.line(Duration::from_secs(10)),
            "2 seeds, 2.0 simulated hours, 3 messages, 5 deliveries, 4 crashes, 10.0 s, \
             720 times real time"
        );
    }
}
