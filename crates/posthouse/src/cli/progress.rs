//! How far a long command has come, on standard error, for whoever watches on a terminal. Nothing
//! is shown anywhere else, so that logs stay clean.

use indicatif::{ProgressBar, ProgressStyle};

/// What is shown: what is done, how much of it, and how long it will take.
const TEMPLATE: &str = "{msg} {bar:40} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}";

/// One bar, which goes when it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for doing `what`, in bytes.
    pub(super) fn new(what: &'static str) -> Progress {
        let bar = ProgressBar::new(0).with_message(what);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style);
        }
        Progress { bar }
    }

    /// So many bytes of so many are done.
    pub(super) fn show(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
