//! Which files there are, by their names alone.

use posthouse_core::ids::BatchNo;

use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::name::{
    MANIFEST_NAMES, UNFINISHED, checkpoint_batch, segment_id, spare_number,
};

/// The names in a store's directory, sorted by what they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Slots of the manifest.
    pub manifests: Vec<String>,
    /// Ids and names of segments, in the order of the ids.
    pub segments: Vec<(u64, String)>,
    /// Names of spares.
    pub spares: Vec<String>,
    /// Batches and names of checkpoints, in the order of the batches.
    pub checkpoints: Vec<(BatchNo, String)>,
    /// Names of what was being written when the node stopped.
    pub unfinished: Vec<String>,
    /// Names of files that Posthouse does not know.
    pub strangers: Vec<String>,
}

impl Listing {
    pub(crate) fn read(files: &dyn Files) -> Result<Listing, Fault> {
        let names = files.names().map_err(Fault::io("list", "the journal's directory"))?;
        let mut listing = Listing::default();
        names.into_iter().for_each(|name| listing.add(name));
        listing.segments.sort_unstable();
        listing.checkpoints.sort_unstable();
        Ok(listing)
    }

    fn add(&mut self, name: String) {
        if MANIFEST_NAMES.contains(&&*name) {
            self.manifests.push(name);
        } else if let Some(id) = segment_id(&name) {
            self.segments.push((id, name));
        } else if spare_number(&name).is_some() {
            self.spares.push(name);
        } else if let Some(batch) = checkpoint_batch(&name) {
            self.checkpoints.push((batch, name));
        } else if name.ends_with(UNFINISHED) {
            self.unfinished.push(name);
        } else {
            self.strangers.push(name);
        }
    }
}
