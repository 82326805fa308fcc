//! One client of a load: asks what the workload draws, reads, and notes what it did and saw.

use std::sync::Arc;
use std::time::Duration;

use posthouse_sim::client::{Client, Open, Role};
use posthouse_sim::history::{Call, Delivery, Mode, Send, Subscribe, Transacted, What};
use posthouse_sim::plan::Plan;
use posthouse_sim::port::{Arrival, Reply, Request};
use posthouse_sim::random::Random;
use posthouse_sim::workload::{self, Intent, Leaving, Scene};

use super::chronicle::Chronicle;
use super::gate::{Advice, Gate};
use super::link::Link;

/// Longest wait for something to read, or for a node.
const PAUSE: Duration = Duration::from_millis(2);
/// What a worker and a drainer do at once before they read again.
const DOINGS_AT_ONCE: usize = 2;
const DRAINING_AT_ONCE: usize = 50;
/// Receipts that a client waits for before it asks for more.
const AWAITED_MAX: usize = 16;
/// A goodbye is answered in this time, or the client just goes.
const GOODBYE_MS_MAX: u64 = 2_000;
/// At first drainers turn a little down, too.
const DRAINING_FREELY_MS: u64 = 2_000;

/// See the module.
pub(super) struct Actor {
    client: Client,
    random: Random,
    plan: Arc<Plan>,
    chronicle: Arc<Chronicle>,
    gate: Arc<Gate>,
    meeting: Option<Meeting>,
    began_ms: u64,
}

/// A connection, as its client sees it.
struct Meeting {
    link: Link,
    is_up: bool,
    /// Receipts that are still to come.
    awaited: usize,
    /// Since when the client has said goodbye.
    leaving_since_ms: Option<u64>,
}

impl Actor {
    /// A client that has not connected yet.
    pub(super) fn new(
        client: Client,
        random: Random,
        plan: Arc<Plan>,
        chronicle: Arc<Chronicle>,
        gate: Arc<Gate>,
    ) -> Actor {
        let began_ms = chronicle.now_ms();
        Actor { client, random, plan, chronicle, gate, meeting: None, began_ms }
    }

    /// Goes on until it is dismissed at the gate.
    pub(super) fn live(mut self) {
        loop {
            if self.meeting.is_some() {
                self.act();
                self.exchange();
            } else if !self.connect() {
                return;
            }
        }
    }

    /// Tries to connect. Answers whether to go on.
    fn connect(&mut self) -> bool {
        let node = match self.gate.enter(PAUSE) {
            Advice::Leave => return false,
            Advice::Wait => return true,
            Advice::Enter(node) => node,
        };
        let Ok(mut link) = Link::open(node, self.random.bits()) else {
            self.gate.leave();
            return true;
        };
        self.note(What::Open);
        link.ask(&Request::Connect { client: self.client.name.clone() });
        let meeting = Meeting { link, is_up: false, awaited: 0, leaving_since_ms: None };
        self.meeting = Some(meeting);
        true
    }

    fn act(&mut self) {
        if self.gate.is_dismissed() {
            self.go();
            return;
        }
        let is_drainer = self.client.role == Role::Drainer;
        for _ in 0..if is_drainer { DRAINING_AT_ONCE } else { DOINGS_AT_ONCE } {
            if !self.meeting.as_ref().is_some_and(Meeting::may_ask) {
                return;
            }
            if let Some(intent) = self.decide() {
                self.perform(intent);
            }
        }
    }

    fn decide(&mut self) -> Option<Intent> {
        let (client, plan, random) = (&mut self.client, &*self.plan, &mut self.random);
        let now_ms = self.chronicle.now_ms();
        let is_late = now_ms > self.began_ms + DRAINING_FREELY_MS;
        self.chronicle.with_numbers(|numbers| {
            let mut scene = Scene { now_ms, plan, random, numbers };
            match client.role {
                Role::Drainer => workload::next_errand(client, &mut scene, is_late),
                _ => workload::next(client, &mut scene),
            }
        })
    }

    fn perform(&mut self, intent: Intent) {
        match intent {
            Intent::Ask { call, receipt, handle } => self.ask(call, receipt, handle),
            Intent::Leave(Leaving::Politely) => self.say_goodbye(),
            Intent::Leave(Leaving::Closing) => {
                if let Some(meeting) = &mut self.meeting {
                    meeting.link.write();
                }
                self.hang_up();
            }
            Intent::Leave(Leaving::Vanishing) => self.hang_up(),
            Intent::Stall(_) => unreachable!("the plan has no stalls"),
        }
    }

    fn ask(&mut self, call: Call, receipt: bool, handle: u64) {
        let Some(meeting) = &mut self.meeting else { return };
        let op = self.chronicle.invoke(self.client.id, call.clone());
        self.client.pending.insert(op, call.clone());
        meeting.awaited += usize::from(receipt);
        meeting.link.ask(&Request::Call { op, call, receipt, handle });
    }

    fn say_goodbye(&mut self) {
        self.ask(Call::Disconnect, true, 0);
        if let Some(meeting) = &mut self.meeting {
            meeting.leaving_since_ms = Some(self.chronicle.now_ms());
        }
    }

    /// Half of those who can leave politely do; nobody waits for ever.
    fn go(&mut self) {
        let Some(meeting) = &self.meeting else { return };
        match meeting.leaving_since_ms {
            None if meeting.is_up && self.random.chance(50) => self.say_goodbye(),
            Some(since_ms) if self.chronicle.now_ms() < since_ms + GOODBYE_MS_MAX => {}
            _ => self.hang_up(),
        }
    }

    fn exchange(&mut self) {
        let Some(meeting) = &mut self.meeting else { return };
        match meeting.link.exchange(PAUSE) {
            Ok(replies) => replies.into_iter().for_each(|reply| self.hear(reply)),
            Err(_) => self.hang_up(),
        }
    }

    /// The connection is over. That is noted first: nobody else can get what it had before.
    fn hang_up(&mut self) {
        if self.meeting.is_none() {
            return;
        }
        self.note(What::Close);
        self.meeting = None;
        if self.client.role == Role::Drainer {
            self.take_errands_again();
        }
        self.client.disconnect();
        self.gate.leave();
    }

    fn take_errands_again(&mut self) {
        for consumer in self.client.consumers.values() {
            let number = self.chronicle.with_numbers(workload::Numbers::take);
            let wish = Subscribe { consumer: number, ..consumer.wish.clone() };
            self.client.errands.push(wish);
        }
    }

    fn hear(&mut self, reply: Reply) {
        match reply {
            Reply::Connected => self.meeting.iter_mut().for_each(|meeting| meeting.is_up = true),
            Reply::Receipt(op) => self.confirm(op),
            Reply::Refused { op, code, detail } => self.refuse(op, &code, &detail),
            Reply::Message(arrival) => self.receive(arrival),
            Reply::BrowseEnd(consumer) => {
                if self.client.consumers.remove(&consumer).is_some() {
                    self.note(What::BrowseEnd(consumer));
                    self.ask(Call::Unsubscribe(consumer), false, 0);
                }
            }
            Reply::Missed(consumer, count) => self.note(What::Missed(consumer, count)),
        }
    }

    fn confirm(&mut self, op: u64) {
        let call = self.client.pending.remove(&op);
        let call = call.unwrap_or_else(|| panic!("nobody asked for the receipt {op}"));
        if let Some(meeting) = &mut self.meeting {
            meeting.awaited = meeting.awaited.saturating_sub(1);
        }
        match call {
            Call::Send(Send { key, transaction: None, .. }) => {
                self.client.numbered.remove(&key);
            }
            Call::Transact(id, Transacted::Commit) => {
                self.client.numbered.retain(|_, send| send.transaction != Some(id));
            }
            _ => {}
        }
        self.note(What::Ok(op));
    }

    /// A refusal ends the connection; whether it had to be expected the workload knows.
    fn refuse(&mut self, op: Option<u64>, code: &str, detail: &str) {
        let call = op.and_then(|op| self.client.pending.remove(&op));
        let is_expected = workload::is_expected(call.as_ref(), code);
        assert!(is_expected, "client {} was refused {call:?}: {detail}", self.client.id);
        if let (Some(op), Some(_)) = (op, call) {
            self.note(What::Fail(op));
        }
    }

    /// A client that has said goodbye, to a consumer or altogether, reads on and heeds no message.
    fn receive(&mut self, arrival: Arrival) {
        let is_leaving = self.meeting.as_ref().is_none_or(|m| m.leaving_since_ms.is_some());
        let consumer = self.client.consumers.get_mut(&arrival.consumer);
        let Some(consumer) = consumer.filter(|_| !is_leaving) else { return };
        consumer.received += 1;
        let number = consumer.received;
        if !consumer.wish.browse && consumer.wish.mode != Mode::Auto {
            consumer.open.push(Open { number, handle: arrival.handle });
        }
        let Arrival { consumer, key, from, redeliveries, .. } = arrival;
        self.note(What::Deliver(Delivery { consumer, number, key, from, redeliveries }));
    }

    fn note(&self, what: What) {
        self.chronicle.note(self.client.id, what);
    }
}

impl Meeting {
    fn may_ask(&self) -> bool {
        let is_staying = self.is_up && self.leaving_since_ms.is_none();
        is_staying && self.awaited < AWAITED_MAX && self.link.has_room()
    }
}

impl Drop for Actor {
    /// A client that panics leaves the gate all the same, so that nobody waits for it.
    fn drop(&mut self) {
        if self.meeting.take().is_some() {
            self.gate.leave();
        }
    }
}
