//! What scripts act on: a driver, a store whose syncs are played by hand, and names for things.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::disk::Disk;
use super::script::Line;
use crate::broker::Broker;
use crate::broker::view::{BrowseCursor, Standing};
use crate::command::{AckMode, Applied, Command, Send, Settle, Subscribe, Verdict};
use crate::destination::{Kind, Pattern};
use crate::driver::Driver;
use crate::effect::{Delivery, Effect};
use crate::ids::{ConsumerId, DeliveryNo, DestinationId, HolderId, TransactionId};
use crate::message::{Envelope, EnvelopeHead, ProducerSeq};
use crate::policy::{
    KeepExpired, OnReject, Persistence, Policies, Policy, Redelivery, Rule, WhenFull, WhenSlow,
};
use crate::property::{PropertyWriter, Value};
use crate::record::codec;
use crate::refusal::Refusal;
use crate::selector::{Selector, Strings};
use crate::store::Snapshot;
use crate::time::Now;

/// How much of what waits is in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// All of it.
    Plenty,
    /// Nothing that the store has; and a checkpoint is taken after every batch.
    Scarce,
}

pub(super) struct World {
    now: Now,
    disk: Disk,
    memory: Memory,
    policies: Policies,
    driver: Driver,
    holders: BTreeMap<String, HolderId>,
    consumers: BTreeMap<String, ConsumerId>,
    transactions: BTreeMap<String, TransactionId>,
    /// What each consumer was handed, by the body of the message.
    handed: BTreeMap<(String, String), DeliveryNo>,
    last_handed: BTreeMap<String, DeliveryNo>,
    held: VecDeque<Send>,
    receipts: u64,
}

type Outcome = Result<Applied, Refusal>;

impl World {
    pub(super) fn new(memory: Memory) -> World {
        let disk = new_disk(memory);
        let resident_bytes_max = u64::from(memory == Memory::Scarce);
        let policies = Policies { resident_bytes_max, ..Policies::default() };
        let now = Now::at(1_000);
        let driver = Driver::new(policies.clone(), Box::new(disk.clone()), now).expect("empty");
        World {
            now,
            disk,
            memory,
            policies,
            driver,
            holders: BTreeMap::new(),
            consumers: BTreeMap::new(),
            transactions: BTreeMap::new(),
            handed: BTreeMap::new(),
            last_handed: BTreeMap::new(),
            held: VecDeque::new(),
            receipts: 0,
        }
    }

    /// Plays one command and tells what came of it.
    pub(super) fn play(&mut self, line: &Line<'_>) -> Vec<String> {
        let mut told = Vec::new();
        match line.word(0) {
            "policy" => self.set_policy(line),
            "sync" if line.has("always") => self.disk.0.borrow_mut().always = true,
            "sync" if line.has("never") => self.disk.0.borrow_mut().always = false,
            "sync" => {
                let mut state = self.disk.0.borrow_mut();
                state.durable = state.batches.len() as u64;
            }
            "crash" => self.crash(),
            "spoil" => self.disk.0.borrow_mut().spoilt.push(line.word(1).to_owned()),
            "at" => self.pass_time(line),
            "show" => told.extend(self.show(line)),
            "browse" => told.extend(self.browse(line)),
            _ => match self.command(line) {
                Ok(Applied::Count(count)) => told.push(format!("{count} messages")),
                Ok(Applied::Held) => told.push("held".to_owned()),
                Ok(_) => {}
                Err(refusal) => told.push(format!("{} {refusal}", refusal.code.as_str())),
            },
        }
        self.run(&mut told);
        self.compare_with_replay();
        self.compare_with_checkpoint();
        told.extend(self.driver.take_alarms().into_iter().map(|alarm| format!("alarm: {alarm}")));
        told
    }

    fn command(&mut self, line: &Line<'_>) -> Outcome {
        match line.word(0) {
            "attach" => self.attach(line),
            "detach" => {
                let holder = self.holders[line.word(1)];
                self.apply(Command::Detach { holder })
            }
            "flow" => {
                let holder = self.holders[line.word(1)];
                self.apply(Command::Flow { holder, open: line.has("open") })
            }
            "send" => self.send(line),
            "subscribe" => self.subscribe(line),
            "unsubscribe" => {
                let consumer = self.consumers[line.word(1)];
                let receipt = self.receipt(line);
                self.apply(Command::Unsubscribe { consumer, receipt })
            }
            "ack" | "reject" | "requeue" | "bury" => self.settle(line),
            "written" => {
                let consumer = self.consumers[line.word(1)];
                let up_to = self.last_handed[line.word(1)];
                self.apply(Command::Written { consumer, up_to })
            }
            "begin" | "commit" | "abort" => self.transact(line),
            "confirm" => {
                let holder = self.holders[line.word(1)];
                let receipt = self.receipt(line).expect("a receipt");
                self.apply(Command::Confirm { holder, receipt })
            }
            "forget" => {
                let (client, name) = line.word(1).split_once('/').expect("client/name");
                let (client, name) = (client.into(), name.into());
                self.apply(Command::RemoveSubscription { client, name, receipt: None })
            }
            "purge" => {
                let destination = self.resolve(line.word(1))?;
                self.apply(Command::Purge { destination, limit: u64::MAX })
            }
            "remove" => {
                let destination = self.resolve(line.word(1))?;
                self.apply(Command::RemoveDestination { destination })
            }
            "redrive" => {
                let destination = self.resolve(line.word(1))?;
                let limit = line.number("limit").unwrap_or(u64::MAX);
                self.apply(Command::Redrive { destination, limit })
            }
            other => panic!("unknown command {other}"),
        }
    }

    fn apply(&mut self, command: Command) -> Outcome {
        self.driver.apply(self.now, command)
    }

    fn attach(&mut self, line: &Line<'_>) -> Outcome {
        let client = line.option("client").map(Into::into);
        let applied = self.apply(Command::Attach { client })?;
        if let Applied::Holder(holder) = applied {
            self.holders.insert(line.word(1).to_owned(), holder);
        }
        Ok(applied)
    }

    fn resolve(&mut self, address: &str) -> Result<DestinationId, Refusal> {
        let (kind, path) = split(address);
        match self.apply(Command::Resolve { kind, path: path.into() })? {
            Applied::Destination(destination) => Ok(destination),
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, line: &Line<'_>) -> Outcome {
        let holder = self.holders[line.word(1)];
        let destination = self.resolve(line.word(2))?;
        let mut properties = PropertyWriter::default();
        for (name, value) in line.properties() {
            properties.own(name, Value::Str(value));
        }
        let head = EnvelopeHead {
            persistent: line.has("persistent"),
            priority: line.number("priority").unwrap_or(4) as u8,
            timestamp_ms: self.now.wall_ms,
            expires_ms: line.number("expires").unwrap_or(0),
            producer: line.option("number").map(|text| {
                let (producer, seq) = text.split_once(':').expect("producer:seq");
                ProducerSeq {
                    producer: producer.parse().expect("a number"),
                    seq: seq.parse().expect("a number"),
                }
            }),
            ..EnvelopeHead::default()
        };
        let message = Arc::new(Envelope::new(head, properties, line.word(3).as_bytes()));
        let transaction = line.option("in").map(|name| self.transactions[name]);
        let receipt = self.receipt(line);
        let send = Send { holder, destination, message, transaction, receipt };
        let applied = self.apply(Command::Send(send.clone()))?;
        if applied == Applied::Held {
            self.held.push_back(send);
        }
        Ok(applied)
    }

    fn receipt(&mut self, line: &Line<'_>) -> Option<u64> {
        line.has("receipt").then(|| {
            self.receipts += 1;
            self.receipts
        })
    }

    fn subscribe(&mut self, line: &Line<'_>) -> Outcome {
        let (kind, path) = split(line.word(3));
        let selector = line.selector().map(|text| Selector::parse(text, Strings::Convert));
        let subscribe = Subscribe {
            holder: self.holders[line.word(1)],
            target: Pattern::new(kind, path)?,
            ack: match line.option("ack") {
                None | Some("auto") => AckMode::Auto,
                Some("cumulative") => AckMode::Cumulative,
                Some("individual") => AckMode::Individual,
                Some(other) => panic!("unknown mode {other}"),
            },
            selector: selector.map(|selector| selector.expect("a selector")),
            prefetch: line.number("prefetch").unwrap_or(1_000) as u32,
            browse: line.has("browse"),
            durable: line.option("durable").map(Into::into),
            no_local: line.has("no-local"),
            receipt: self.receipt(line),
        };
        let applied = self.apply(Command::Subscribe(Box::new(subscribe)))?;
        if let Applied::Consumer(consumer) = applied {
            self.consumers.insert(line.word(2).to_owned(), consumer);
        }
        Ok(applied)
    }

    fn settle(&mut self, line: &Line<'_>) -> Outcome {
        let consumer = self.consumers[line.word(1)];
        let key = (line.word(1).to_owned(), line.word(2).to_owned());
        let settle = Settle {
            consumer,
            delivery: self.handed.get(&key).copied().unwrap_or(DeliveryNo(u64::MAX)),
            verdict: match line.word(0) {
                "ack" => Verdict::Ack,
                "reject" => Verdict::Reject,
                "requeue" => Verdict::Requeue,
                _ => Verdict::DeadLetter,
            },
            transaction: line.option("in").map(|name| self.transactions[name]),
            receipt: self.receipt(line),
        };
        self.apply(Command::Settle(settle))
    }

    fn transact(&mut self, line: &Line<'_>) -> Outcome {
        let holder = self.holders[line.word(1)];
        let name = line.word(2).to_owned();
        let receipt = self.receipt(line);
        if line.word(0) == "begin" {
            let applied = self.apply(Command::Begin { holder, receipt })?;
            if let Applied::Transaction(transaction) = applied {
                self.transactions.insert(name, transaction);
            }
            return Ok(applied);
        }
        let transaction = self.transactions[&name];
        self.apply(match line.word(0) {
            "commit" => Command::Commit { holder, transaction, receipt },
            _ => Command::Abort { holder, transaction, receipt },
        })
    }

    fn set_policy(&mut self, line: &Line<'_>) {
        let mut policy = Policy {
            messages_max: line.number("messages").unwrap_or(0),
            bytes_max: line.number("bytes").unwrap_or(0),
            block_ms_max: line.number("block").unwrap_or(0),
            slow_messages_max: line.number("slow").unwrap_or(1_000),
            auto_create: !line.has("closed"),
            ..Policy::default()
        };
        policy.when_full = match line.option("full") {
            Some("reject") => WhenFull::Reject,
            Some("drop") => WhenFull::DropOldest,
            _ => WhenFull::Block,
        };
        policy.when_slow = match line.option("when-slow") {
            Some("block") => WhenSlow::Block,
            Some("disconnect") => WhenSlow::Disconnect,
            _ => WhenSlow::DropOldest,
        };
        policy.redelivery = Redelivery {
            attempts_max: line.number("attempts").unwrap_or(6) as u32,
            delay_ms: line.number("delay").unwrap_or(0),
            ..policy.redelivery
        };
        policy.persistence = match line.option("persistence") {
            Some("always") => Persistence::Always,
            Some("never") => Persistence::Never,
            _ => Persistence::AsSent,
        };
        policy.keep_expired = match line.option("expired") {
            Some("all") => KeepExpired::All,
            Some("none") => KeepExpired::None,
            _ => KeepExpired::Persistent,
        };
        if line.option("rejected") == Some("requeue") {
            policy.on_reject = OnReject::Requeue;
        }
        if line.option("dead-letter") == Some("none") {
            policy.dead_letter = None;
        }
        let (kind, path) = split(line.word(1));
        let rule = Rule { kind: Some(kind), path: path.into(), policy: Arc::new(policy) };
        self.policies.rules.push(rule);
        self.policies.memory_bytes_max = line.number("memory").unwrap_or(0);
        self.disk = new_disk(self.memory);
        self.disk.0.borrow_mut().unsynced_bytes_max = line.number("unsynced").map(|n| n as usize);
        self.open();
    }

    fn open(&mut self) {
        let store = Box::new(self.disk.clone());
        self.driver = Driver::new(self.policies.clone(), store, self.now).expect("no damage");
    }

    fn crash(&mut self) {
        self.disk.0.borrow_mut().crash();
        self.holders.clear();
        self.consumers.clear();
        self.open();
    }

    fn pass_time(&mut self, line: &Line<'_>) {
        self.now = Now::at(line.word(1).parse().expect("milliseconds"));
        let _ = self.apply(Command::Tick);
    }

    /// Ends turns until nothing is left to do, and tells every effect.
    fn run(&mut self, told: &mut Vec<String>) {
        loop {
            self.driver.turn(self.now);
            let mut is_quiet = true;
            while let Some((holder, effect)) = self.driver.next_effect() {
                is_quiet = false;
                told.push(self.tell(holder, effect));
            }
            let is_loading = self.disk.0.borrow().has_news();
            if is_quiet && !is_loading && !self.driver.has_work(self.now) {
                return;
            }
            // What has expired is work that only the passing of time does.
            let _ = self.apply(Command::Tick);
        }
    }

    fn tell(&mut self, holder: HolderId, effect: Effect) -> String {
        let to = name_of(&self.holders, &holder);
        match effect {
            Effect::Deliver(delivery) => self.tell_delivery(&delivery),
            Effect::BrowseEnd { consumer } => {
                format!("{} has seen all", name_of(&self.consumers, &consumer))
            }
            Effect::Missed { consumer, count } => {
                format!("{} missed {count}", name_of(&self.consumers, &consumer))
            }
            Effect::Receipt { token } => format!("{to} receipt {token}"),
            Effect::Evict { refusal } => format!("{to} ended: {}", refusal.code.as_str()),
            Effect::Resume => {
                let send = self.held.pop_front().expect("somebody was held");
                match self.apply(Command::Send(send.clone())) {
                    Ok(Applied::Held) => {
                        self.held.push_back(send);
                        format!("{to} tries again, held")
                    }
                    Ok(_) => format!("{to} tries again"),
                    Err(refusal) => format!("{to} tries again: {}", refusal.code.as_str()),
                }
            }
        }
    }

    fn tell_delivery(&mut self, delivery: &Delivery) -> String {
        let name = name_of(&self.consumers, &delivery.consumer);
        let body = String::from_utf8_lossy(delivery.message.body()).into_owned();
        self.handed.insert((name.clone(), body.clone()), delivery.number);
        self.last_handed.insert(name.clone(), delivery.number);
        let mut text = format!("{name} <- {body}");
        if delivery.redeliveries > 0 {
            text.push_str(&format!(" again {}", delivery.redeliveries));
        }
        if let Some(provenance) = &delivery.provenance {
            let reason = provenance.reason.map_or("returned", |reason| reason.as_str());
            text.push_str(&format!(" from {} ({reason})", provenance.destination));
        }
        text
    }

    fn show(&self, line: &Line<'_>) -> Vec<String> {
        if line.word(1) == "spool" {
            return vec![format!("{} bytes", self.disk.0.borrow().spooled_bytes())];
        }
        if line.word(1) == "node" {
            let stats = self.driver.broker().stats();
            return vec![format!(
                "{} messages {} consumers {} transactions {} waiting effects",
                stats.messages,
                stats.consumers,
                stats.transactions,
                self.driver.waiting_len()
            )];
        }
        let all = self.driver.broker().destinations(None, usize::MAX);
        let found = all.iter().find(|stats| stats.name.to_string() == line.word(1));
        let Some(stats) = found else { return vec!["none".to_owned()] };
        let counters = stats.counters;
        let mut shown = vec![format!(
            "{} kept {} ready {} unacknowledged {} delayed; {} acknowledged {} expired {} dropped \
             {} dead {} duplicates",
            stats.messages,
            stats.ready,
            stats.unacknowledged,
            stats.delayed,
            counters.acknowledged,
            counters.expired,
            counters.dropped,
            counters.dead_lettered,
            counters.duplicates,
        )];
        if stats.unreadable > 0 {
            shown.push(format!("{} unreadable", stats.unreadable));
        }
        shown
    }

    fn browse(&mut self, line: &Line<'_>) -> Vec<String> {
        let destination = self.resolve(line.word(1)).expect("a queue");
        let limit = line.number("page").unwrap_or(2) as usize;
        let mut pages = Vec::new();
        let mut page = Vec::new();
        let mut cursor = Some(BrowseCursor::START);
        while let Some(from) = cursor {
            // A look ends before what has to be loaded first, and is then taken up again.
            let more = self.driver.browse(destination, from, limit - page.len(), None);
            cursor = more.next;
            self.driver.turn(self.now);
            page.extend(more.messages);
            if page.is_empty() || (page.len() < limit && cursor.is_some()) {
                continue;
            }
            let show = |browsed: &crate::broker::view::Browsed| {
                let body = String::from_utf8_lossy(browsed.message.body()).into_owned();
                match browsed.standing {
                    Standing::Ready => body,
                    Standing::Unacknowledged => format!("({body})"),
                    Standing::Delayed => format!("[{body}]"),
                }
            };
            pages.push(page.drain(..).map(|browsed| show(&browsed)).collect::<Vec<_>>().join(" "));
        }
        pages
    }

    /// A broker that is rebuilt from the records must have the same durable state.
    fn compare_with_replay(&self) {
        let mut replayed = Broker::new(self.policies.clone());
        for batch in &self.disk.0.borrow().batches {
            let records = codec::decode_all(&batch.records.clone().into()).expect("our own");
            records.iter().for_each(|record| replayed.evolve(record));
        }
        assert_eq!(without_sums(&replayed), without_sums(self.driver.broker()));
        if self.memory == Memory::Plenty {
            assert_eq!(replayed.durable_digest(), self.driver.broker().durable_digest());
        }
    }

    /// And so must one that is rebuilt from a snapshot.
    fn compare_with_checkpoint(&mut self) {
        let Some(image) = self.driver.snapshot() else { return };
        let mut restored = Broker::new(self.policies.clone());
        image.pieces(&mut |piece| {
            let records = codec::decode_all(&piece.to_vec().into()).expect("our own");
            records.iter().for_each(|record| restored.evolve(record));
            true
        });
        assert_eq!(without_sums(&restored), without_sums(self.driver.broker()));
    }
}

fn new_disk(memory: Memory) -> Disk {
    let disk = Disk::default();
    disk.0.borrow_mut().always = true;
    disk.0.borrow_mut().checkpoints = memory == Memory::Scarce;
    disk
}

/// The durable state but for the contents, which need not be in memory.
fn without_sums(broker: &Broker) -> Vec<String> {
    let strip = |line: String| match line.split_once(" sum ") {
        Some((before, after)) => format!("{before}{}", &after["00000000".len()..]),
        None => line,
    };
    broker.durable_digest().into_iter().map(strip).collect()
}

fn split(address: &str) -> (Kind, &str) {
    match address.strip_prefix("/topic/") {
        Some(path) => (Kind::Topic, path),
        None => (Kind::Queue, address.strip_prefix("/queue/").expect("/queue/ or /topic/")),
    }
}

fn name_of<Id: PartialEq>(names: &BTreeMap<String, Id>, id: &Id) -> String {
    let found = names.iter().find(|(_, other)| *other == id);
    found.map_or_else(|| "nobody".to_owned(), |(name, _)| name.clone())
}
