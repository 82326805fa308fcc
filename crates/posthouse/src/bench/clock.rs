//! The time of a run, and the processor time of the generator's thread.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the run began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn now_ns(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Processor time that this thread has used.
pub(super) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Lets the system wake this thread when it is asked to, and not up to 50 us later.
pub(super) fn wake_exactly() {
    #[cfg(target_os = "linux")]
    if let Some(least) = std::num::NonZeroU64::new(1) {
        // Where that is not allowed, the lag that is measured shows it.
        let _ = rustix::thread::set_current_timer_slack(Some(least));
    }
}
