//! Files that are open for reading, so that a load need not open them again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::bell::lock;
use super::opening::shared;
use super::options::Options;
use super::segments::Segments;
use super::spool::is_spool;
use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::name::segment_name;

/// How many files stay open for reading.
const OPEN_FILES_MAX: usize = 64;

/// A segment that can be read.
#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) file: Arc<dyn File>,
    pub(super) epoch: u64,
    pub(super) name: String,
}

/// See the module. The file that was used last is the last.
#[derive(Debug)]
pub(super) struct OpenFiles {
    spool: Arc<dyn Files>,
    opened: Mutex<VecDeque<(u64, Arc<OpenSegment>)>>,
}

impl OpenFiles {
    pub(super) fn new(spool: Arc<dyn Files>) -> OpenFiles {
        OpenFiles { spool, opened: Mutex::default() }
    }

    /// The segment with this id.
    ///
    /// # Errors
    /// If there is no such segment, or the system's.
    pub(super) fn get(
        &self,
        id: u64,
        segments: &Segments,
        options: &Options,
    ) -> Result<Arc<OpenSegment>, Fault> {
        let mut opened = lock(&self.opened);
        if let Some(index) = opened.iter().position(|(other, _)| *other == id)
            && let Some(found) = opened.remove(index)
        {
            let segment = found.1.clone();
            opened.push_back(found);
            return Ok(segment);
        }
        let segment = Arc::new(self.open(id, segments, options)?);
        opened.push_back((id, segment.clone()));
        if opened.len() > OPEN_FILES_MAX {
            opened.pop_front();
        }
        Ok(segment)
    }

    fn open(&self, id: u64, segments: &Segments, options: &Options) -> Result<OpenSegment, Fault> {
        let name = segment_name(id);
        if is_spool(id) {
            let file = shared(&*self.spool, &name)?;
            return Ok(OpenSegment { file, epoch: options.epoch_of(id), name });
        }
        let Some(head) = segments.head(id) else {
            return Err(Fault::damaged(&name, 0, "there is no such segment"));
        };
        Ok(OpenSegment { file: shared(&*segments.files, &name)?, epoch: head.epoch, name })
    }

    /// Closes a segment that goes, so that its room is given back.
    pub(super) fn close(&self, id: u64) {
        lock(&self.opened).retain(|(other, _)| *other != id);
    }
}
