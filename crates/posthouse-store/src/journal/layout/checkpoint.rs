//! Checkpoints: a row of chunks, each with its length and sum, from a first that says whose they
//! are to an empty one that marks the end. `docs/log-format.md`, "Checkpoints".

use posthouse_core::ids::BatchNo;

use super::field::{bytes_at, put_at, u32_at, u64_at};
use super::segment::StoreId;
use super::{CHUNK_BYTES_MAX, FORMAT};
use crate::files::File;
use crate::journal::fault::Fault;

const MAGIC: [u8; 8] = *b"PHCHECKP";
const FIRST_BYTES: usize = 40;
const CHUNK_HEAD_BYTES: usize = 8;

/// What the first chunk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointHead {
    /// Which store it belongs to.
    pub store: StoreId,
    /// The last batch that the state takes in.
    pub batch: BatchNo,
}

/// Appends the first chunk of a checkpoint of the state after `batch`.
pub fn encode_first(out: &mut Vec<u8>, store: StoreId, batch: BatchNo) {
    let mut first = [0; FIRST_BYTES];
    put_at(&mut first, 0, &MAGIC);
    put_at(&mut first, 8, &FORMAT.to_le_bytes());
    put_at(&mut first, 16, &store.0);
    put_at(&mut first, 32, &batch.0.to_le_bytes());
    append_chunk(out, &first);
}

/// Appends a chunk of records.
///
/// # Panics
/// If the payload is empty, or longer than [`CHUNK_BYTES_MAX`].
pub fn encode_chunk(out: &mut Vec<u8>, payload: &[u8]) {
    assert!(!payload.is_empty(), "an empty chunk marks the end");
    append_chunk(out, payload);
}

/// Appends the chunk that marks the end.
pub fn encode_end(out: &mut Vec<u8>) {
    append_chunk(out, &[]);
}

fn append_chunk(out: &mut Vec<u8>, payload: &[u8]) {
    assert!(payload.len() <= CHUNK_BYTES_MAX, "a chunk has at most 1 MiB");
    let length = (payload.len() as u32).to_le_bytes();
    out.extend_from_slice(&length);
    out.extend_from_slice(&sum_of(length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

fn sum_of(length: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), payload)
}

/// Reads a checkpoint chunk by chunk, in memory for one of them.
#[derive(Debug)]
pub struct ChunkReader<'a> {
    file: &'a dyn File,
    name: &'a str,
    head: CheckpointHead,
    bytes: u64,
    at: u64,
    payload: Vec<u8>,
    is_over: bool,
}

impl<'a> ChunkReader<'a> {
    /// Begins to read the checkpoint `file`, whose name faults will give.
    ///
    /// # Errors
    /// If the file cannot be read, or does not begin as a checkpoint does.
    pub fn open(file: &'a dyn File, name: &'a str) -> Result<ChunkReader<'a>, Fault> {
        let bytes = file.bytes().map_err(Fault::io("read", name))?;
        let head = CheckpointHead { store: StoreId::default(), batch: BatchNo(0) };
        let payload = Vec::new();
        let mut reader = ChunkReader { file, name, head, bytes, at: 0, payload, is_over: false };
        reader.read_chunk()?;
        reader.head = reader.decode_first()?;
        Ok(reader)
    }

    /// What the first chunk says.
    pub fn head(&self) -> CheckpointHead {
        self.head
    }

    /// How many bytes of the file have been read.
    pub fn bytes_read(&self) -> u64 {
        self.at
    }

    /// The next payload; `None` at the mark of the end, behind which there must be nothing.
    ///
    /// # Errors
    /// If the file cannot be read or is not what was written.
    pub fn next_payload(&mut self) -> Result<Option<&[u8]>, Fault> {
        if self.is_over {
            return Ok(None);
        }
        self.read_chunk()?;
        self.is_over = self.payload.is_empty();
        if self.is_over && self.at != self.bytes {
            return Err(self.damaged("the file goes on behind the mark of the end"));
        }
        Ok((!self.is_over).then_some(&*self.payload))
    }

    fn read_chunk(&mut self) -> Result<(), Fault> {
        let mut head = [0; CHUNK_HEAD_BYTES];
        self.read_into(&mut head, self.at)?;
        let length: [u8; 4] = bytes_at(&head, 0).unwrap_or_default();
        let payload_at = self.at + CHUNK_HEAD_BYTES as u64;
        let payload_bytes = u32::from_le_bytes(length) as usize;
        let end = payload_at + payload_bytes as u64;
        if payload_bytes > CHUNK_BYTES_MAX || end > self.bytes {
            return Err(self.damaged("a chunk is longer than it can be"));
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(payload_bytes, 0);
        self.read_into(&mut payload, payload_at)?;
        if u32_at(&head, 4) != Some(sum_of(length, &payload)) {
            return Err(self.damaged("the sum of a chunk is wrong"));
        }
        self.payload = payload;
        self.at = end;
        Ok(())
    }

    fn read_into(&self, buffer: &mut [u8], at: u64) -> Result<(), Fault> {
        let read = self.file.read_at(buffer, at).map_err(Fault::io("read", self.name))?;
        if read < buffer.len() {
            return Err(self.damaged("the file ends before the mark of its end"));
        }
        Ok(())
    }

    fn decode_first(&self) -> Result<CheckpointHead, Fault> {
        let damaged = |what| Fault::damaged(self.name, 0, what);
        let first = &*self.payload;
        if !first.starts_with(&MAGIC) {
            return Err(damaged("it does not begin as a checkpoint does"));
        }
        match u32_at(first, 8) {
            Some(format) if format > FORMAT => {
                Err(Fault::Future { file: self.name.to_owned(), format })
            }
            Some(FORMAT) => head_of(first).ok_or_else(|| damaged("its head has a wrong length")),
            _ => Err(damaged("there is no format 0")),
        }
    }

    fn damaged(&self, what: &str) -> Fault {
        Fault::damaged(self.name, self.at, what)
    }
}

fn head_of(first: &[u8]) -> Option<CheckpointHead> {
    let store = StoreId(bytes_at(first, 16)?);
    let head = CheckpointHead { store, batch: BatchNo(u64_at(first, 32)?) };
    (first.len() == FIRST_BYTES).then_some(head)
}
