//! What the checker says about a chapter, and where the history is kept if something is wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use posthouse_sim::checker::{self, Figures, Report};
use posthouse_sim::history::{History, What};
use posthouse_store::files::Files;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::inspect;

use super::Load;
use crate::server::target_dir;

impl Load {
    /// What the checker says. If that is not good, the history is kept.
    pub(super) fn judge(&self) -> Report {
        let history = self.chronicle.copy();
        let report = checker::check(&history);
        let report = report.unwrap_or_else(|why| panic!("the history contradicts itself: {why}"));
        let deliveries = count(&history, |what| matches!(what, What::Deliver(_)));
        let crashes = count(&history, |what| *what == What::Crash);
        println!("{}: {crashes} crashes, {deliveries} deliveries, {report}", self.name);
        if !report.violations.is_empty() {
            self.keep(&history);
        }
        report
    }

    /// Writes a history to a file of its own below the target directory.
    pub(super) fn keep(&self, history: &History) {
        let dir = target_dir().join("histories");
        let path = dir.join(format!("{}-{}-{}.txt", self.name, self.seed, self.chapter));
        let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, history.to_text()));
        match written {
            Ok(()) => eprintln!("the history is in {}", path.display()),
            Err(error) => eprintln!("the history could not be written: {error}"),
        }
    }
}

fn count(history: &History, is_meant: impl Fn(&What) -> bool) -> usize {
    history.events.iter().filter(|event| is_meant(&event.what)).count()
}

/// Fails unless every promise was kept, and something was promised at all.
pub(crate) fn expect_kept(report: &Report) -> Figures {
    assert!(report.violations.is_empty(), "promises were broken: {report}");
    assert!(report.figures.acknowledged > 0, "nothing happened: {report}");
    report.figures
}

/// Reads everything in a journal that no node has open. Fails if there is damage.
pub(crate) fn check_store(dir: &Path) {
    let files: Arc<dyn Files> = Arc::new(RealFiles::open(dir).expect("the journal is there"));
    let report = inspect::check(&files, &mut |_, _| {}).expect("the journal can be read");
    assert!(report.is_sound(), "the store is damaged: {:#?}", report.findings);
}
