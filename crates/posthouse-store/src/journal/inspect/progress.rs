//! How far an inspection has come.

use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::scan::{Listing, open};

/// Is told how many bytes have been read and how many there are. Told again at least once for
/// every mebibyte.
pub type Tell<'a> = dyn FnMut(u64, u64) + 'a;

const STEP_BYTES: u64 = 1 << 20;

/// Counts what has been read and tells it in steps.
pub(super) struct Progress<'a> {
    tell: &'a mut Tell<'a>,
    done: u64,
    told: u64,
    total: u64,
}

impl<'a> Progress<'a> {
    /// For reading all segments, checkpoints and slots of the manifest.
    pub(super) fn new(files: &dyn Files, listing: &Listing, tell: &'a mut Tell<'a>) -> Self {
        let segments = listing.segments.iter().map(|(_, name)| name);
        let checkpoints = listing.checkpoints.iter().map(|(_, name)| name);
        let names = segments.chain(checkpoints).chain(&listing.manifests);
        // What has no length now will be told as a fault when it is read.
        let total = names.map(|name| bytes_of(files, name).unwrap_or(0)).sum();
        tell(0, total);
        Progress { tell, done: 0, told: 0, total }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.done - self.told >= STEP_BYTES || self.done == self.total {
            self.told = self.done;
            (self.tell)(self.done, self.total);
        }
    }
}

/// The length of a file.
pub(super) fn bytes_of(files: &dyn Files, name: &str) -> Result<u64, Fault> {
    open(files, name)?.bytes().map_err(Fault::io("read", name))
}
