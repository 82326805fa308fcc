//! A store in memory whose syncs are played by hand. It has places, so that bodies can be paged
//! out, and keeps checkpoints.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use crate::ids::BatchNo;
use crate::limits::UNSYNCED_BYTES_MAX;
use crate::record::codec;
use crate::store::{
    Batch, Completion, Kept, Loaded, Locator, Recovered, Snapshot, Store, TakePiece,
};

/// Clones are the same disk.
#[derive(Clone, Default)]
pub(super) struct Disk(pub(super) Rc<RefCell<State>>);

#[derive(Default)]
pub(super) struct State {
    /// Every batch that was submitted and not lost.
    pub(super) batches: Vec<Batch>,
    pub(super) durable: u64,
    pub(super) reported: u64,
    /// Whether batches are durable at once.
    pub(super) always: bool,
    /// Whether a checkpoint is taken after every batch.
    pub(super) checkpoints: bool,
    /// What may be submitted and not be durable, if less than usual.
    pub(super) unsynced_bytes_max: Option<usize>,
    checkpoint: Option<(BatchNo, Vec<Vec<u8>>)>,
    spool: BTreeMap<u64, Vec<u8>>,
    /// Bytes of the spool that are wanted.
    spooled_bytes: usize,
    /// Bodies that cannot be read.
    pub(super) spoilt: Vec<String>,
    outbox: Vec<Completion>,
}

/// Bytes of places between two batches.
const BATCH_BITS: u32 = 24;

/// Places in the spool have this bit.
const SPOOL: u64 = 1 << 60;

impl State {
    fn bytes_at(&self, locator: Locator) -> Bytes {
        if locator.0 & SPOOL != 0 {
            let (first, records) = self.spool.range(..=locator.0).next_back().expect("spooled");
            return records[(locator.0 - first) as usize..].to_vec().into();
        }
        let batch = &self.batches[(locator.0 >> BATCH_BITS) as usize - 1];
        batch.records[(locator.0 & ((1 << BATCH_BITS) - 1)) as usize..].to_vec().into()
    }

    fn checkpoint_if_durable(&self) -> Option<&(BatchNo, Vec<Vec<u8>>)> {
        self.checkpoint.as_ref().filter(|(batch, _)| batch.0 <= self.durable)
    }

    /// Bytes of the spool that are wanted.
    pub(super) fn spooled_bytes(&self) -> usize {
        self.spooled_bytes
    }

    /// Whether there is something to tell.
    pub(super) fn has_news(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Loses what is not durable.
    pub(super) fn crash(&mut self) {
        self.batches.truncate(self.durable as usize);
        self.checkpoint = self.checkpoint.take().filter(|(batch, _)| batch.0 <= self.durable);
        self.spool.clear();
        self.spooled_bytes = 0;
        self.outbox.clear();
        self.reported = 0;
    }
}

impl Store for Disk {
    fn submit(&mut self, batch: Batch) -> Locator {
        let mut state = self.0.borrow_mut();
        let place = Locator(batch.number.0 << BATCH_BITS);
        state.batches.push(batch);
        if state.checkpoints {
            state.outbox.push(Completion::CheckpointWanted);
        }
        place
    }

    fn poll(&mut self) -> Option<Completion> {
        let mut state = self.0.borrow_mut();
        if !state.outbox.is_empty() {
            return Some(state.outbox.remove(0));
        }
        if state.always {
            state.durable = state.batches.len() as u64;
        }
        let is_news = state.durable > state.reported;
        state.reported = state.durable;
        is_news.then_some(Completion::Durable(BatchNo(state.durable)))
    }

    fn unsynced_bytes_max(&self) -> usize {
        self.0.borrow().unsynced_bytes_max.unwrap_or(UNSYNCED_BYTES_MAX)
    }

    fn restore(&mut self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        let state = self.0.borrow();
        let Some((batch, pieces)) = state.checkpoint_if_durable() else { return Ok(BatchNo(0)) };
        pieces.iter().try_for_each(|bytes| piece(bytes))?;
        Ok(*batch)
    }

    fn recover(&mut self, from: BatchNo) -> Result<Option<Recovered>, String> {
        let state = self.0.borrow();
        let durable = &state.batches[..state.durable as usize];
        let found = durable.iter().find(|batch| batch.number >= from).cloned();
        Ok(found.map(|batch| {
            let place = Locator(batch.number.0 << BATCH_BITS);
            Recovered { batch, place }
        }))
    }

    fn load(&mut self, wanted: Vec<Kept>) {
        let mut state = self.0.borrow_mut();
        let load = |kept: Kept| {
            let (found, _) = codec::decode_message(&state.bytes_at(kept.locator)).expect("there");
            let body = String::from_utf8_lossy(found.message.body());
            let is_spoilt = state.spoilt.iter().any(|spoilt| **spoilt == *body);
            let message =
                if is_spoilt { Err("it is spoilt".to_owned()) } else { Ok(found.message) };
            Loaded { kept, message }
        };
        let loaded = wanted.into_iter().map(load).collect();
        state.outbox.push(Completion::Loaded(loaded));
    }

    fn checkpoint(&mut self, snapshot: Box<dyn Snapshot>) {
        let mut pieces = Vec::new();
        snapshot.pieces(&mut |piece| {
            pieces.push(piece.to_vec());
            true
        });
        self.0.borrow_mut().checkpoint = Some((snapshot.batch(), pieces));
    }

    fn spool(&mut self, records: Vec<u8>) -> Locator {
        let mut state = self.0.borrow_mut();
        state.spooled_bytes += records.len();
        let last = state.spool.last_key_value();
        let first = last.map_or(SPOOL, |(first, records)| first + records.len() as u64);
        state.spool.insert(first, records);
        Locator(first)
    }

    fn forget(&mut self, _: Locator, bytes: usize) {
        self.0.borrow_mut().spooled_bytes -= bytes;
    }
}
