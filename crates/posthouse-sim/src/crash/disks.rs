//! The disks of one node: the journal's directory, and that of the spool.

use posthouse_store::files::sim::{Fate, SimFiles};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Disks {
    /// The journal's.
    pub journal: SimFiles,
    /// The spool's, whose content nobody may rely on after a crash.
    pub spool: SimFiles,
}

impl Disks {
    /// What is left if both crash after `at` operations on the journal's.
    pub fn crashed(&self, at: usize, fate: Fate, seed: u64) -> Disks {
        let spooled = self.spool.operations();
        Disks {
            journal: self.journal.crashed(at, fate, seed),
            spool: self.spool.crashed(spooled, fate, !seed),
        }
    }
}
