//! The hold that a backup has on the store: who has it, and for how long.
//!
//! There is one at a time. It ends when it is let go or not renewed, and when the disk fills up:
//! nothing is freed during a hold, and acknowledgements go before backups.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use posthouse_store::journal::{HeldStore, Hold};

use super::problem::Problem;
use crate::codes::Code;

/// How long a hold lasts unless it is renewed.
const HOLD_LIFE: Duration = Duration::from_secs(60);

/// The hold that there is.
#[derive(Debug, Default)]
pub(super) struct Holds(Mutex<Current>);

#[derive(Default)]
struct Current {
    /// Counts holds.
    last_id: u64,
    held: Option<Held>,
}

struct Held {
    id: u64,
    hold: Hold,
    ends: Instant,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = self.held.as_ref().map(|held| held.id);
        f.debug_struct("Current").field("last_id", &self.last_id).field("held", &id).finish()
    }
}

impl Holds {
    /// No step between locking and unlocking leaves the state half changed, so that a panic
    /// elsewhere is no reason not to use it.
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is one.
    pub(super) fn is_held(&self) -> bool {
        self.lock().held.is_some()
    }

    /// Lets go of the store whoever has it, because the node stops.
    pub(super) fn end_all(&self) {
        self.lock().held = None;
    }

    pub(super) fn insert(&self, hold: Hold, now: Instant) -> u64 {
        let mut state = self.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.held = Some(Held { id, hold, ends: now + HOLD_LIFE });
        id
    }

    /// The files, once the store has come to rest.
    ///
    /// # Errors
    /// That the hold is over.
    pub(super) fn store(&self, id: u64) -> Result<Option<Arc<HeldStore>>, Problem> {
        let state = self.lock();
        let held = state.held.as_ref().filter(|held| held.id == id).ok_or_else(|| over(id))?;
        Ok(held.hold.store())
    }

    pub(super) fn renew(&self, id: u64, now: Instant) -> Result<(), Problem> {
        let mut state = self.lock();
        let held = state.held.as_mut().filter(|held| held.id == id).ok_or_else(|| over(id))?;
        held.ends = now + HOLD_LIFE;
        Ok(())
    }

    pub(super) fn end(&self, id: u64) -> Result<(), Problem> {
        let mut state = self.lock();
        let held = state.held.take_if(|held| held.id == id);
        held.map(|_| ()).ok_or_else(|| over(id))
    }

    /// Ends a hold that has lasted too long, or stands in the way. Answers whether it goes on.
    pub(super) fn watch(&self, id: u64, now: Instant, is_full: bool) -> bool {
        let mut state = self.lock();
        let must_end = |held: &Held| is_full || held.ends <= now;
        if state.held.take_if(|held| held.id == id && must_end(held)).is_some() {
            tracing::warn!(id, is_full, "ended the hold of a backup");
        }
        state.held.as_ref().is_some_and(|held| held.id == id)
    }
}

/// Milliseconds for which a hold lasts unless it is renewed.
pub(super) fn life_ms() -> u64 {
    u64::try_from(HOLD_LIFE.as_millis()).unwrap_or(u64::MAX)
}

fn over(id: u64) -> Problem {
    let detail = format!(
        "the hold {id} is over: it was not renewed in time, or the disk of the node was filling up"
    );
    Problem::new(StatusCode::CONFLICT, Code::StoreHeld, detail)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use posthouse_core::ids::BatchNo;
    use posthouse_core::store::Store;
    use posthouse_store::files::real::RealFiles;
    use posthouse_store::journal::{Crew, Hands, Journal, Options};

    use super::{HOLD_LIFE, Holds};

    fn with_journal(test: impl FnOnce(&Journal, &Holds)) {
        let directory = tempfile::tempdir().expect("a directory");
        let files = |name| RealFiles::open(directory.path().join(name)).expect("it can be made");
        let options = Options { segment_bytes: 64 << 10, spares: 0, ..Options::default() };
        let crew = Crew::ByHand(Hands::new());
        let (journal, spool) = (Arc::new(files("journal")), Arc::new(files("spool")));
        let mut journal = Journal::open(journal, spool, options, crew).expect("it is new");
        assert!(journal.recover(BatchNo(1)).expect("it is new").is_none());
        test(&journal, &Holds::default());
    }

    #[test]
    fn a_hold_lasts_as_long_as_it_is_renewed() {
        with_journal(|journal, holds| {
            let start = Instant::now();
            let id = holds.insert(journal.watch().hold().expect("it is free"), start);
            assert!(journal.watch().hold().is_none(), "one at a time");
            assert!(holds.watch(id, start + HOLD_LIFE / 2, false));
            holds.renew(id, start + HOLD_LIFE / 2).expect("it goes on");
            assert!(holds.watch(id, start + HOLD_LIFE, false));
            assert!(!holds.watch(id, start + HOLD_LIFE * 2, false));
            holds.renew(id, start).expect_err("it is over");
            holds.end(id).expect_err("it is over");
            assert!(journal.watch().hold().is_some());
        });
    }

    #[test]
    fn a_full_disk_ends_a_hold() {
        with_journal(|journal, holds| {
            let start = Instant::now();
            let id = holds.insert(journal.watch().hold().expect("it is free"), start);
            assert!(!holds.watch(id, start, true));
            assert!(!holds.is_held());
        });
    }

    #[test]
    fn an_old_number_does_not_end_another_hold() {
        with_journal(|journal, holds| {
            let start = Instant::now();
            let first = holds.insert(journal.watch().hold().expect("it is free"), start);
            holds.end(first).expect("it goes on");
            let second = holds.insert(journal.watch().hold().expect("it is free"), start);
            holds.end(first).expect_err("it is over");
            assert!(!holds.watch(first, start, true) && holds.is_held());
            holds.end(second).expect("it goes on");
        });
    }
}
