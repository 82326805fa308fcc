//! SUBSCRIBE and UNSUBSCRIBE, in the dialects of ActiveMQ, Artemis and RabbitMQ as far as they
//! agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use posthouse_core::command::{AckMode, Applied, Command as CoreCommand, Subscribe};
use posthouse_core::destination::{Kind, Pattern};
use posthouse_core::driver::Driver;
use posthouse_core::ids::{ConsumerId, DeliveryNo, HolderId};
use posthouse_core::limits::PREFETCH_MESSAGES_MAX;
use posthouse_core::refusal::{Code, Refusal};
use posthouse_core::selector::{Selector, Strings};
use posthouse_core::time::Now;

use super::fault::Fault;
use super::transaction::required;
use super::{Session, destination};
use crate::stomp::{Command, Escaping, FrameRef, Version, escape_into};

/// Headers that name a durable subscription, in the order in which they are looked at.
const DURABLE_NAMES: [&str; 3] =
    ["activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"];

/// Headers that say how many messages may be unacknowledged.
const PREFETCH_NAMES: [&str; 2] = ["activemq.prefetchSize", "prefetch-count"];

/// One subscription of a session.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The broker's consumer.
    pub(super) consumer: ConsumerId,
    /// Its number within the session, with which `ack` headers begin.
    pub(super) number: u32,
    /// How it acknowledges.
    pub(super) ack: AckMode,
    /// The start of its MESSAGE frames, already encoded.
    pub(super) prefix: Box<[u8]>,
    /// The `message-id`s of unacknowledged deliveries, for versions that acknowledge by them.
    pub(super) by_id: BTreeSet<(Box<str>, DeliveryNo)>,
    /// The same the other way round, to forget what a cumulative acknowledgement has settled.
    pub(super) by_number: BTreeMap<DeliveryNo, Box<str>>,
    /// Messages that it missed and has not been told of.
    pub(super) missed: u64,
    /// The durable subscription that it consumes from.
    pub(super) durable: Option<Box<str>>,
}

impl Session {
    pub(super) fn on_subscribe(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let key = self.subscription_key(frame)?;
        if self.subscriptions.contains_key(&key) {
            return Err(Fault::subscription_exists(&key));
        }
        let ack = ack_mode(frame)?;
        let durable = durable_name(frame)?;
        let mut wish = self.wish(holder, frame, ack, durable.clone())?;
        wish.receipt = self.owe_receipt(frame);
        let is_browser = wish.browse;
        let applied = driver.apply(now, CoreCommand::Subscribe(Box::new(wish)))?;
        let Applied::Consumer(consumer) = applied else {
            unreachable!("subscribing answers a consumer")
        };
        let subscription = Subscription {
            consumer,
            number: self.next_subscription,
            ack: if is_browser { AckMode::Auto } else { ack },
            prefix: prefix(self.version, frame.header("id").as_deref()),
            by_id: BTreeSet::new(),
            by_number: BTreeMap::new(),
            missed: 0,
            durable,
        };
        self.numbers.insert(self.next_subscription, consumer);
        self.next_subscription += 1;
        self.consumers.insert(consumer, key.clone());
        self.subscriptions.insert(key, subscription);
        Ok(())
    }

    fn wish(
        &self,
        holder: HolderId,
        frame: &FrameRef<'_>,
        ack: AckMode,
        durable: Option<Box<str>>,
    ) -> Result<Subscribe, Fault> {
        let header = required(frame, "destination")?;
        let (kind, path) = destination::parse(&header)?;
        let is_true = |name: &str| frame.header(name).as_deref() == Some("true");
        let usual = match (kind, &durable) {
            (Kind::Queue, _) => self.config.queue_prefetch,
            (Kind::Topic, Some(_)) => self.config.durable_prefetch,
            (Kind::Topic, None) => self.config.topic_prefetch,
        };
        Ok(Subscribe {
            holder,
            target: Pattern::new(kind, path)?,
            ack,
            selector: selector(frame)?,
            prefetch: prefetch(frame)?.unwrap_or(usual),
            browse: is_true("browser"),
            durable,
            no_local: is_true("activemq.noLocal") || is_true("no-local"),
            receipt: None,
        })
    }

    /// What the session knows the subscription by: its id or, in 1.0, its destination.
    fn subscription_key(&self, frame: &FrameRef<'_>) -> Result<Box<str>, Fault> {
        match frame.header("id") {
            Some(id) => Ok(format!("id {id}").into()),
            None if self.version == Version::V1_0 => {
                Ok(format!("to {}", required(frame, "destination")?).into())
            }
            None => Err(Fault::header_missing(frame.command(), "id")),
        }
    }

    pub(super) fn on_unsubscribe(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let key = self.subscription_key(frame)?;
        let named = durable_name(frame)?;
        let Some(subscription) = self.subscriptions.remove(&key) else {
            // A durable subscription can be deleted without being consumed from.
            let name = named.ok_or_else(|| Fault::subscription_unknown(&key))?;
            return self.delete_durable(now, holder, frame, name, driver);
        };
        self.consumers.remove(&subscription.consumer);
        self.numbers.remove(&subscription.number);
        let deletes = named.is_some() && subscription.durable.is_some();
        let receipt = if deletes { None } else { self.owe_receipt(frame) };
        let consumer = subscription.consumer;
        driver.apply(now, CoreCommand::Unsubscribe { consumer, receipt })?;
        match subscription.durable {
            Some(name) if deletes => self.delete_durable(now, holder, frame, name, driver),
            _ => Ok(()),
        }
    }

    fn delete_durable(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        name: Box<str>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let detail = "a durable subscription is known by its client's name, and CONNECT gave none";
        let missing = || Refusal::new(Code::SubscriptionNameMissing, detail);
        let client = self.client.clone().ok_or_else(missing)?;
        let receipt = self.owe_receipt(frame).map(|receipt| (holder, receipt));
        driver.apply(now, CoreCommand::RemoveSubscription { client, name, receipt })?;
        Ok(())
    }
}

fn ack_mode(frame: &FrameRef<'_>) -> Result<AckMode, Fault> {
    match frame.header("ack").as_deref() {
        None | Some("auto") => Ok(AckMode::Auto),
        Some("client") => Ok(AckMode::Cumulative),
        Some("client-individual") => Ok(AckMode::Individual),
        Some(other) => {
            Err(Fault::header_invalid("ack", other, "auto, client or client-individual"))
        }
    }
}

/// The durable subscription that the frame names: as ActiveMQ and Artemis do, or by its id when
/// it says that it is durable, as with RabbitMQ.
fn durable_name(frame: &FrameRef<'_>) -> Result<Option<Box<str>>, Fault> {
    let named = DURABLE_NAMES.iter().find_map(|name| frame.header(name));
    if let Some(name) = named {
        return Ok(Some(name.into()));
    }
    let is_true = |name: &str| frame.header(name).as_deref() == Some("true");
    if is_true("durable") || is_true("persistent") && frame.command() != Command::Send {
        return required(frame, "id").map(Some);
    }
    Ok(None)
}

fn selector(frame: &FrameRef<'_>) -> Result<Option<Selector>, Fault> {
    let Some(text) = frame.header("selector").filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let parsed = Selector::parse(&text, Strings::Convert);
    let parsed = parsed.map_err(|e| Refusal::new(Code::SelectorInvalid, e.to_string()))?;
    Ok(Some(parsed))
}

fn prefetch(frame: &FrameRef<'_>) -> Result<Option<u32>, Fault> {
    for name in PREFETCH_NAMES {
        let Some(text) = frame.header(name) else { continue };
        let wanted = format!("a number from 1 to {PREFETCH_MESSAGES_MAX}");
        let number = text.trim().parse::<u32>().ok();
        let number = number.filter(|number| (1..=PREFETCH_MESSAGES_MAX).contains(number));
        return match number {
            Some(number) => Ok(Some(number)),
            None => Err(Fault::header_invalid(name, &text, &wanted)),
        };
    }
    Ok(None)
}

/// `MESSAGE` and the subscription header, which are the same for every delivery.
fn prefix(version: Version, id: Option<&str>) -> Box<[u8]> {
    let mut bytes = b"MESSAGE\n".to_vec();
    if let Some(id) = id {
        let start = bytes.len();
        bytes.extend_from_slice(b"subscription:");
        match escape_into(&mut bytes, id, Escaping::of(version, Command::Message)) {
            Ok(()) => bytes.push(b'\n'),
            Err(_) => bytes.truncate(start),
        }
    }
    bytes.into()
}
