//! Errors to order: the n-th call of some kind fails, once or from then on.

use std::io;

/// What programs do to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opening a file that is there.
    Open,
    /// Making a file.
    Create,
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// Setting room aside.
    Reserve,
    /// Syncing a file.
    Sync,
    /// Giving a file another name.
    Rename,
    /// Removing a name.
    Remove,
    /// Syncing the directory.
    SyncNames,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 9] = [
        Action::Open,
        Action::Create,
        Action::Read,
        Action::Write,
        Action::Reserve,
        Action::Sync,
        Action::Rename,
        Action::Remove,
        Action::SyncNames,
    ];
}

/// An error to come.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What fails.
    pub action: Action,
    /// Which of the calls to come, from 1.
    pub nth: u64,
    /// With what.
    pub error: io::ErrorKind,
    /// Whether all later calls fail, too.
    pub is_lasting: bool,
}

/// The errors that have been ordered.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    ordered: Vec<(Fault, u64)>,
    struck: u64,
}

impl Faults {
    /// Orders an error.
    pub fn order(&mut self, fault: Fault) {
        self.ordered.push((fault, 0));
    }

    /// Takes back what was ordered.
    pub fn clear(&mut self) {
        self.ordered.clear();
    }

    /// How often a call has failed as ordered.
    pub fn struck(&self) -> u64 {
        self.struck
    }

    /// A call comes.
    ///
    /// # Errors
    /// What was ordered for it.
    pub fn meet(&mut self, action: Action) -> io::Result<()> {
        let mut met = None;
        for (fault, calls) in self.ordered.iter_mut().filter(|(fault, _)| fault.action == action) {
            *calls += 1;
            if *calls == fault.nth || *calls > fault.nth && fault.is_lasting {
                met = Some(fault.error);
            }
        }
        self.struck += u64::from(met.is_some());
        met.map_or(Ok(()), |kind| Err(io::Error::new(kind, "an error to order")))
    }
}
