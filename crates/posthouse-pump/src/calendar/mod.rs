//! Processing windows: when requests may go out.
//!
//! A window is a time zone, weekly sessions, and dates on which other sessions hold. All questions are asked in Unix
//! milliseconds, and answered from the rules alone.

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// Always open.
    Always,
    /// Never open.
    Never,
}

impl Window {
    /// Whether it is open at an instant, Unix milliseconds. The opening instant belongs to it, the closing one does not.
    pub fn is_open(&self, _at_ms: i64) -> bool {
        matches!(self, Window::Always)
    }

    /// The first instant from `at_ms` on (itself included) at which it is open; `None` if none is known.
    pub fn next_open(&self, at_ms: i64) -> Option<i64> {
        self.is_open(at_ms).then_some(at_ms)
    }

    /// The first instant from `at_ms` on (itself included) at which it is shut; `None` if none is known.
    pub fn next_close(&self, at_ms: i64) -> Option<i64> {
        (!self.is_open(at_ms)).then_some(at_ms)
    }
}
