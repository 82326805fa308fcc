//! Clients in the world: they wake, ask, read, and note in the history what they did and saw.

use posthouse_core::refusal::Code;

use super::World;
use super::agenda::Happening;
use crate::carrier::{Parcel, Peer};
use crate::client::{Client, Connection, Open, Role};
use crate::clock;
use crate::history::{Call, Delivery, Key, Mode, Op, Send, Subscribe, Target, Transacted, What};
use crate::invariants::{self, Breach};
use crate::network::{End, LinkId};
use crate::port::{Arrival, Reply, Request};
use crate::workload::{self, Intent, Leaving, Scene};

/// What a drainer does each time it wakes, so that its own pace is not what is measured.
const DRAINING_AT_ONCE: usize = 10;

impl World {
    pub(super) fn wake(&mut self, id: u32) -> Result<(), Breach> {
        let think_ms = match self.clients.get(&id).map(|client| client.role) {
            Some(Role::Worker | Role::Watcher) => self.plan.think_ms_max,
            Some(Role::Drainer | Role::Sitter) => 10,
            None => return Ok(()),
        };
        let wake_ms = self.now_ms + 1 + self.workload.below(think_ms);
        self.agenda.add(wake_ms, Happening::Wake(id));
        let Some(mut client) = self.clients.remove(&id) else { return Ok(()) };
        let acted = self.act(&mut client);
        self.clients.insert(id, client);
        acted
    }

    fn act(&mut self, client: &mut Client) -> Result<(), Breach> {
        let Some(link) = client.link() else {
            self.connect(client);
            return Ok(());
        };
        if client.stalled_until_ms > self.now_ms {
            return Ok(());
        }
        self.read_all(client, link)?;
        if self.is_to_leave(client) {
            self.go(client, link);
            return Ok(());
        }
        let at_once = if client.role == Role::Drainer { DRAINING_AT_ONCE } else { 1 };
        for _ in 0..at_once {
            if !client.is_up() || !self.network.has_room(link, End::Node) {
                break;
            }
            let Some(intent) = self.decide(client) else { break };
            self.perform(client, intent);
        }
        Ok(())
    }

    fn decide(&mut self, client: &mut Client) -> Option<Intent> {
        let is_late = self.healed_ms.is_some_and(|healed_ms| self.now_ms > healed_ms + 2_000);
        let mut scene = Scene {
            now_ms: self.now_ms,
            plan: &self.plan,
            random: &mut self.workload,
            numbers: &mut self.numbers,
        };
        match client.role {
            Role::Worker => workload::next(client, &mut scene),
            Role::Watcher => workload::watch(client, &mut scene),
            Role::Drainer | Role::Sitter => workload::next_errand(client, &mut scene, is_late),
        }
    }

    fn connect(&mut self, client: &mut Client) {
        if !self.node.is_up() || self.is_to_leave(client) {
            return;
        }
        let link = self.network.open();
        self.node.accept(clock::now(self.now_ms), link);
        self.links.insert(link, client.id);
        self.note(client.id, What::Open);
        let mut peer = Peer::new(&self.plan, self.workload.bits());
        let parcel = peer.ask(Request::Connect { client: client.name.clone() });
        client.connection = Some(Connection { link, peer, is_up: false, is_leaving: false });
        self.post(link, parcel);
    }

    fn post(&mut self, link: LinkId, parcel: Parcel) {
        for due_ms in self.network.send(self.now_ms, link, End::Node, parcel) {
            self.agenda.add(due_ms, Happening::Arrive(link, End::Node));
        }
    }

    pub(super) fn perform(&mut self, client: &mut Client, intent: Intent) {
        match intent {
            Intent::Ask { call, receipt, handle } => self.ask(client, call, receipt, handle),
            Intent::Leave(leaving) => self.leave(client, leaving),
            Intent::Stall(until_ms) => {
                client.stalled_until_ms = until_ms;
                if let Some(link) = client.link() {
                    self.agenda.add(until_ms, Happening::Arrive(link, End::Client));
                }
            }
        }
    }

    fn ask(&mut self, client: &mut Client, call: Call, receipt: bool, handle: u64) {
        let op = self.numbers.take();
        self.note(client.id, What::Invoke(op, call.clone()));
        self.promise(op, &call);
        if let Call::Subscribe(wish) = &call {
            self.durables.extend(wish.durable.clone());
        }
        let Some(connection) = &mut client.connection else { return };
        let link = connection.link;
        let parcel = connection.peer.ask(Request::Call { op, call: call.clone(), receipt, handle });
        client.pending.insert(op, call);
        self.post(link, parcel);
    }

    /// Notes which messages are safe once `op` is confirmed.
    fn promise(&mut self, op: Op, call: &Call) {
        match call {
            Call::Send(send) if send.persistent => {
                let promised = (send.key, send.to.clone());
                match send.transaction {
                    Some(id) => self.committing.entry(id).or_default().push(promised),
                    None if self.terms.rule(&send.to).volatile => {}
                    None => drop(self.promises.insert(op, vec![promised])),
                }
            }
            Call::Transact(id, Transacted::Commit) => {
                let keys = self.committing.remove(id).unwrap_or_default();
                let kept = |(_, to): &(Key, Target)| !self.terms.rule(to).volatile;
                self.promises.insert(op, keys.into_iter().filter(kept).collect());
            }
            _ => {}
        }
    }

    fn leave(&mut self, client: &mut Client, leaving: Leaving) {
        let Some(link) = client.link() else { return };
        match leaving {
            Leaving::Politely => {
                self.ask(client, Call::Disconnect, true, 0);
                if let Some(connection) = &mut client.connection {
                    connection.is_leaving = true;
                }
            }
            Leaving::Closing => {
                self.post(link, Parcel::End);
                self.node_notices(link);
                self.hang_up(client);
            }
            Leaving::Vanishing => {
                self.network.break_link(link);
                self.node_notices(link);
                self.hang_up(client);
            }
        }
    }

    /// The client's end of its connection is gone.
    pub(super) fn hang_up(&mut self, client: &mut Client) {
        if let Some(link) = client.link() {
            self.links.remove(&link);
            self.note(client.id, What::Close);
            if client.role == Role::Drainer {
                for consumer in client.consumers.values() {
                    let consumer =
                        Subscribe { consumer: self.numbers.take(), ..consumer.wish.clone() };
                    client.errands.push(consumer);
                }
            }
            client.disconnect();
        }
    }

    /// What has arrived at the client's end of a link is read.
    pub(super) fn read(&mut self, link: LinkId) -> Result<(), Breach> {
        let Some(id) = self.links.get(&link).copied() else { return Ok(()) };
        let Some(mut client) = self.clients.remove(&id) else { return Ok(()) };
        let is_awake = client.stalled_until_ms <= self.now_ms;
        let read = if is_awake { self.read_all(&mut client, link) } else { Ok(()) };
        self.clients.insert(id, client);
        read
    }

    fn read_all(&mut self, client: &mut Client, link: LinkId) -> Result<(), Breach> {
        while client.link() == Some(link)
            && let Some(parcel) = self.network.receive(self.now_ms, link, End::Client)
        {
            self.settle_soon();
            if matches!(parcel, Parcel::End) {
                self.hang_up(client);
                self.network.forget(link);
                return Ok(());
            }
            let Some(connection) = &mut client.connection else { return Ok(()) };
            for reply in connection.peer.hear(parcel) {
                self.hear(client, reply)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, client: &mut Client, reply: Reply) -> Result<(), Breach> {
        match reply {
            Reply::Connected => {
                if let Some(connection) = &mut client.connection {
                    connection.is_up = true;
                }
                Ok(())
            }
            Reply::Receipt(op) => self.confirm(client, op),
            Reply::Refused { op, code, detail } => self.refuse(client, op, &code, &detail),
            Reply::Message(arrival) => {
                self.receive(client, arrival);
                Ok(())
            }
            Reply::BrowseEnd(consumer) => {
                if client.consumers.remove(&consumer).is_some() {
                    self.note(client.id, What::BrowseEnd(consumer));
                    self.ask(client, Call::Unsubscribe(consumer), false, 0);
                }
                Ok(())
            }
            Reply::Missed(consumer, count) => {
                self.note(client.id, What::Missed(consumer, count));
                Ok(())
            }
        }
    }

    fn confirm(&mut self, client: &mut Client, op: Op) -> Result<(), Breach> {
        let Some(call) = client.pending.remove(&op) else {
            let detail = format!("client {} never asked for the receipt {op}", client.id);
            return Err(Breach { invariant: "receipts-are-asked-for", detail });
        };
        if let Some(keys) = self.promises.remove(&op) {
            if self.plan.looks_inside {
                invariants::receipt_is_due(self.node.journal(), &keys)?;
            }
            keys.iter().for_each(|(key, _)| drop(client.numbered.remove(key)));
        }
        if let Call::Send(Send { key, transaction: None, .. }) = call {
            client.numbered.remove(&key);
        }
        self.note(client.id, What::Ok(op));
        Ok(())
    }

    fn refuse(
        &mut self,
        client: &mut Client,
        op: Option<Op>,
        code: &str,
        detail: &str,
    ) -> Result<(), Breach> {
        let call = op.and_then(|op| client.pending.remove(&op));
        if !workload::is_expected(call.as_ref(), code) {
            let detail = format!("client {} was refused {call:?}: {detail}", client.id);
            return Err(Breach { invariant: "refusals-have-a-reason", detail });
        }
        // A message that was refused for good is not sent again.
        if let Some(Call::Send(send)) = &call
            && code == Code::DestinationFull.as_str()
        {
            client.numbered.remove(&send.key);
        }
        if let (Some(op), Some(_)) = (op, call) {
            self.note(client.id, What::Fail(op));
        }
        Ok(())
    }

    /// A client that has said goodbye, to a consumer or altogether, reads on and heeds no message.
    fn receive(&mut self, client: &mut Client, arrival: Arrival) {
        let is_leaving = client.connection.as_ref().is_none_or(|c| c.is_leaving);
        let consumer = client.consumers.get_mut(&arrival.consumer);
        let Some(consumer) = consumer.filter(|_| !is_leaving) else { return };
        consumer.received += 1;
        let number = consumer.received;
        if !consumer.wish.browse && consumer.wish.mode != Mode::Auto {
            consumer.open.push(Open { number, handle: arrival.handle });
        }
        let Arrival { consumer, key, from, redeliveries, .. } = arrival;
        let delivery = Delivery { consumer, number, key, from, redeliveries };
        self.note(client.id, What::Deliver(delivery));
    }

    /// Whether disturbances are over and the client has no more business here.
    fn is_to_leave(&self, client: &Client) -> bool {
        let Some(healed_ms) = self.healed_ms else { return false };
        match client.role {
            Role::Worker => true,
            Role::Sitter => self.now_ms > healed_ms + super::healing::SITTING_MS,
            Role::Watcher | Role::Drainer => false,
        }
    }

    /// Half of those who can leave politely do; nobody waits for ever.
    fn go(&mut self, client: &mut Client, link: LinkId) {
        let has_room = self.network.has_room(link, End::Node);
        let is_leaving = client.connection.as_ref().is_some_and(|c| c.is_leaving);
        let is_late = self.healed_ms.is_some_and(|healed_ms| self.now_ms > healed_ms + 1_000);
        if is_leaving && !is_late {
            return;
        }
        let politely = has_room && client.is_up() && !is_late && self.workload.chance(50);
        self.leave(client, if politely { Leaving::Politely } else { Leaving::Vanishing });
    }
}
