//! What an inspection finds that is not simply in order.

use std::fmt;

use crate::journal::fault::Fault;

/// The most findings that are kept: a person needs no more to see what has happened.
const FINDINGS_MAX: usize = 1_000;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Something that was written is not as it was written, or is gone.
    Damage,
    /// Something that was being written when the node stopped, and that nobody was told of.
    Tail,
    /// Something of Posthouse's own that is not needed any more.
    Leftover,
    /// Something that is not Posthouse's.
    Stranger,
}

impl FindingKind {
    /// A word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            FindingKind::Damage => "damage",
            FindingKind::Tail => "unconfirmed tail",
            FindingKind::Leftover => "leftover",
            FindingKind::Stranger => "stranger",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// Name of the file in the store's directory.
    pub file: String,
    /// The byte at which it begins.
    pub at: u64,
    /// How many bytes it takes; 0 if that is not known.
    pub bytes: u64,
    /// What it is, for a person.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { kind, file, at, bytes, what } = self;
        write!(f, "{}: {file} at byte {at}", kind.as_str())?;
        if *bytes > 0 {
            write!(f, ", {bytes} bytes")?;
        }
        write!(f, ": {what}")
    }
}

/// The findings so far. Those that continue the one before are made one with it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub all: Vec<Finding>,
    pub left_out: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let is_room = self.all.len() < FINDINGS_MAX;
        match self.all.last_mut() {
            Some(last) if is_continued(last, &finding) => last.bytes += finding.bytes,
            _ if is_room => self.all.push(finding),
            _ => self.left_out += 1,
        }
    }

    /// Adds a fault that concerns `file` and, if known, so many bytes of it.
    pub(super) fn add_fault(&mut self, file: &str, bytes: u64, fault: &Fault) {
        let (file, at, what) = match fault {
            Fault::Damaged { file, at, what } => (file.as_str(), *at, what.clone()),
            Fault::Future { .. } | Fault::Io { .. } => (file, 0, fault.to_string()),
        };
        let file = file.to_owned();
        self.add(Finding { kind: FindingKind::Damage, file, at, bytes, what });
    }

    /// Whether damage is known at that byte.
    pub(super) fn has_damage_at(&self, file: &str, at: u64) -> bool {
        self.all.iter().any(|finding| {
            let there = finding.at..finding.at + finding.bytes.max(1);
            finding.kind == FindingKind::Damage && finding.file == file && there.contains(&at)
        })
    }
}

/// Neighbours are one finding, so that a block is not told apart from the ten thousand behind it.
fn is_continued(last: &Finding, next: &Finding) -> bool {
    let is_same = last.kind == next.kind && last.file == next.file && last.what == next.what;
    is_same && last.bytes > 0 && last.at + last.bytes == next.at
}
