//! Writing one file of a copy, with holes where there are only zeros.

use super::Copied;
use crate::files::{File, Files};
use crate::journal::fault::Fault;

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 1 << 20;

/// Zeros of this length, in step with their place in the file, become a hole.
const HOLE_BYTES: usize = 4096;

/// See the module.
pub(super) struct Output<'a> {
    file: Box<dyn File>,
    name: &'a str,
    buffer: Vec<u8>,
    /// Where the buffer begins.
    at: u64,
    /// Where what has been written ends.
    written: u64,
    sum: u32,
}

impl<'a> Output<'a> {
    /// Makes the file `name`.
    pub(super) fn create(to: &dyn Files, name: &'a str) -> Result<Output<'a>, Fault> {
        let file = to.create(name).map_err(Fault::io("make the copy of", name))?;
        let buffer = Vec::with_capacity(BUFFER_BYTES);
        Ok(Output { file, name, buffer, at: 0, written: 0, sum: 0 })
    }

    /// Appends what fits into one buffer at the most.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Completes the file, durably.
    pub(super) fn finish(mut self) -> Result<Copied, Fault> {
        self.flush()?;
        if self.written < self.at {
            // The last byte of a hole at the end gives the file its length.
            self.write(&[0], self.at - 1)?;
        }
        self.file.sync().map_err(Fault::io("sync the copy of", self.name))?;
        Ok(Copied { name: self.name.to_owned(), bytes: self.at, crc32c: self.sum })
    }

    fn flush(&mut self) -> Result<(), Fault> {
        let buffer = std::mem::take(&mut self.buffer);
        self.sum = crc32c::crc32c_append(self.sum, &buffer);
        let mut at = self.at;
        let pieces: Vec<&[u8]> = buffer.chunks(HOLE_BYTES).collect();
        for run in pieces.chunk_by(|one, other| is_hole(one) == is_hole(other)) {
            let bytes = run.iter().map(|piece| piece.len()).sum::<usize>();
            let start = (at - self.at) as usize;
            if !run.first().is_some_and(|piece| is_hole(piece)) {
                self.write(buffer.get(start..start + bytes).unwrap_or_default(), at)?;
            }
            at += bytes as u64;
        }
        self.at = at;
        self.buffer = buffer;
        self.buffer.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), Fault> {
        self.file.write_at(bytes, at).map_err(Fault::io("write the copy of", self.name))?;
        self.written = at + bytes.len() as u64;
        Ok(())
    }
}

fn is_hole(piece: &[u8]) -> bool {
    piece.iter().all(|byte| *byte == 0)
}
