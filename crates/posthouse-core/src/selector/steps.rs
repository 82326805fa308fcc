//! The budget of work that one evaluation may spend.

use crate::limits::SELECTOR_STEPS_MAX;

/// What is left of the budget. Once it ran out it stays out.
#[derive(Debug)]
pub(super) struct Steps {
    left: u32,
    exhausted: bool,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { left: SELECTOR_STEPS_MAX, exhausted: false }
    }

    /// Spends `count` steps and says whether there were as many.
    pub(super) fn take(&mut self, count: u32) -> bool {
        match self.left.checked_sub(count) {
            Some(left) => self.left = left,
            None => self.exhausted = true,
        }
        !self.exhausted
    }

    pub(super) fn spent(&self) -> u32 {
        SELECTOR_STEPS_MAX - self.left
    }

    pub(super) fn exhausted(&self) -> bool {
        self.exhausted
    }
}
