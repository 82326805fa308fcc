//! Writing a checkpoint's file.

use posthouse_core::ids::BatchNo;
use posthouse_core::store::Snapshot;

use super::segments::{Segments, is_full};
use crate::files::File;
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::{encode_chunk, encode_end, encode_first};
use crate::journal::layout::name::{UNFINISHED, checkpoint_batch, checkpoint_name};

/// A checkpoint's file that has not got its name yet.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    pub(super) batch: BatchNo,
    pub(super) bytes: u64,
    file: Box<dyn File>,
}

fn unfinished_name(batch: BatchNo) -> String {
    format!("{}{UNFINISHED}", checkpoint_name(batch))
}

impl CheckpointFile {
    /// Writes the whole state. What is set aside gives its room to it if there is none.
    ///
    /// # Errors
    /// The system's, after which the file is gone if only room was lacking.
    pub(super) fn write(
        segments: &Segments,
        snapshot: &dyn Snapshot,
    ) -> Result<CheckpointFile, Fault> {
        let name = unfinished_name(snapshot.batch());
        let file = create(segments, &name)?;
        let mut writing = Writing { segments, name: &name, file: &*file, bytes: 0 };
        let written = writing.write_all(snapshot);
        let bytes = writing.bytes;
        if let Err(fault) = written {
            drop(file);
            if is_full(&fault) {
                segments.files.remove(&name).map_err(Fault::io("remove", &name))?;
            }
            return Err(fault);
        }
        Ok(CheckpointFile { batch: snapshot.batch(), bytes, file })
    }

    /// Makes the content durable.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        self.file.sync().map_err(Fault::unsynced(&unfinished_name(self.batch)))
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn name(&self, segments: &Segments) -> Result<(), Fault> {
        let name = checkpoint_name(self.batch);
        let renamed = segments.files.rename(&unfinished_name(self.batch), &name);
        renamed.map_err(Fault::io("give its name to", &name))?;
        segments.sync_names()
    }
}

fn create(segments: &Segments, name: &str) -> Result<Box<dyn File>, Fault> {
    loop {
        match segments.files.create(name).map_err(Fault::io("make", name)) {
            Ok(file) => return Ok(file),
            Err(fault) => make_room_after(segments, fault)?,
        }
    }
}

fn make_room_after(segments: &Segments, fault: Fault) -> Result<(), Fault> {
    let spares = &segments.spares;
    spares.give_up_ballast_after(fault).or_else(|fault| spares.give_up_after(fault))
}

struct Writing<'a> {
    segments: &'a Segments,
    name: &'a str,
    file: &'a dyn File,
    bytes: u64,
}

impl Writing<'_> {
    fn write_all(&mut self, snapshot: &dyn Snapshot) -> Result<(), Fault> {
        let mut chunk = Vec::new();
        encode_first(&mut chunk, self.segments.store, snapshot.batch());
        let mut written = self.append(&chunk);
        snapshot.pieces(&mut |piece| {
            chunk.clear();
            encode_chunk(&mut chunk, piece);
            if written.is_ok() {
                written = self.append(&chunk);
            }
            written.is_ok()
        });
        written?;
        chunk.clear();
        encode_end(&mut chunk);
        self.append(&chunk)
    }

    fn append(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        while let Err(error) = self.file.write_at(chunk, self.bytes) {
            make_room_after(self.segments, Fault::io("write", self.name)(error))?;
        }
        self.bytes += chunk.len() as u64;
        Ok(())
    }
}

/// Removes all checkpoints but this one.
///
/// # Errors
/// The system's.
pub(super) fn remove_others(segments: &Segments, batch: BatchNo) -> Result<(), Fault> {
    let names = segments.files.names().map_err(Fault::io("list", "the journal's directory"))?;
    for name in names {
        if checkpoint_batch(&name).is_some_and(|other| other != batch) {
            segments.files.remove(&name).map_err(Fault::io("remove", &name))?;
        }
    }
    Ok(())
}
