//! What the checker says about a chapter, and where the history is kept if something is wrong.

use std::fs;
use std::path::PathBuf;

use posthouse_sim::checker::{self, Figures};
use posthouse_sim::history::{History, What};

use super::Load;
use crate::server::target_dir;

impl Load {
    /// Fails with the checker's report unless every promise was kept.
    pub(super) fn judge(&self) -> Figures {
        let history = self.chronicle.copy();
        let report = checker::check(&history);
        let report = report.unwrap_or_else(|why| panic!("the history contradicts itself: {why}"));
        let deliveries = count(&history, |what| matches!(what, What::Deliver(_)));
        let crashes = count(&history, |what| *what == What::Crash);
        println!("{}: {crashes} crashes, {deliveries} deliveries, {report}", self.name);
        assert!(report.violations.is_empty(), "promises were broken: {report}");
        report.figures
    }
}

fn count(history: &History, is_meant: impl Fn(&What) -> bool) -> usize {
    history.events.iter().filter(|event| is_meant(&event.what)).count()
}

/// Writes a history to a file of its own below the target directory, and answers where.
pub(super) fn keep(name: &str, history: &History) -> PathBuf {
    let dir = target_dir().join("histories");
    let path = dir.join(format!("{name}.txt"));
    let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, history.to_text()));
    if let Err(error) = written {
        eprintln!("the history could not be written: {error}");
    }
    path
}
