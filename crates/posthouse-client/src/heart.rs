//! When to say that this side is alive, and when to stop believing in the other. Pure: time is an
//! argument.

use std::time::Duration;

use posthouse_wire::stomp::HeartBeat;
use tokio::time::Instant;

/// The heart-beats of one connection.
#[derive(Debug)]
pub(crate) struct Heart {
    send: Option<Duration>,
    /// The longest silence that is put up with: twice what was agreed, because the other side's
    /// clock and the network are not ours.
    silence_max: Option<Duration>,
    sent: Instant,
    received: Instant,
}

/// What is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Due {
    /// Nothing yet.
    Nothing,
    /// This side has to send something.
    Beat,
    /// The other side has been silent for too long.
    Dead,
}

impl Heart {
    /// A heart that beats as agreed, beginning with `now`.
    pub(crate) fn new(now: Instant, agreed: HeartBeat) -> Self {
        let pause = |ms: u32| (ms > 0).then(|| Duration::from_millis(u64::from(ms)));
        Self {
            send: pause(agreed.send_ms),
            silence_max: pause(agreed.want_ms).map(|pause| pause * 2),
            sent: now,
            received: now,
        }
    }

    /// Bytes have been written.
    pub(crate) fn on_sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Bytes have come.
    pub(crate) fn on_received(&mut self, now: Instant) {
        self.received = now;
    }

    /// When to ask [`Heart::due`] again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let beat = self.send.map(|pause| self.sent + pause);
        let death = self.silence_max.map(|pause| self.received + pause);
        [beat, death].into_iter().flatten().min()
    }

    /// What is due at `now`.
    pub(crate) fn due(&self, now: Instant) -> Due {
        if self.silence_max.is_some_and(|pause| self.received + pause <= now) {
            Due::Dead
        } else if self.send.is_some_and(|pause| self.sent + pause <= now) {
            Due::Beat
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a script of `sent`, `received` and `=>` lines at times in milliseconds.
    fn check(agreed: HeartBeat, script: &[(u64, &str)]) {
        let start = Instant::now();
        let mut heart = Heart::new(start, agreed);
        for &(at_ms, step) in script {
            let now = start + Duration::from_millis(at_ms);
            match step {
                "sent" => heart.on_sent(now),
                "received" => heart.on_received(now),
                expected => assert_eq!(format!("{:?}", heart.due(now)), expected, "at {at_ms}"),
            }
        }
    }

    #[test]
    fn beats_and_deaths_are_due_in_time() {
        let agreed = HeartBeat { send_ms: 100, want_ms: 50 };
        check(agreed, &[(99, "Nothing"), (100, "Dead")]);
        check(agreed, &[(60, "received"), (99, "Nothing"), (100, "Beat"), (160, "Dead")]);
        check(agreed, &[(60, "sent"), (90, "received"), (159, "Nothing"), (160, "Beat")]);
        check(HeartBeat { send_ms: 0, want_ms: 50 }, &[(99, "Nothing"), (100, "Dead")]);
        check(HeartBeat { send_ms: 10, want_ms: 0 }, &[(9, "Nothing"), (1_000, "Beat")]);
        check(HeartBeat::NONE, &[(1_000_000, "Nothing")]);
        assert_eq!(Heart::new(Instant::now(), HeartBeat::NONE).deadline(), None);
    }
}
