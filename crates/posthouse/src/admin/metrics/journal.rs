//! The journal's figures as metrics.

use std::fmt;

use posthouse_store::journal::{Figures, SYNC_BYTES_BOUNDS, SYNC_US_BOUNDS};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::Sink;
use crate::admin::store::{dead_bytes, live_ratio};

const MICROS_PER_SECOND: f64 = 1e6;

/// The journal at one moment.
#[derive(Debug)]
pub(super) struct JournalSnapshot {
    pub(super) figures: Figures,
    /// Whether a backup holds it.
    pub(super) is_held: bool,
}

impl JournalSnapshot {
    pub(super) fn encode(&self, sink: &mut Sink<'_>) -> fmt::Result {
        self.syncs(sink)?;
        self.counters(sink)?;
        self.space(sink)?;
        self.checkpoint(sink)?;
        self.conditions(sink)
    }

    fn syncs(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let figures = &self.figures;
        let seconds = Histogram {
            sum: figures.sync_us_sum as f64 / MICROS_PER_SECOND,
            classes: classes(&SYNC_US_BOUNDS, &figures.sync_us, MICROS_PER_SECOND),
        };
        let help = "Time that one sync of the journal took";
        sink.write("posthouse_journal_sync_seconds", help, &[], &seconds)?;
        let bytes = Histogram {
            sum: figures.written_bytes as f64,
            classes: classes(&SYNC_BYTES_BOUNDS, &figures.sync_bytes, 1.0),
        };
        let help = "Bytes that one sync of the journal made durable";
        sink.write("posthouse_journal_sync_bytes", help, &[], &bytes)
    }

    fn counters(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let figures = &self.figures;
        let rows = [
            ("posthouse_journal_batches", "Batches made durable", figures.batches),
            ("posthouse_journal_written_bytes", "Bytes made durable", figures.written_bytes),
            ("posthouse_journal_checkpoints", "Checkpoints that counted", figures.checkpoints),
            ("posthouse_journal_freed_segments", "Segments freed", figures.freed_segments),
            ("posthouse_journal_moved_messages", "Messages compacted", figures.moved_messages),
            ("posthouse_journal_moved_bytes", "Bytes compacted", figures.moved_bytes),
            ("posthouse_journal_loads", "Messages read from disk", figures.loads),
            ("posthouse_journal_loaded_bytes", "Bytes read from disk", figures.loaded_bytes),
            (
                "posthouse_journal_load_failures",
                "Messages that could not be read from disk",
                figures.load_failures,
            ),
        ];
        rows.into_iter().try_for_each(|(name, help, value)| sink.counter_of(name, help, &[], value))
    }

    fn space(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let space = &self.figures.space;
        let help = "Bytes of the journal's files, as of the last checkpoint";
        let states = [
            ("live", space.live_bytes),
            ("dead", dead_bytes(&self.figures)),
            ("current", space.current_bytes),
            ("spare", space.spare_bytes),
        ];
        sink.gauges_of("posthouse_journal_bytes", help, "state", &states)?;
        let help = "Part of the settled journal that is live, from 0 to 1";
        sink.ratio_of("posthouse_journal_live_ratio", help, live_ratio(&self.figures))
    }

    fn checkpoint(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let Some(checkpoint) = &self.figures.checkpoint else { return Ok(()) };
        let help = "Time since the last checkpoint";
        let age = checkpoint.ended.elapsed().as_secs_f64();
        sink.ratio_of("posthouse_journal_checkpoint_age_seconds", help, age)?;
        let help = "Time that the last checkpoint took";
        let took = checkpoint.took.as_secs_f64();
        sink.ratio_of("posthouse_journal_checkpoint_duration_seconds", help, took)?;
        let help = "Bytes of the last checkpoint";
        sink.gauge_of("posthouse_journal_checkpoint_bytes", help, &[], checkpoint.bytes)
    }

    fn conditions(&self, sink: &mut Sink<'_>) -> fmt::Result {
        let figures = &self.figures;
        let rows = [
            ("posthouse_journal_full", "1 if there is no room", u64::from(figures.is_full)),
            ("posthouse_journal_held", "1 while a backup copies it", u64::from(self.is_held)),
            ("posthouse_journal_spool_bytes", "Bytes of the spool", figures.spool_bytes),
        ];
        rows.into_iter().try_for_each(|(name, help, value)| sink.gauge_of(name, help, &[], value))
    }
}

/// Counts by class that were made elsewhere.
struct Histogram {
    sum: f64,
    /// Upper bounds, and how many are in each class alone.
    classes: Vec<(f64, u64)>,
}

/// The last class has no bound.
fn classes(bounds: &[u64], counts: &[u64], unit: f64) -> Vec<(f64, u64)> {
    let bounds = bounds.iter().map(|bound| *bound as f64 / unit).chain([f64::INFINITY]);
    bounds.zip(counts.iter().copied()).collect()
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let count = self.classes.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(self.sum, count, &self.classes, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use posthouse_core::ids::BatchNo;
    use posthouse_store::journal::{CheckpointFigures, Figures, Space};

    use super::JournalSnapshot;
    use crate::admin::metrics::{Overview, Snapshot, write};

    fn figures() -> Figures {
        let mut figures = Figures { syncs: 3, sync_us_sum: 2_500_000, ..Figures::default() };
        (figures.sync_us[0], figures.sync_us[10]) = (2, 1);
        figures.space = Space { live_bytes: 1, settled_bytes: 4, ..Space::default() };
        figures.checkpoint = Some(CheckpointFigures {
            batch: BatchNo(7),
            bytes: 70,
            took: Duration::from_millis(500),
            ended: Instant::now(),
        });
        figures
    }

    #[test]
    fn every_figure_of_the_journal_has_its_name() {
        let mut snapshot = Snapshot::new(Overview::default(), &[], 0);
        snapshot.journal = Some(JournalSnapshot { figures: figures(), is_held: true });
        let text = write(snapshot).expect("it is written");
        for line in [
            "posthouse_journal_sync_seconds_sum 2.5",
            "posthouse_journal_sync_seconds_count 3",
            "posthouse_journal_sync_seconds_bucket{le=\"0.00005\"} 2",
            "posthouse_journal_sync_seconds_bucket{le=\"0.05\"} 2",
            "posthouse_journal_sync_seconds_bucket{le=\"+Inf\"} 3",
            "posthouse_journal_sync_bytes_bucket{le=\"4096.0\"} 0",
            "posthouse_journal_batches_total 0",
            "posthouse_journal_bytes{state=\"live\"} 1",
            "posthouse_journal_bytes{state=\"dead\"} 3",
            "posthouse_journal_live_ratio 0.25",
            "posthouse_journal_checkpoint_duration_seconds 0.5",
            "posthouse_journal_checkpoint_bytes 70",
            "posthouse_journal_full 0",
            "posthouse_journal_held 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
