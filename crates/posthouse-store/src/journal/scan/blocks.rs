//! The blocks of one segment, read from the first to the last in large steps.

use crate::files::{File, Files};
use crate::journal::fault::Fault;
use crate::journal::layout::BLOCK_BYTES;
use crate::journal::layout::block::Stamp;
use crate::journal::layout::segment::SegmentHead;

/// How much is read at once: enough that the medium, not the calls, sets the pace.
const WINDOW_BYTES: usize = 1 << 20;
const WINDOW_BLOCKS: u64 = (WINDOW_BYTES / BLOCK_BYTES) as u64;

/// Reads blocks through a window that moves when it has to.
#[derive(Debug)]
pub(crate) struct BlockReader {
    file: Box<dyn File>,
    head: SegmentHead,
    name: String,
    window: Vec<u8>,
    /// The block that the window begins with.
    first: u64,
    /// How many bytes of the window have been read.
    filled: usize,
}

impl BlockReader {
    pub(crate) fn open(
        files: &dyn Files,
        head: SegmentHead,
        name: &str,
    ) -> Result<BlockReader, Fault> {
        let file = files.open(name).map_err(Fault::io("open", name))?;
        let name = name.to_owned();
        Ok(BlockReader { file, head, name, window: Vec::new(), first: 0, filled: 0 })
    }

    pub(crate) fn head(&self) -> &SegmentHead {
        &self.head
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The stamp of a block of this segment.
    pub(crate) fn stamp(&self, number: u64, index: u32) -> Stamp {
        Stamp { epoch: self.head.epoch, number, index }
    }

    /// The block at `index`; shorter, or empty, where the segment ends.
    pub(crate) fn block(&mut self, index: u64) -> Result<&[u8], Fault> {
        if index >= self.head.blocks() {
            return Ok(&[]);
        }
        if !(self.first..self.first + WINDOW_BLOCKS).contains(&index) || self.filled == 0 {
            self.move_to(index)?;
        }
        let start = (index - self.first) as usize * BLOCK_BYTES;
        let there = self.window.get(..self.filled).unwrap_or_default();
        let rest = there.get(start..).unwrap_or_default();
        Ok(rest.get(..BLOCK_BYTES).unwrap_or(rest))
    }

    /// Damage at the block with this index.
    pub(crate) fn damaged(&self, index: u64, what: impl Into<String>) -> Fault {
        Fault::damaged(&self.name, index * BLOCK_BYTES as u64, what)
    }

    fn move_to(&mut self, index: u64) -> Result<(), Fault> {
        let blocks = (self.head.blocks() - index).min(WINDOW_BLOCKS);
        let bytes = blocks as usize * BLOCK_BYTES;
        if self.window.len() < bytes {
            self.window.resize(bytes, 0);
        }
        let window = self.window.get_mut(..bytes).unwrap_or_default();
        let read = self.file.read_at(window, index * BLOCK_BYTES as u64);
        self.filled = read.map_err(Fault::io("read", &self.name))?;
        self.first = index;
        Ok(())
    }
}
