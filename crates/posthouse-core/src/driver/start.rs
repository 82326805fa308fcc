//! The start: the last checkpoint, then every batch after it, then the next run.

use bytes::Bytes;

use crate::broker::Broker;
use crate::driver::Driver;
use crate::ids::BatchNo;
use crate::limits::UNSYNCED_BYTES_MAX;
use crate::policy::Policies;
use crate::record::codec;
use crate::store::{Batch, Recovered, Store};
use crate::time::Now;

impl Driver {
    /// Rebuilds the broker from what the store has and starts its next run.
    ///
    /// # Errors
    /// A description of damage in the store, for a person.
    pub fn new(policies: Policies, store: Box<dyn Store>, now: Now) -> Result<Driver, String> {
        Driver::with_broker(Broker::new(policies), store, now)
    }

    /// The same with a broker that the caller has prepared.
    ///
    /// # Errors
    /// A description of damage in the store, for a person.
    pub fn with_broker(
        mut broker: Broker,
        mut store: Box<dyn Store>,
        now: Now,
    ) -> Result<Driver, String> {
        let checkpointed = store.restore(&mut |piece| restore(&mut broker, piece))?;
        let mut durable = checkpointed;
        while let Some(found) = store.recover(BatchNo(durable.0 + 1))? {
            let number = found.batch.number;
            if number != BatchNo(durable.0 + 1) {
                return Err(format!("batch {} follows batch {}", number.0, durable.0));
            }
            replay(&mut broker, found)?;
            durable = number;
        }
        let unsynced_bytes_max = store.unsynced_bytes_max().min(UNSYNCED_BYTES_MAX);
        let mut driver = Driver {
            broker,
            store,
            unsynced_bytes_max,
            open: Batch::default(),
            messages: Vec::new(),
            durable,
            in_flight: Default::default(),
            in_flight_bytes: 0,
            wants_checkpoint: false,
            checkpointed,
            waiting: Default::default(),
            waiting_for: Default::default(),
            released: Default::default(),
            failure: None,
        };
        driver.open_batch(BatchNo(durable.0 + 1));
        driver.broker.start();
        driver.collect();
        driver.turn(now);
        Ok(driver)
    }
}

fn restore(broker: &mut Broker, piece: &[u8]) -> Result<(), String> {
    let records = codec::decode_all(&Bytes::copy_from_slice(piece));
    let records = records.map_err(|error| format!("the checkpoint: {error}"))?;
    records.iter().for_each(|record| broker.evolve(record));
    Ok(())
}

fn replay(broker: &mut Broker, found: Recovered) -> Result<(), String> {
    let number = found.batch.number;
    let decoded = codec::decode_noting(&found.batch.records.into());
    let (records, messages) = decoded.map_err(|error| format!("batch {}: {error}", number.0))?;
    records.iter().for_each(|record| broker.evolve(record));
    broker.place_batch(found.place, &messages);
    // A backlog may be larger than memory; spooling is for what does not survive anyway.
    broker.page_out(number, &mut |_| crate::store::Locator::NONE);
    Ok(())
}
