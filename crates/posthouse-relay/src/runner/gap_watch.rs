//! When a source is asked for business ids that wait for a number which is not there, and whom to
//! tell of.
//!
//! A gap may last for good reasons, so nothing is done about it; people are told, again and again
//! while it lasts, but not more often than once a minute.

use crate::source::SourceError;
use crate::source::look::{Answer, Gap, Query};

/// From one question to the next, in milliseconds.
const PAUSE_MS: u64 = 60_000;

/// A gap younger than this, in milliseconds, is not worth a word: its writer is on its way.
const AGE_MS_MIN: i64 = 30_000;

/// See the module. Nothing is asked while a question is out.
#[derive(Debug)]
pub(super) struct GapWatch {
    due_ms: Option<u64>,
    after: Vec<u8>,
    /// Gaps that were found when all business ids were looked at, and since then.
    found: u64,
    found_since: u64,
}

impl GapWatch {
    /// The first question comes after a pause.
    pub(super) fn new(now_ms: u64) -> GapWatch {
        GapWatch { due_ms: Some(now_ms + PAUSE_MS), after: Vec::new(), found: 0, found_since: 0 }
    }

    /// When the next question is due, steady milliseconds.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.due_ms
    }

    /// The next question, if it is due.
    pub(super) fn begin(&mut self, now_ms: u64) -> Option<Query> {
        self.due_ms.filter(|due_ms| *due_ms <= now_ms)?;
        self.due_ms = None;
        Some(Query::Gaps { after: self.after.clone(), age_ms_min: AGE_MS_MIN })
    }

    /// How many business ids of this node wait.
    pub(super) fn keys(&self) -> u64 {
        self.found.max(self.found_since)
    }

    /// What people are to be told, as far as it is this node's. After the last business id it
    /// begins with the first again; a question that failed is asked again at its time.
    pub(super) fn hear(
        &mut self,
        now_ms: u64,
        answer: Result<Answer, SourceError>,
        is_ours: impl Fn(&Gap) -> bool,
    ) -> Vec<Gap> {
        self.due_ms = Some(now_ms + PAUSE_MS);
        let Ok(Answer::Gaps { mut gaps, next }) = answer else { return Vec::new() };
        gaps.retain(is_ours);
        self.found_since = self.found_since.saturating_add(gaps.len() as u64);
        if next.is_none() {
            self.found = std::mem::take(&mut self.found_since);
        }
        self.after = next.unwrap_or_default();
        gaps
    }
}

#[cfg(test)]
mod tests {
    use posthouse_pump::request::RequestId;

    use super::*;

    fn gap(key: &str) -> Gap {
        Gap { key: key.into(), missing: 2, waiting: RequestId(1), number: 3, age_ms: 40_000 }
    }

    fn asked(after: &str) -> Option<Query> {
        Some(Query::Gaps { after: after.into(), age_ms_min: 30_000 })
    }

    #[test]
    fn one_question_a_minute_walks_over_all_keys() {
        let mut watch = GapWatch::new(0);
        assert_eq!((watch.begin(59_999), watch.begin(60_000)), (None, asked("")));
        assert_eq!((watch.due_ms(), watch.begin(500_000)), (None, None), "one is out");
        let all = |_: &Gap| true;
        let gaps = vec![gap("k"), gap("theirs")];
        let first = Answer::Gaps { gaps, next: Some("k".into()) };
        let ours = |gap: &Gap| gap.key == "k";
        assert_eq!(watch.hear(60_100, Ok(first), ours), [gap("k")]);
        assert_eq!(watch.keys(), 1);
        assert_eq!((watch.begin(120_099), watch.begin(120_100)), (None, asked("k")));
        assert_eq!(watch.hear(120_200, Err(SourceError::late("asking")), all), []);
        assert_eq!(watch.begin(180_200), asked("k"));
        let last = || Ok(Answer::Gaps { gaps: vec![gap("l")], next: None });
        assert_eq!(watch.hear(180_300, last(), all), [gap("l")]);
        assert_eq!((watch.keys(), watch.begin(240_300)), (2, asked("")));
        assert_eq!((watch.hear(240_300, last(), all), watch.keys()), (vec![gap("l")], 1));
    }
}
