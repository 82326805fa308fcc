//! ACK and NACK.
//!
//! A delivery is named by the `ack` header of its MESSAGE in 1.2, which is the subscription's
//! number and the delivery's, and by `message-id` (with `subscription` from 1.1 on) before.

use std::collections::BTreeMap;

use posthouse_core::command::{AckMode, Command as CoreCommand, Settle, Verdict};
use posthouse_core::driver::Driver;
use posthouse_core::ids::{ConsumerId, DeliveryNo, TransactionId};
use posthouse_core::time::Now;

use super::Session;
use super::fault::Fault;
use super::subscribe::Subscription;
use super::transaction::required;
use crate::stomp::{Command, FrameRef, Version};

/// A delivery that an open transaction settles, and by which id it was named.
pub(super) type Staged = (ConsumerId, DeliveryNo, Box<str>);

impl Session {
    pub(super) fn on_ack(
        &mut self,
        now: Now,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let verdict = verdict(frame)?;
        let transaction = self.transaction_of(frame)?;
        let (consumer, delivery) = if self.version == Version::V1_2 {
            self.find_by_ack_id(&required(frame, "id")?)?
        } else {
            self.find_by_message_id(frame, verdict, transaction)?
        };
        let receipt = self.owe_receipt(frame);
        let settle = Settle { consumer, delivery, verdict, transaction, receipt };
        driver.apply(now, CoreCommand::Settle(settle))?;
        Ok(())
    }

    fn find_by_ack_id(&self, id: &str) -> Result<(ConsumerId, DeliveryNo), Fault> {
        let unknown = || Fault::delivery_unknown(id);
        let (number, delivery) = id.split_once('-').ok_or_else(unknown)?;
        let number: u32 = number.parse().map_err(|_| unknown())?;
        let delivery = DeliveryNo(delivery.parse().map_err(|_| unknown())?);
        let consumer = self.numbers.get(&number).ok_or_else(unknown)?;
        Ok((*consumer, delivery))
    }

    fn find_by_message_id(
        &mut self,
        frame: &FrameRef<'_>,
        verdict: Verdict,
        transaction: Option<TransactionId>,
    ) -> Result<(ConsumerId, DeliveryNo), Fault> {
        let id = required(frame, "message-id")?;
        let found = match frame.header("subscription") {
            Some(subscription) => {
                let key = format!("id {subscription}");
                let found = self.subscriptions.get_mut(&*key);
                Some(found.ok_or_else(|| Fault::subscription_unknown(&key))?)
            }
            None if self.version == Version::V1_0 => {
                let mut all = self.subscriptions.values_mut();
                all.find(|subscription| subscription.find(&id).is_some())
            }
            None => return Err(Fault::header_missing(frame.command(), "subscription")),
        };
        let unknown = || Fault::delivery_unknown(&id);
        let subscription = found.ok_or_else(unknown)?;
        let delivery = subscription.find(&id).ok_or_else(unknown)?;
        let consumer = subscription.consumer;
        let named = subscription.forget(delivery, verdict);
        if let Some(id) = transaction {
            let staged = named.into_iter().map(|(number, name)| (consumer, number, name));
            self.staged.entry(id).or_default().extend(staged);
        }
        Ok((consumer, delivery))
    }

    /// A transaction is over. After an abort its deliveries are unacknowledged again, and will be
    /// named again.
    pub(super) fn end_staged(&mut self, id: TransactionId, is_commit: bool) {
        let staged = self.staged.remove(&id).unwrap_or_default();
        for (consumer, number, name) in staged.into_iter().filter(|_| !is_commit) {
            let key = self.consumers.get(&consumer);
            if let Some(subscription) = key.and_then(|key| self.subscriptions.get_mut(key)) {
                subscription.remember(name, number);
            }
        }
    }
}

impl Subscription {
    /// Remembers by which id the peer will name a delivery.
    pub(super) fn remember(&mut self, id: Box<str>, delivery: DeliveryNo) {
        self.by_number.insert(delivery, id.clone());
        self.by_id.insert((id, delivery));
    }

    /// The first unacknowledged delivery of this id. There may be more: a dead-letter queue can
    /// hold a message once for each durable subscription that gave it up.
    fn find(&self, id: &str) -> Option<DeliveryNo> {
        let from = (Box::from(id), DeliveryNo(0));
        let (found, delivery) = self.by_id.range(from..).next()?;
        (**found == *id).then_some(*delivery)
    }

    /// The delivery is settled, and for a cumulative acknowledgement all before it. Answers by
    /// which ids they were named.
    fn forget(&mut self, delivery: DeliveryNo, verdict: Verdict) -> BTreeMap<DeliveryNo, Box<str>> {
        let is_cumulative = self.ack == AckMode::Cumulative && verdict == Verdict::Ack;
        let settled: BTreeMap<DeliveryNo, Box<str>> = if is_cumulative {
            let later = self.by_number.split_off(&DeliveryNo(delivery.0 + 1));
            std::mem::replace(&mut self.by_number, later)
        } else {
            self.by_number.remove_entry(&delivery).into_iter().collect()
        };
        for (number, id) in &settled {
            self.by_id.remove(&(id.clone(), *number));
        }
        settled
    }
}

/// What the frame says about the delivery. A NACK may say what is to become of the message, as
/// RabbitMQ has it; otherwise that is its destination's policy.
fn verdict(frame: &FrameRef<'_>) -> Result<Verdict, Fault> {
    if frame.command() == Command::Ack {
        return Ok(Verdict::Ack);
    }
    match frame.header("requeue").as_deref() {
        None => Ok(Verdict::Reject),
        Some("true") => Ok(Verdict::Requeue),
        Some("false") => Ok(Verdict::DeadLetter),
        Some(other) => Err(Fault::header_invalid("requeue", other, "true or false")),
    }
}
