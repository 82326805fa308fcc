//! What a turn does for the store's sake, and for memory's.

use crate::driver::Driver;
use crate::ids::BatchNo;
use crate::limits::{PLACES_CAPTURED_PER_TURN, UNSYNCED_BYTES_MAX};

impl Driver {
    /// Starts the snapshot that the store wants, if nothing is between two batches.
    pub(super) fn begin_checkpoint(&mut self) {
        if self.wants_checkpoint && self.open.records.is_empty() && !self.broker.is_capturing() {
            self.wants_checkpoint = false;
            self.broker.begin_snapshot(BatchNo(self.open.number.0 - 1));
        }
    }

    /// Lets bodies leave memory, asks for those that are wanted, and goes on with a snapshot.
    pub(super) fn keep_house(&mut self) {
        let store = &mut self.store;
        self.broker.page_out(self.durable, &mut |records| store.spool(records));
        for (locator, bytes) in self.broker.take_forgotten() {
            store.forget(locator, bytes as usize);
        }
        let wanted = self.broker.take_wanted();
        if !wanted.is_empty() {
            store.load(wanted);
        }
        self.begin_checkpoint();
        if let Some(image) = self.broker.capture_some(PLACES_CAPTURED_PER_TURN) {
            self.store.checkpoint(Box::new(image));
        }
    }

    /// Producers wait while too much is not durable, and go on when half of it is.
    pub(super) fn mind_the_store(&mut self) {
        let bytes = self.open.records.len() + self.in_flight_bytes;
        if bytes > UNSYNCED_BYTES_MAX {
            self.broker.set_store_behind(true);
        } else if bytes <= UNSYNCED_BYTES_MAX / 2 {
            self.broker.set_store_behind(false);
        }
    }

    /// Takes what a person must be told.
    pub fn take_alarms(&mut self) -> Vec<String> {
        self.broker.take_alarms()
    }
}
