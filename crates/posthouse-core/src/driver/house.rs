//! What a turn does for the store's sake, and for memory's.

use crate::driver::Driver;
use crate::ids::BatchNo;
use crate::limits::PLACES_CAPTURED_PER_TURN;
use crate::time::Now;

impl Driver {
    /// Starts the snapshot that the store wants, if nothing is between two batches. A second
    /// checkpoint of the same batch would not count, so there is an empty one if need be.
    pub(super) fn begin_checkpoint(&mut self, now: Now) {
        let is_between = self.open.records.is_empty() && !self.broker.is_capturing();
        if !self.wants_checkpoint || !is_between {
            return;
        }
        let last = BatchNo(self.open.number.0 - 1);
        if last > self.checkpointed {
            self.wants_checkpoint = false;
            self.checkpointed = last;
            self.broker.begin_snapshot(last);
        } else if self.store.is_ready(0) {
            self.submit(now);
        }
    }

    /// Lets bodies leave memory, asks for those that are wanted, and goes on with a snapshot.
    pub(super) fn keep_house(&mut self, now: Now) {
        let store = &mut self.store;
        self.broker.page_out(self.durable, &mut |records| store.spool(records));
        for (locator, bytes) in self.broker.take_forgotten() {
            store.forget(locator, bytes as usize);
        }
        let wanted = self.broker.take_wanted();
        if !wanted.is_empty() {
            store.load(wanted);
        }
        self.begin_checkpoint(now);
        if let Some(image) = self.broker.capture_some(PLACES_CAPTURED_PER_TURN) {
            self.store.checkpoint(Box::new(image));
        }
    }

    /// Producers wait while too much is not durable, and go on when half of it is.
    pub(super) fn mind_the_store(&mut self) {
        let bytes = self.open.records.len() + self.in_flight_bytes;
        if bytes > self.unsynced_bytes_max {
            self.broker.set_store_behind(true);
        } else if bytes <= self.unsynced_bytes_max / 2 {
            self.broker.set_store_behind(false);
        }
    }

    /// Takes what a person must be told.
    pub fn take_alarms(&mut self) -> Vec<String> {
        self.broker.take_alarms()
    }
}
