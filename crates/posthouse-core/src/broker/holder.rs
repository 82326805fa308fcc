//! Those who are attached: what each of them holds, and what becomes of it when they leave.

use std::collections::BTreeSet;

use crate::broker::Broker;
use crate::command::{Applied, ReceiptToken};
use crate::ids::{BatchNo, ConsumerId, DestinationId, HolderId, TransactionId};
use crate::limits::SUBSCRIPTION_NAME_BYTES_MAX;
use crate::refusal::{Code, Refusal};
use crate::time::Now;

/// Somebody who is attached.
#[derive(Debug, Default)]
pub struct Holder {
    /// The name under which its durable subscriptions are kept.
    pub client: Option<Box<str>>,
    /// Its consumers.
    pub consumers: BTreeSet<ConsumerId>,
    /// Its open transactions.
    pub transactions: BTreeSet<TransactionId>,
    /// Whether deliveries may be handed out to it.
    pub is_open: bool,
    /// What it waits for, when a send of its is held.
    pub held: Option<Held>,
    /// The last batch that has a record of its doing.
    pub last_batch: BatchNo,
    /// The turn in which it was last handed something outside of backlogs.
    pub burst_turn: u64,
    /// How many bytes that were.
    pub burst_bytes: usize,
}

/// A send that waits for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where there is no room; `None` when the node's memory is full.
    pub destination: Option<DestinationId>,
    /// When it is refused, in monotonic milliseconds; `None` means never.
    pub deadline_ms: Option<u64>,
}

impl Broker {
    pub(super) fn attach(&mut self, client: Option<Box<str>>) -> Result<Applied, Refusal> {
        if client.as_ref().is_some_and(|name| name.len() > SUBSCRIPTION_NAME_BYTES_MAX) {
            let detail = format!("the client's name is longer than {SUBSCRIPTION_NAME_BYTES_MAX}");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        let holder = Holder { client, is_open: true, ..Holder::default() };
        Ok(Applied::Holder(HolderId(self.holders.insert(holder))))
    }

    pub(super) fn detach(&mut self, now: Now, id: HolderId) -> Result<Applied, Refusal> {
        let Some(holder) = self.holders.get_mut(id.0) else { return Ok(Applied::Done) };
        let transactions = std::mem::take(&mut holder.transactions);
        let consumers = std::mem::take(&mut holder.consumers);
        for transaction in transactions {
            self.roll_back(now, transaction);
        }
        for consumer in consumers {
            self.end_consumer(now, consumer);
        }
        self.stop_waiting(id);
        self.holders.remove(id.0);
        Ok(Applied::Done)
    }

    /// The holder's outbound buffer has room, or not.
    pub(super) fn set_flow(&mut self, id: HolderId, open: bool) -> Result<Applied, Refusal> {
        let Some(holder) = self.holders.get_mut(id.0) else { return Ok(Applied::Done) };
        holder.is_open = open;
        if open {
            let consumers: Vec<ConsumerId> = holder.consumers.iter().copied().collect();
            for consumer in consumers {
                self.revive(consumer);
            }
        }
        Ok(Applied::Done)
    }

    pub(super) fn confirm(
        &mut self,
        holder: HolderId,
        receipt: ReceiptToken,
    ) -> Result<Applied, Refusal> {
        let gate = self.holders.get(holder.0).map_or(BatchNo(0), |holder| holder.last_batch);
        self.owe_receipt(holder, gate, Some(receipt));
        Ok(Applied::Done)
    }
}
