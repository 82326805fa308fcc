//! The hours of a platform: sessions of whole minutes, counted from the minute in which the test
//! begins.

use posthouse_pump::calendar::{Window, WindowSpec};

use super::super::clock::now_us;

/// Clocks of several processes differ by no more.
const ERROR_MS: i64 = 100;

/// See the module.
pub(super) struct Hours {
    /// As it stands in a configuration.
    pub(super) weekly: String,
    window: Window,
}

impl Hours {
    /// Sessions as minutes since the beginning, the second of each excluded; without any, always
    /// open.
    pub(super) fn new(begin_minute: i64, sessions: &[(i64, i64)]) -> Hours {
        let time = |minute: i64| {
            let minute = (begin_minute + minute).rem_euclid(1_440);
            format!("{:02}:{:02}", minute / 60, minute % 60)
        };
        let texts = sessions.iter().map(|(from, to)| format!("{}-{}", time(*from), time(*to)));
        let weekly = match sessions {
            [] => "always".to_owned(),
            _ => format!("mon-sun {}", texts.collect::<Vec<String>>().join(", ")),
        };
        let spec = WindowSpec {
            zone: "UTC".to_owned(),
            weekly: vec![weekly.clone()],
            ..WindowSpec::default()
        };
        Hours { weekly, window: spec.check().expect("it can be understood") }
    }

    /// Whether a request may come in now, or might have been on its way when it still could.
    pub(super) fn is_open_now(&self) -> bool {
        let now_ms = now_us() / 1_000;
        [now_ms - ERROR_MS, now_ms + ERROR_MS].iter().any(|at_ms| self.window.is_open(*at_ms))
    }
}
