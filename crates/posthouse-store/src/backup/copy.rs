//! Copying the files of a store one by one.

use std::io;

use super::Copied;
use super::output::Output;
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::block::{is_sum_right, stamp_of};
use crate::journal::layout::name::segment_id;
use crate::journal::layout::segment::StoreId;
use crate::journal::scan::{BlockReader, open, read_head};
use crate::journal::{HeldFile, HeldStore};

/// How much is read at once of what has no blocks.
const WINDOW_BYTES: usize = 1 << 20;

static NO_BLOCK: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// Is told how many bytes have been copied and how many there are, at least once for every
/// mebibyte. Answers whether to go on.
pub type GoOn<'a> = dyn FnMut(u64, u64) -> bool + 'a;

/// Copies a journal that is held still, durably but for the names. What is behind the durable
/// part of a file, and leftovers of its earlier lives, become holes.
///
/// # Errors
/// If a block is not what was written, a file cannot be read or written, or `go_on` answered no
/// ([`io::ErrorKind::Interrupted`]).
pub fn copy_held(
    from: &dyn Files,
    held: &HeldStore,
    to: &dyn Files,
    go_on: &mut GoOn<'_>,
) -> Result<Vec<Copied>, Fault> {
    let total = held.files.iter().map(|file| file.bytes).sum();
    let mut copying = Copying { from, to, meter: Meter { go_on, done: 0, told: 0, total } };
    let mut copied = Vec::with_capacity(held.files.len());
    for file in &held.files {
        copied.push(match segment_id(&file.name) {
            Some(id) => copying.segment(file, id, held.store)?,
            None => copying.whole(&file.name, file.bytes)?,
        });
    }
    Ok(copied)
}

/// Copies the files of a copy, durably but for the names, and checks on the way that they are
/// what they were.
///
/// # Errors
/// If a file is not what it was, a file cannot be read or written, or `go_on` answered no
/// ([`io::ErrorKind::Interrupted`]).
pub fn copy(
    from: &dyn Files,
    files: &[Copied],
    to: &dyn Files,
    go_on: &mut GoOn<'_>,
) -> Result<(), Fault> {
    let total = files.iter().map(|file| file.bytes).sum();
    let mut copying = Copying { from, to, meter: Meter { go_on, done: 0, told: 0, total } };
    for file in files {
        let copied = copying.whole(&file.name, file.bytes)?;
        if copied != *file {
            let what = "its CRC-32C is not the one that was noted when the copy was made";
            return Err(Fault::damaged(&file.name, 0, what));
        }
    }
    Ok(())
}

struct Copying<'a> {
    from: &'a dyn Files,
    to: &'a dyn Files,
    meter: Meter<'a>,
}

impl Copying<'_> {
    fn segment(&mut self, file: &HeldFile, id: u64, store: StoreId) -> Result<Copied, Fault> {
        let name = &file.name;
        let head = read_head(self.from, name, id, Some(store))?;
        if head.bytes != file.bytes {
            let what = format!("the node says that it has {} bytes", file.bytes);
            return Err(Fault::damaged(name, 0, what));
        }
        let mut reader = BlockReader::open(self.from, head, name)?;
        let mut output = Output::create(self.to, name)?;
        let durable_blocks = file.durable_bytes / BLOCK_BYTES as u64;
        for index in 0..head.blocks() {
            let is_durable = index < durable_blocks;
            let block = if is_durable { checked_block(&mut reader, index)? } else { &NO_BLOCK };
            output.append(block)?;
            self.meter.add(BLOCK_BYTES as u64)?;
        }
        output.finish()
    }

    fn whole(&mut self, name: &str, bytes: u64) -> Result<Copied, Fault> {
        let file = open(self.from, name)?;
        let there = file.bytes().map_err(Fault::io("read", name))?;
        if there != bytes {
            let what = format!("it has {there} bytes and should have {bytes}");
            return Err(Fault::damaged(name, there.min(bytes), what));
        }
        let mut output = Output::create(self.to, name)?;
        let mut window = vec![0; WINDOW_BYTES];
        let mut at = 0;
        while at < bytes {
            let read = file.read_at(&mut window, at).map_err(Fault::io("read", name))?;
            let there = window.get(..read).unwrap_or_default();
            if there.is_empty() {
                return Err(Fault::damaged(name, at, "the file has become shorter"));
            }
            output.append(there)?;
            at += read as u64;
            self.meter.add(read as u64)?;
        }
        output.finish()
    }
}

/// A block of this life of the segment, or nothing if it is not one.
fn checked_block(reader: &mut BlockReader, index: u64) -> Result<&[u8], Fault> {
    let epoch = reader.head().epoch;
    let block = reader.block(index)?;
    if stamp_of(block).is_none_or(|stamp| stamp.epoch != epoch) {
        return Ok(&NO_BLOCK);
    }
    if !is_sum_right(block) {
        let what = "a block is not what was written: its sum is wrong";
        return Err(reader.damaged(index, what));
    }
    reader.block(index)
}

/// Counts what was copied, and asks whether to go on.
struct Meter<'a> {
    go_on: &'a mut GoOn<'a>,
    done: u64,
    told: u64,
    total: u64,
}

impl Meter<'_> {
    fn add(&mut self, bytes: u64) -> Result<(), Fault> {
        self.done += bytes;
        let is_due = self.done - self.told >= WINDOW_BYTES as u64 || self.done >= self.total;
        if is_due {
            self.told = self.done;
            if !(self.go_on)(self.done, self.total) {
                let error = io::ErrorKind::Interrupted.into();
                return Err(Fault::Io { doing: "finish the copy".into(), error });
            }
        }
        Ok(())
    }
}
