//! A front without a protocol: requests are values, and each becomes the command that it means.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use posthouse_core::command::{
    AckMode, Applied, Command, Send as SendCommand, Settle as SettleCommand,
    Subscribe as SubscribeCommand, Verdict as CoreVerdict,
};
use posthouse_core::destination::{Kind as CoreKind, Pattern};
use posthouse_core::driver::Driver;
use posthouse_core::effect::{Delivery, Effect};
use posthouse_core::ids::{ConsumerId, DeliveryNo, DestinationId, HolderId, TransactionId};
use posthouse_core::refusal::{Code, Refusal};
use posthouse_core::time::Now;

use crate::carrier::Parcel;
use crate::carrier::message::{envelope, key_of, selector};
use crate::history::{
    Call, Consumer, Key, Kind, Mode, Op, Send, Settle, Subscribe, Target, Transacted, Transaction,
    Verdict,
};
use crate::plan::Plan;
use crate::port::{Arrival, Reply, Request};

/// Replies that wait to be written before deliveries stop.
const OUT_SOFT: usize = 32;

/// A reply, and the delivery that is written with it.
type Outgoing = (Reply, Option<(ConsumerId, DeliveryNo)>);

/// What every call comes with.
#[derive(Clone, Copy, Debug)]
struct Asked {
    now: Now,
    holder: HolderId,
    op: Op,
    receipt: Option<Op>,
    handle: u64,
}

/// See the module.
pub struct ValueFront {
    holder: Option<HolderId>,
    consumers: BTreeMap<Consumer, ConsumerId>,
    names: BTreeMap<ConsumerId, Consumer>,
    transactions: BTreeMap<Transaction, TransactionId>,
    held: Option<(Op, SendCommand)>,
    /// The send that was held last, whatever became of it.
    last_held: Option<Op>,
    out: VecDeque<Outgoing>,
    is_flow_open: bool,
    leaving: Option<Op>,
    is_closing: bool,
    out_soft: usize,
}

impl ValueFront {
    /// The front of a new link.
    pub fn new(plan: &Plan) -> ValueFront {
        ValueFront {
            holder: None,
            consumers: BTreeMap::new(),
            names: BTreeMap::new(),
            transactions: BTreeMap::new(),
            held: None,
            last_held: None,
            out: VecDeque::new(),
            is_flow_open: true,
            leaving: None,
            is_closing: false,
            out_soft: OUT_SOFT.min(plan.window_parcels),
        }
    }

    /// Carries a request out.
    pub fn on_request(&mut self, now: Now, request: Request, driver: &mut Driver) {
        match request {
            Request::Connect { client } => {
                let attach = Command::Attach { client: client.map(Into::into) };
                if let Ok(Applied::Holder(holder)) = driver.apply(now, attach) {
                    self.holder = Some(holder);
                    self.out.push_back((Reply::Connected, None));
                }
            }
            Request::Call { op, call, receipt, handle } => {
                let Some(holder) = self.holder else { return };
                let receipt = receipt.then_some(op);
                let asked = Asked { now, holder, op, receipt, handle };
                if let Err(refusal) = self.carry_out(asked, &call, driver) {
                    self.refuse(Some(op), &refusal);
                }
            }
        }
        self.regulate_flow(now, driver);
    }

    fn carry_out(&mut self, asked: Asked, call: &Call, driver: &mut Driver) -> Result<(), Refusal> {
        let Asked { now, holder, op, receipt, .. } = asked;
        match call {
            Call::Send(send) => self.send(asked, send, driver),
            Call::Subscribe(wish) => self.subscribe(asked, wish, driver),
            Call::Unsubscribe(consumer) => self.unsubscribe(asked, *consumer, driver),
            Call::Forget(durable) => {
                let (client, name) = (durable.client.as_str().into(), durable.name.as_str().into());
                let receipt = receipt.map(|token| (holder, token));
                let remove = Command::RemoveSubscription { client, name, receipt };
                driver.apply(now, remove).map(drop)
            }
            Call::Settle(settle) => self.settle(asked, settle, driver),
            Call::Transact(id, step) => self.transact(asked, *id, *step, driver),
            Call::Disconnect => {
                driver.apply(now, Command::Confirm { holder, receipt: op })?;
                self.is_flow_open = false;
                self.leaving = Some(op);
                driver.apply(now, Command::Flow { holder, open: false }).map(drop)
            }
            Call::Purge(_) | Call::Redrive(_) => unreachable!("clients do not manage the node"),
        }
    }

    fn send(&mut self, asked: Asked, send: &Send, driver: &mut Driver) -> Result<(), Refusal> {
        let Asked { now, holder, op, receipt, .. } = asked;
        let destination = resolve(now, &send.to, driver)?;
        let message = Arc::new(envelope(now, send));
        let transaction = send.transaction.map(|id| self.transaction(id)).transpose()?;
        let command = SendCommand { holder, destination, message, transaction, receipt };
        self.give(now, op, command, driver)
    }

    /// Gives a send, for the first time or again after it was held.
    fn give(
        &mut self,
        now: Now,
        op: Op,
        command: SendCommand,
        driver: &mut Driver,
    ) -> Result<(), Refusal> {
        if driver.apply(now, Command::Send(command.clone()))? == Applied::Held {
            self.held = Some((op, command));
            self.last_held = Some(op);
        }
        Ok(())
    }

    fn subscribe(
        &mut self,
        asked: Asked,
        wish: &Subscribe,
        driver: &mut Driver,
    ) -> Result<(), Refusal> {
        let Asked { now, holder, receipt, .. } = asked;
        let command = SubscribeCommand {
            holder,
            target: Pattern::new(kind(wish.to.kind), &wish.to.path)?,
            ack: match wish.mode {
                Mode::Auto => AckMode::Auto,
                Mode::Cumulative => AckMode::Cumulative,
                Mode::Individual => AckMode::Individual,
            },
            selector: selector(wish.wants),
            prefetch: wish.prefetch,
            browse: wish.browse,
            durable: wish.durable.as_ref().map(|durable| durable.name.as_str().into()),
            no_local: wish.no_local,
            receipt,
        };
        let applied = driver.apply(now, Command::Subscribe(Box::new(command)))?;
        if let Applied::Consumer(id) = applied {
            self.consumers.insert(wish.consumer, id);
            self.names.insert(id, wish.consumer);
        }
        Ok(())
    }

    fn unsubscribe(
        &mut self,
        asked: Asked,
        consumer: Consumer,
        driver: &mut Driver,
    ) -> Result<(), Refusal> {
        let Asked { now, receipt, .. } = asked;
        let unknown = || Refusal::new(Code::ConsumerUnknown, "there is no such consumer");
        let consumer = self.consumers.remove(&consumer).ok_or_else(unknown)?;
        self.names.remove(&consumer);
        driver.apply(now, Command::Unsubscribe { consumer, receipt })?;
        Ok(())
    }

    fn settle(
        &mut self,
        asked: Asked,
        settle: &Settle,
        driver: &mut Driver,
    ) -> Result<(), Refusal> {
        let Asked { now, receipt, handle, .. } = asked;
        let unknown = || Refusal::new(Code::ConsumerUnknown, "there is no such consumer");
        let consumer = *self.consumers.get(&settle.consumer).ok_or_else(unknown)?;
        let transaction = settle.transaction.map(|id| self.transaction(id)).transpose()?;
        let verdict = match settle.verdict {
            Verdict::Ack => CoreVerdict::Ack,
            Verdict::Reject => CoreVerdict::Reject,
            Verdict::Requeue => CoreVerdict::Requeue,
            Verdict::DeadLetter => CoreVerdict::DeadLetter,
        };
        let delivery = DeliveryNo(handle);
        let command = SettleCommand { consumer, delivery, verdict, transaction, receipt };
        driver.apply(now, Command::Settle(command))?;
        Ok(())
    }

    fn transaction(&self, id: Transaction) -> Result<TransactionId, Refusal> {
        let unknown = || Refusal::new(Code::TransactionUnknown, "there is no such transaction");
        self.transactions.get(&id).copied().ok_or_else(unknown)
    }

    fn transact(
        &mut self,
        asked: Asked,
        id: Transaction,
        step: Transacted,
        driver: &mut Driver,
    ) -> Result<(), Refusal> {
        let Asked { now, holder, receipt, .. } = asked;
        let command = match step {
            Transacted::Begin => Command::Begin { holder, receipt },
            Transacted::Commit => {
                Command::Commit { holder, transaction: self.transaction(id)?, receipt }
            }
            Transacted::Abort => {
                Command::Abort { holder, transaction: self.transaction(id)?, receipt }
            }
        };
        if let Applied::Transaction(begun) = driver.apply(now, command)? {
            self.transactions.insert(id, begun);
        }
        Ok(())
    }

    /// Takes an effect for the holder.
    pub fn on_effect(&mut self, now: Now, effect: Effect, driver: &mut Driver) {
        if self.is_closing {
            return;
        }
        match effect {
            Effect::Deliver(delivery) => self.deliver(&delivery),
            Effect::BrowseEnd { consumer } => {
                self.tell(consumer, Reply::BrowseEnd);
            }
            Effect::Missed { consumer, count } => {
                self.tell(consumer, |consumer| Reply::Missed(consumer, count));
            }
            Effect::Receipt { token } => {
                self.out.push_back((Reply::Receipt(token), None));
                self.is_closing = self.leaving == Some(token);
            }
            Effect::Resume => {
                if let Some((op, command)) = self.held.take()
                    && let Err(refusal) = self.give(now, op, command, driver)
                {
                    self.refuse(Some(op), &refusal);
                }
            }
            Effect::Evict { refusal } => {
                let op = self.held.take().map(|(op, _)| op);
                self.refuse(op, &refusal);
            }
        }
        self.regulate_flow(now, driver);
    }

    fn tell(&mut self, consumer: ConsumerId, reply: impl FnOnce(Consumer) -> Reply) {
        if let Some(name) = self.names.get(&consumer) {
            self.out.push_back((reply(*name), None));
        }
    }

    /// A delivery to a consumer that has ended meanwhile has gone back already.
    fn deliver(&mut self, delivery: &Delivery) {
        let Some(consumer) = self.names.get(&delivery.consumer).copied() else { return };
        let from = &delivery.destination;
        let arrival = Arrival {
            consumer,
            handle: delivery.number.0,
            key: key_of(&delivery.message).unwrap_or(Key::MAX),
            from: match from.kind {
                CoreKind::Queue => Target::queue(from.path()),
                CoreKind::Topic => Target::topic(from.path()),
            },
            redeliveries: delivery.redeliveries,
        };
        let written = (delivery.consumer, delivery.number);
        self.out.push_back((Reply::Message(arrival), Some(written)));
    }

    fn refuse(&mut self, op: Option<Op>, refusal: &Refusal) {
        let (code, detail) = (refusal.code.as_str().to_owned(), refusal.detail.clone());
        self.out.push_back((Reply::Refused { op, code, detail }, None));
        self.is_closing = true;
    }

    /// Takes the next reply, which counts as written.
    pub fn write(&mut self, now: Now, driver: &mut Driver) -> Option<Parcel> {
        let (reply, written) = self.out.pop_front()?;
        if let Some((consumer, up_to)) = written {
            let _ = driver.apply(now, Command::Written { consumer, up_to });
        }
        self.regulate_flow(now, driver);
        Some(Parcel::Reply(Box::new(reply)))
    }

    fn regulate_flow(&mut self, now: Now, driver: &mut Driver) {
        let is_open = !self.is_closing && self.leaving.is_none();
        let Some(holder) = self.holder.filter(|_| is_open) else { return };
        let waiting = self.out.len();
        let open = waiting < if self.is_flow_open { self.out_soft } else { self.out_soft / 2 + 1 };
        if open != self.is_flow_open {
            self.is_flow_open = open;
            let _ = driver.apply(now, Command::Flow { holder, open });
        }
    }

    /// The link is gone.
    pub fn on_closed(&mut self, now: Now, driver: &mut Driver) {
        self.is_closing = true;
        if let Some(holder) = self.holder.take() {
            let _ = driver.apply(now, Command::Detach { holder });
        }
    }

    /// Whether requests are to be taken.
    pub fn wants_input(&self) -> bool {
        self.held.is_none() && self.leaving.is_none() && !self.is_closing
    }

    /// Whether a call that was refused had been held before. Nothing is asked while a send is held,
    /// so there is only one to remember.
    pub fn was_held(&self, op: Op) -> bool {
        self.last_held == Some(op)
    }

    /// Whether only the replies are left.
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// The holder, once attached.
    pub fn holder(&self) -> Option<HolderId> {
        self.holder
    }
}

fn kind(kind: Kind) -> CoreKind {
    match kind {
        Kind::Queue => CoreKind::Queue,
        Kind::Topic => CoreKind::Topic,
    }
}

/// Finds a destination, or makes it.
///
/// # Errors
/// As the broker refuses.
pub fn resolve(now: Now, to: &Target, driver: &mut Driver) -> Result<DestinationId, Refusal> {
    let resolve = Command::Resolve { kind: kind(to.kind), path: (*to.path).into() };
    match driver.apply(now, resolve)? {
        Applied::Destination(id) => Ok(id),
        _ => unreachable!("resolving answers a destination"),
    }
}
