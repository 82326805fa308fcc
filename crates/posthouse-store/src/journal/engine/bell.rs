//! How the threads of the journal wake each other, and how they share what a lock guards.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks, also after a panic of another holder: a panic stops the store, and the others must
/// still be able to look and end.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bell that one thread waits for. A ring that comes too early is not lost.
#[derive(Debug, Default)]
pub(super) struct Bell {
    is_rung: Mutex<bool>,
    rung: Condvar,
}

impl Bell {
    /// Wakes whoever waits, or whoever waits next.
    pub(super) fn ring(&self) {
        *lock(&self.is_rung) = true;
        self.rung.notify_one();
    }

    /// Waits for a ring, at most for `timeout`. Answers whether it came.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let is_rung = lock(&self.is_rung);
        let silent = |is_rung: &mut bool| !*is_rung;
        let mut is_rung = match timeout {
            None => self.rung.wait_while(is_rung, silent).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = self.rung.wait_timeout_while(is_rung, timeout, silent);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        std::mem::take(&mut is_rung)
    }
}
