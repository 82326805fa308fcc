//! Durable subscriptions: they outlive their consumers, and keep what was published meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::broker::Broker;
use crate::broker::backlog::Backlog;
use crate::command::{Applied, ReceiptToken};
use crate::destination::{Kind, Pattern};
use crate::ids::{BacklogKey, BatchNo, ConsumerId, DestinationId, HolderId, Seq, SubscriptionId};
use crate::limits::{BACKLOGS_MAX, SUBSCRIPTION_NAME_BYTES_MAX, SUBSCRIPTIONS_MAX};
use crate::record::Record;
use crate::refusal::{Code, Refusal};
use crate::selector::{Selector, Strings};

/// A durable subscription. Its backlogs are with the topics.
#[derive(Debug)]
pub struct Subscription {
    /// The client's name.
    pub client: Box<str>,
    /// Its own name.
    pub name: Box<str>,
    /// The topics it is to.
    pub pattern: Pattern,
    /// Which messages it wants.
    pub selector: Option<Arc<Selector>>,
    /// Who consumes from it now.
    pub user: Option<ConsumerId>,
    /// The topics that there are for it.
    pub topics: BTreeSet<DestinationId>,
}

impl Subscription {
    /// The record that makes it.
    pub(super) fn definition(&self, id: SubscriptionId) -> Record {
        Record::SubscriptionDefined {
            id,
            client: self.client.clone(),
            name: self.name.clone(),
            path: self.pattern.path().into(),
            selector: self.selector.as_deref().map(recorded_text).unwrap_or_default().into(),
        }
    }
}

impl Broker {
    /// The durable subscription of this name, made if it is new. One that has meanwhile been
    /// asked for with other topics or another selector starts afresh, as JMS has it (Jakarta
    /// Messaging 3.1 section 6.11.3).
    pub(super) fn durable_subscription(
        &mut self,
        client: &str,
        name: &str,
        pattern: &Pattern,
        selector: Option<&Selector>,
    ) -> Result<SubscriptionId, Refusal> {
        if name.is_empty() || name.len() > SUBSCRIPTION_NAME_BYTES_MAX {
            let detail =
                format!("a subscription's name has 1 to {SUBSCRIPTION_NAME_BYTES_MAX} bytes");
            return Err(Refusal::new(Code::SubscriptionNameMissing, detail));
        }
        let former = self.find_subscription(client, name);
        if let Some(id) = former {
            let found = &self.subscriptions[&id];
            if found.user.is_some() {
                let detail = format!("\"{name}\" of client \"{client}\" is being consumed from");
                return Err(Refusal::new(Code::SubscriptionInUse, detail));
            }
            let known = found.selector.as_deref().map(recorded_text);
            if found.pattern == *pattern && known == selector.map(recorded_text) {
                return Ok(id);
            }
        }
        // Nothing of the former one is given up before it is certain that the new one can be.
        self.check_room_for(pattern, former)?;
        if let Some(id) = former {
            self.end_subscription(id);
        }
        let id = SubscriptionId(self.last_subscription + 1);
        self.record(Record::SubscriptionDefined {
            id,
            client: client.into(),
            name: name.into(),
            path: pattern.path().into(),
            selector: selector.map(recorded_text).unwrap_or_default().into(),
        });
        Ok(id)
    }

    /// Whether there may be one more subscription to `pattern`, in the place of `former`.
    fn check_room_for(
        &self,
        pattern: &Pattern,
        former: Option<SubscriptionId>,
    ) -> Result<(), Refusal> {
        if former.is_none() && self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            let detail = format!("{SUBSCRIPTIONS_MAX} durable subscriptions exist");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        let freed = former.map_or(0, |id| self.subscriptions[&id].topics.len());
        self.check_backlogs(self.taken_in(pattern).len().saturating_sub(freed))
    }

    /// Durable subscriptions to patterns multiply with the topics that they take in; together they
    /// stay within [`BACKLOGS_MAX`].
    pub(super) fn check_backlogs(&self, more: usize) -> Result<(), Refusal> {
        if more > 0 && self.durable_backlogs + more > BACKLOGS_MAX {
            let detail = format!("durable subscriptions wait at {BACKLOGS_MAX} topics already");
            return Err(Refusal::new(Code::LimitReached, detail));
        }
        Ok(())
    }

    pub(super) fn find_subscription(&self, client: &str, name: &str) -> Option<SubscriptionId> {
        self.subscription_names.get(&(client.into(), name.into())).copied()
    }

    pub(super) fn define_subscription(
        &mut self,
        id: SubscriptionId,
        client: &str,
        name: &str,
        path: &str,
        selector: &str,
    ) {
        let pattern = Pattern::new(Kind::Topic, path).expect("checked before recording");
        let parse =
            |text| Selector::parse(text, Strings::Strict).expect("checked before recording");
        let selector = (!selector.is_empty()).then(|| Arc::new(parse(selector)));
        let topics: BTreeSet<DestinationId> = self.taken_in(&pattern).into_iter().collect();
        for topic in &topics {
            if let Some(place) = self.places.get_mut(topic) {
                place.backlogs.insert(id, Backlog::default());
            }
        }
        self.durable_backlogs += topics.len();
        let (client, name): (Box<str>, Box<str>) = (client.into(), name.into());
        self.subscription_names.insert((client.clone(), name.clone()), id);
        self.subscriptions
            .insert(id, Subscription { client, name, pattern, selector, user: None, topics });
        self.last_subscription = self.last_subscription.max(id.0);
    }

    pub(super) fn remove_subscription(
        &mut self,
        client: &str,
        name: &str,
        receipt: Option<(HolderId, ReceiptToken)>,
    ) -> Result<Applied, Refusal> {
        let Some(id) = self.find_subscription(client, name) else {
            let detail = format!("client \"{client}\" has no subscription \"{name}\"");
            return Err(Refusal::new(Code::SubscriptionUnknown, detail));
        };
        if self.subscriptions[&id].user.is_some() {
            let detail = format!("\"{name}\" of client \"{client}\" is being consumed from");
            return Err(Refusal::new(Code::SubscriptionInUse, detail));
        }
        let dropped = self.end_subscription(id);
        if let Some((holder, token)) = receipt {
            let gate: BatchNo = self.open_batch;
            self.owe_receipt(holder, gate, Some(token));
        }
        Ok(Applied::Count(dropped))
    }

    /// Removes a subscription; what it alone waited for makes room. Answers how many messages
    /// waited for it, and counts them at their topics whether or not others still wait for them,
    /// just as each subscription counts its own acknowledgements.
    fn end_subscription(&mut self, id: SubscriptionId) -> u64 {
        let topics = self.subscriptions[&id].topics.clone();
        let mut dropped = 0;
        for topic in &topics {
            let backlog = self.places.get(topic).and_then(|place| place.backlogs.get(&id));
            let pending = backlog.map_or(0, Backlog::pending_len);
            self.count(*topic, |counters| counters.dropped += pending);
            dropped += pending;
        }
        self.record(Record::SubscriptionRemoved { id });
        for topic in topics {
            self.make_room(topic);
        }
        dropped
    }

    pub(super) fn forget_subscription(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscriptions.remove(&id) else { return };
        let Subscription { client, name, topics, .. } = subscription;
        self.subscription_names.remove(&(client, name));
        self.durable_backlogs -= topics.len();
        for destination in topics {
            let Some(place) = self.places.get_mut(&destination) else { continue };
            let Some(backlog) = place.backlogs.remove(&id) else { continue };
            let lanes = backlog.occupied().flat_map(|(_, lane)| lane.pending.iter());
            let pending: Vec<Seq> = lanes.collect();
            for seq in pending {
                self.release_entry(destination, seq);
            }
            let key = BacklogKey { destination, subscription: id };
            self.delayed.retain(|(_, delayed, _)| *delayed != key);
        }
    }
}

/// The selector's text with its way of reading strings spelled out, so that it is read back the
/// same.
fn recorded_text(selector: &Selector) -> String {
    const PREFIXES: [&str; 2] = ["convert_string_expressions:", "no_convert_string_expressions:"];
    let text = selector.text();
    if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return text.to_owned();
    }
    match selector.strings() {
        Strings::Strict => text.to_owned(),
        Strings::Convert => format!("{}{text}", PREFIXES[0]),
    }
}
