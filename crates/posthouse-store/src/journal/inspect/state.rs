//! What waits in a store, by destination: the state with which a node would start on it.
//!
//! The state is rebuilt by the same code as at a start, over a store that can only be read: what
//! the driver submits at the beginning of its run goes nowhere.

use std::sync::Arc;

use posthouse_core::destination::DestinationName;
use posthouse_core::driver::Driver;
use posthouse_core::ids::BatchNo;
use posthouse_core::policy::Policies;
use posthouse_core::store::{Batch, Completion, Locator, Recovered, Store, TakePiece};
use posthouse_core::time::Now;

use super::stats::Amount;
use crate::files::Files;
use crate::journal::fault::Fault;
use crate::journal::layout::checkpoint::ChunkReader;
use crate::journal::layout::name::checkpoint_name;
use crate::journal::scan::{Directory, LogReader, open};

/// Bodies are not wanted, so hardly any stay in memory.
const RESIDENT_BYTES_MAX: u64 = 1 << 20;

/// Destinations that are asked for at once.
const PAGE: usize = 256;

/// What waits in one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which destination.
    pub name: Arc<DestinationName>,
    /// Its messages, and what they count against limits. A topic keeps what a durable
    /// subscription still waits for.
    pub messages: Amount,
}

/// Counts the messages of every destination, with those of the log behind the checkpoint. In
/// memory for the positions of all messages, as a node.
///
/// # Errors
/// If the store cannot be read, as a sentence for a person.
pub fn waiting(files: &Arc<dyn Files>) -> Result<Vec<Waiting>, String> {
    let store = ReadOnlyStore::open(files.clone()).map_err(|fault| fault.to_string())?;
    let policies = Policies { resident_bytes_max: RESIDENT_BYTES_MAX, ..Policies::default() };
    let now = Now { wall_ms: 0, mono_ms: 0 };
    let driver = Driver::new(policies, Box::new(store), now)?;
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = driver.broker().destinations(after, PAGE);
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.id);
        all.extend(page.into_iter().map(|stats| Waiting {
            name: stats.name,
            messages: Amount { count: stats.messages, bytes: stats.bytes },
        }));
    }
}

/// A store from which a driver can start, and which forgets whatever it submits.
struct ReadOnlyStore {
    files: Arc<dyn Files>,
    directory: Directory,
    log: LogReader,
}

impl ReadOnlyStore {
    fn open(files: Arc<dyn Files>) -> Result<ReadOnlyStore, Fault> {
        let directory = Directory::read(&*files)?;
        let checkpoint = directory.manifest.map_or(0, |manifest| manifest.checkpoint.0);
        let log = LogReader::new(files.clone(), &directory, BatchNo(checkpoint + 1));
        Ok(ReadOnlyStore { files, directory, log })
    }

    fn restore_from(&self, batch: BatchNo, piece: &mut TakePiece<'_>) -> Result<(), String> {
        let says = |fault: Fault| fault.to_string();
        let name = checkpoint_name(batch);
        let file = open(&*self.files, &name).map_err(says)?;
        let mut reader = ChunkReader::open(&*file, &name).map_err(says)?;
        while let Some(payload) = reader.next_payload().map_err(says)? {
            piece(payload)?;
        }
        Ok(())
    }
}

impl Store for ReadOnlyStore {
    fn submit(&mut self, _: Batch) -> Locator {
        Locator::NONE
    }

    fn poll(&mut self) -> Option<Completion> {
        None
    }

    fn restore(&mut self, piece: &mut TakePiece<'_>) -> Result<BatchNo, String> {
        let batch = self.directory.manifest.map_or(BatchNo(0), |manifest| manifest.checkpoint);
        if batch != BatchNo(0) {
            self.restore_from(batch, piece)?;
        }
        Ok(batch)
    }

    fn recover(&mut self, _: BatchNo) -> Result<Option<Recovered>, String> {
        let found = self.log.next().map_err(|fault| fault.to_string())?;
        Ok(found.map(|(batch, place, _)| Recovered { batch, place: place.locator() }))
    }
}
