//! The directory: the names that the medium holds for certain, those that programs see, and the
//! changes that lie between the two.
//!
//! Changes of names that have nothing to do with each other may reach the medium in any order and
//! without each other. Changes of one name, or of one file's names, stay in order: a file system
//! never shows a later one without the earlier one that it builds on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One file in all its life, whatever it is called.
pub type FileNo = u32;

/// Names and what they name.
pub type Table = BTreeMap<Arc<str>, FileNo>;

/// One change of names.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new file.
    Created(Arc<str>, FileNo),
    /// A file has another name; one that had it before is gone.
    Renamed(Arc<str>, Arc<str>, FileNo),
    /// A name is gone.
    Removed(Arc<str>, FileNo),
}

impl Change {
    fn apply(&self, table: &mut Table) {
        match self {
            Change::Created(name, file) => drop(table.insert(name.clone(), *file)),
            Change::Removed(name, _) => drop(table.remove(name)),
            Change::Renamed(from, to, file) => {
                table.remove(from);
                table.insert(to.clone(), *file);
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        let (one, other) = match self {
            Change::Created(name, _) | Change::Removed(name, _) => (name, None),
            Change::Renamed(from, to, _) => (from, Some(to)),
        };
        std::iter::once(one).chain(other)
    }

    fn file(&self) -> FileNo {
        match self {
            Change::Created(_, file) | Change::Removed(_, file) | Change::Renamed(_, _, file) => {
                *file
            }
        }
    }
}

/// A change that no sync of the directory has made durable.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Which operation made it.
    pub operation: usize,
    change: Change,
    is_doubtful: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Names {
    durable: Table,
    live: Table,
    pending: Vec<Pending>,
}

impl Names {
    /// What programs see.
    pub fn live(&self) -> &Table {
        &self.live
    }

    /// What no sync has made durable.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// A change by a program.
    pub fn change(&mut self, operation: usize, change: Change) {
        change.apply(&mut self.live);
        self.pending.push(Pending { operation, change, is_doubtful: false });
    }

    /// A sync that succeeds, but for what an earlier, failed one has dropped and what builds on
    /// that.
    pub fn sync(&mut self) {
        (self.durable, self.pending) = self.part(&mut |pending| !pending.is_doubtful);
        self.fail_sync();
    }

    /// A sync that fails.
    pub fn fail_sync(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.is_doubtful = true);
    }

    /// What the medium has after a power cut in which those changes survive that `survives`, as
    /// far as what they build on survives too.
    pub fn settled(&self, survives: &mut dyn FnMut(&Pending) -> bool) -> Names {
        let (table, _) = self.part(survives);
        Names { live: table.clone(), durable: table, pending: Vec::new() }
    }

    /// The names with those changes that are wanted, and the changes that are left out.
    fn part(&self, wanted: &mut dyn FnMut(&Pending) -> bool) -> (Table, Vec<Pending>) {
        let mut table = self.durable.clone();
        let mut left_out: Vec<Pending> = Vec::new();
        let mut stuck_names: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut stuck_files: BTreeSet<FileNo> = BTreeSet::new();
        for pending in &self.pending {
            let change = &pending.change;
            let is_stuck = stuck_files.contains(&change.file())
                || change.names().any(|name| stuck_names.contains(name));
            if wanted(pending) && !is_stuck {
                change.apply(&mut table);
                continue;
            }
            stuck_names.extend(change.names().cloned());
            stuck_files.insert(change.file());
            left_out.push(pending.clone());
        }
        (table, left_out)
    }
}
