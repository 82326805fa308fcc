//! What is counted during the measured part of a run.

use hdrhistogram::Histogram;

use crate::failure::Failure;

/// The longest time that is told apart, in nanoseconds: a minute.
const TIME_NS_MAX: u64 = 60_000_000_000;
/// Digits of a time that are kept.
const DIGITS: u8 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct Figures {
    is_counting: bool,
    times_messages: bool,
    /// Messages received.
    pub(super) received: u64,
    /// Receipts received.
    pub(super) confirmed: u64,
    /// From when a message was to be sent until it was received, in nanoseconds.
    pub(super) latency: Histogram<u64>,
    /// From when a message was sent until its receipt, in nanoseconds.
    pub(super) confirmation: Histogram<u64>,
    /// From when a message was to be sent until it was, in nanoseconds.
    pub(super) lag: Histogram<u64>,
}

impl Figures {
    /// Figures that count nothing yet; `times_messages` says whether latencies are wanted.
    pub(super) fn new(times_messages: bool) -> Result<Self, Failure> {
        Ok(Self {
            is_counting: false,
            times_messages,
            received: 0,
            confirmed: 0,
            latency: histogram()?,
            confirmation: histogram()?,
            lag: histogram()?,
        })
    }

    /// Begins to count, or stops.
    pub(super) fn count(&mut self, is_counting: bool) {
        self.is_counting = is_counting;
    }

    pub(super) fn note_received(&mut self, latency_ns: u64) {
        if self.is_counting {
            self.received += 1;
            if self.times_messages {
                self.latency.saturating_record(latency_ns);
            }
        }
    }

    pub(super) fn note_confirmed(&mut self, waited_ns: u64) {
        if self.is_counting {
            self.confirmed += 1;
            self.confirmation.saturating_record(waited_ns);
        }
    }

    pub(super) fn note_lag(&mut self, lag_ns: u64) {
        if self.is_counting {
            self.lag.saturating_record(lag_ns);
        }
    }
}

/// Times up to a minute.
pub(super) fn histogram() -> Result<Histogram<u64>, Failure> {
    let histogram = Histogram::new_with_bounds(1, TIME_NS_MAX, DIGITS);
    histogram.map_err(|error| Failure::unexpected(error.to_string()))
}
