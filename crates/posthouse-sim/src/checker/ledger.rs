//! A history sorted by what it is about: messages, consumers, transactions.
//!
//! A *moment* is an index into the events; later events have higher ones.

use std::collections::BTreeMap;

use crate::history::{
    Call, Consumer, Delivery, Durable, History, Key, Mode, Op, Send, Subscribe, Target, Transacted,
    Transaction, Verdict, What,
};

/// An index into the events of the history.
pub type Moment = usize;

/// What is known about whether something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was, and the client was told so at this moment.
    Done(Moment),
    /// Nobody can tell.
    Maybe,
    /// It was not, and never will be.
    Never,
}

/// One call and its outcome.
#[derive(Debug)]
pub struct Called<'a> {
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// What was asked.
    pub call: &'a Call,
    /// What became of it.
    pub standing: Standing,
}

/// One connection of one client.
#[derive(Debug)]
pub struct Connection {
    /// When it was over, if ever.
    pub closed: Option<Moment>,
    /// When it asked to leave in good order.
    pub disconnected: Option<Moment>,
}

/// One try to send a message.
#[derive(Debug)]
pub struct Attempt {
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// From when on it can be seen: when it, or the commit of its transaction, was begun.
    pub visible: Option<Moment>,
    /// What became of it, its transaction taken into account.
    pub standing: Standing,
}

/// One message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Its key.
    pub key: Key,
    /// The message as it was first sent.
    pub sent: &'a Send,
    /// Every try to send it, in order.
    pub attempts: Vec<Attempt>,
    /// Indices of its deliveries, browsers' included, in order.
    pub deliveries: Vec<usize>,
}

/// What a client said about a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// When it said so.
    pub invoked: Moment,
    /// When it began to hold: at once, or when the commit was begun.
    pub holds: Moment,
    /// What it said.
    pub verdict: Verdict,
    /// Whether that was done, its transaction taken into account.
    pub standing: Standing,
    /// The transaction that it was part of.
    pub transaction: Option<Transaction>,
}

/// One delivery, as the client saw it.
#[derive(Debug)]
pub struct Received<'a> {
    /// When.
    pub at: Moment,
    /// What.
    pub delivery: &'a Delivery,
    /// What the client said about it.
    pub words: Vec<Word>,
}

/// One consumer.
#[derive(Debug)]
pub struct Consuming<'a> {
    /// What it asked for.
    pub wish: &'a Subscribe,
    /// Over which connection.
    pub connection: usize,
    /// When it was begun.
    pub invoked: Moment,
    /// When that was confirmed.
    pub confirmed: Option<Moment>,
    /// When it ended, as its client saw it.
    pub ended: Option<Moment>,
    /// Indices of its deliveries, in order.
    pub deliveries: Vec<usize>,
}

/// One transaction.
#[derive(Debug, Default)]
pub struct Transacting {
    /// When its commit was begun.
    pub commit: Option<Moment>,
    /// What became of the commit.
    pub standing: Option<Standing>,
    /// When its abort was begun.
    pub abort: Option<Moment>,
}

impl Transacting {
    /// What became of everything in it.
    pub fn standing(&self) -> Standing {
        self.standing.unwrap_or(Standing::Never)
    }
}

/// See the module.
#[derive(Debug)]
pub struct Ledger<'a> {
    /// Where it is from.
    pub history: &'a History,
    /// Every call, by its number.
    pub calls: BTreeMap<Op, Called<'a>>,
    /// Every connection, in order.
    pub connections: Vec<Connection>,
    /// Every transaction.
    pub transactions: BTreeMap<Transaction, Transacting>,
    /// Every consumer.
    pub consumers: BTreeMap<Consumer, Consuming<'a>>,
    /// Every message that somebody tried to send.
    pub messages: BTreeMap<Key, Message<'a>>,
    /// Every delivery, in order.
    pub deliveries: Vec<Received<'a>>,
    /// When the node was killed.
    pub crashes: Vec<Moment>,
    /// When disturbances ended.
    pub healed: Option<Moment>,
    /// When everything had been consumed.
    pub drained: Option<Moment>,
    management: Vec<(Moment, &'a Call)>,
    current: BTreeMap<u32, usize>,
    arrivals: BTreeMap<Key, Vec<usize>>,
}

impl<'a> Ledger<'a> {
    /// Sorts a history.
    ///
    /// # Errors
    /// Which event contradicts the ones before it.
    pub fn read(history: &'a History) -> Result<Ledger<'a>, String> {
        let mut ledger = Ledger {
            history,
            calls: BTreeMap::new(),
            connections: Vec::new(),
            transactions: BTreeMap::new(),
            consumers: BTreeMap::new(),
            messages: BTreeMap::new(),
            deliveries: Vec::new(),
            crashes: Vec::new(),
            healed: None,
            drained: None,
            management: Vec::new(),
            current: BTreeMap::new(),
            arrivals: BTreeMap::new(),
        };
        for (moment, event) in history.events.iter().enumerate() {
            let told = ledger.take(moment, event.client, &event.what);
            told.map_err(|why| format!("event {} ({event}): {why}", moment + 1))?;
        }
        ledger.confirm_by_disconnects();
        ledger.sort_calls()?;
        Ok(ledger)
    }

    /// The time of a moment, in milliseconds.
    pub fn at_ms(&self, moment: Moment) -> u64 {
        self.history.events.get(moment).map_or(u64::MAX, |event| event.at_ms)
    }

    /// The consumer of a delivery.
    pub fn consumer(&self, received: &Received<'_>) -> &Consuming<'a> {
        &self.consumers[&received.delivery.consumer]
    }

    /// The deliveries of a message, browsers' excepted.
    pub fn received(&self, message: &Message<'_>) -> impl Iterator<Item = &Received<'a>> {
        let all = message.deliveries.iter().filter_map(|index| self.deliveries.get(*index));
        all.filter(|received| !self.consumer(received).wish.browse)
    }

    /// Whether the node was killed between two moments.
    pub fn crashed_between(&self, from: Moment, to: Moment) -> bool {
        self.crashes.iter().any(|crash| from < *crash && *crash < to)
    }

    /// Whether a purge or a redrive was begun between two moments.
    pub fn managed(&self, wanted: &Call, from: Moment, to: Moment) -> bool {
        let mut calls = self.management.iter();
        calls.any(|(invoked, call)| *call == wanted && from < *invoked && *invoked < to)
    }

    /// The subscription whose backlog a delivery came from, if it came from one.
    pub fn durable(&self, received: &Received<'_>) -> Option<&'a Durable> {
        self.consumer(received).wish.durable.as_ref()
    }

    fn take(&mut self, moment: Moment, client: u32, what: &'a What) -> Result<(), String> {
        match what {
            What::Open => {
                self.open(client);
            }
            What::Close => self.close(moment, client),
            What::Invoke(op, call) => self.invoke(moment, client, *op, call)?,
            What::Ok(op) => self.outcome(*op, Standing::Done(moment))?,
            What::Fail(op) => self.outcome(*op, Standing::Never)?,
            What::Deliver(delivery) => self.deliver(moment, delivery)?,
            What::Crash => self.crashes.push(moment),
            What::Heal => self.healed = Some(moment),
            What::Drained => self.drained = Some(moment),
            What::BrowseEnd(_) | What::Missed(..) | What::Start => {}
        }
        Ok(())
    }

    fn open(&mut self, client: u32) -> usize {
        let number = self.connections.len();
        self.connections.push(Connection { closed: None, disconnected: None });
        self.current.insert(client, number);
        number
    }

    fn close(&mut self, moment: Moment, client: u32) {
        let Some(number) = self.current.remove(&client) else { return };
        if let Some(connection) = self.connections.get_mut(number) {
            connection.closed = Some(moment);
        }
        self.end_consumers(moment, number);
    }

    fn end_consumers(&mut self, moment: Moment, connection: usize) {
        let lasting = self.consumers.values_mut().filter(|c| c.connection == connection);
        for consumer in lasting {
            consumer.ended.get_or_insert(moment);
        }
    }

    fn invoke(
        &mut self,
        moment: Moment,
        client: u32,
        op: Op,
        call: &'a Call,
    ) -> Result<(), String> {
        let known = self.current.get(&client).copied();
        let connection = known.unwrap_or_else(|| self.open(client));
        let called = Called { connection, invoked: moment, call, standing: Standing::Maybe };
        if self.calls.insert(op, called).is_some() {
            return Err(format!("call {op} was begun before"));
        }
        match call {
            Call::Subscribe(wish) => self.subscribe(moment, connection, wish)?,
            Call::Unsubscribe(consumer) => {
                let consumer = self.consumers.get_mut(consumer);
                consumer.ok_or("there is no such consumer")?.ended.get_or_insert(moment);
            }
            Call::Disconnect => {
                let known = self.connections.get_mut(connection);
                known.ok_or("there is no connection")?.disconnected = Some(moment);
                self.end_consumers(moment, connection);
            }
            Call::Transact(transaction, Transacted::Begin) => {
                self.transactions.insert(*transaction, Transacting::default());
            }
            Call::Transact(transaction, step) => self.end(*transaction, *step, moment)?,
            Call::Purge(_) | Call::Redrive(_) => self.management.push((moment, call)),
            Call::Send(_) | Call::Settle(_) | Call::Forget(_) => {}
        }
        Ok(())
    }

    fn subscribe(
        &mut self,
        moment: Moment,
        connection: usize,
        wish: &'a Subscribe,
    ) -> Result<(), String> {
        let consuming = Consuming {
            wish,
            connection,
            invoked: moment,
            confirmed: None,
            ended: None,
            deliveries: Vec::new(),
        };
        match self.consumers.insert(wish.consumer, consuming) {
            None => Ok(()),
            Some(_) => Err(format!("consumer {} was begun before", wish.consumer)),
        }
    }

    fn end(&mut self, id: Transaction, step: Transacted, moment: Moment) -> Result<(), String> {
        let found = self.transactions.get_mut(&id);
        let transaction = found.ok_or_else(|| format!("transaction {id} was never begun"))?;
        match step {
            Transacted::Commit => {
                transaction.commit = Some(moment);
                transaction.standing = Some(Standing::Maybe);
            }
            Transacted::Abort | Transacted::Begin => transaction.abort = Some(moment),
        }
        Ok(())
    }

    fn outcome(&mut self, op: Op, standing: Standing) -> Result<(), String> {
        let found = self.calls.get_mut(&op);
        let called = found.ok_or_else(|| format!("call {op} was never begun"))?;
        if called.standing != Standing::Maybe {
            return Err(format!("call {op} has an outcome already"));
        }
        called.standing = standing;
        Ok(())
    }

    fn deliver(&mut self, moment: Moment, delivery: &'a Delivery) -> Result<(), String> {
        let consumer = self.consumers.get_mut(&delivery.consumer);
        let consumer = consumer.ok_or("there is no such consumer")?;
        consumer.deliveries.push(self.deliveries.len());
        self.arrivals.entry(delivery.key).or_default().push(self.deliveries.len());
        let mut words = Vec::new();
        if consumer.wish.mode == Mode::Auto && !consumer.wish.browse {
            let (invoked, standing) = (moment, Standing::Maybe);
            let verdict = Verdict::Ack;
            words.push(Word { invoked, holds: moment, verdict, standing, transaction: None });
        }
        self.deliveries.push(Received { at: moment, delivery, words });
        Ok(())
    }

    /// Who left in good order and was told so had everything before carried out.
    fn confirm_by_disconnects(&mut self) {
        let left: Vec<(usize, Moment)> = self
            .calls
            .values()
            .filter_map(|called| match (called.call, called.standing) {
                (Call::Disconnect, Standing::Done(moment)) => Some((called.connection, moment)),
                _ => None,
            })
            .collect();
        for (connection, moment) in left {
            let open = self.calls.values_mut().filter(|called| called.connection == connection);
            for called in open.filter(|called| called.standing == Standing::Maybe) {
                called.standing = Standing::Done(moment);
            }
        }
    }
}

/// The second pass, when all outcomes are known.
impl<'a> Ledger<'a> {
    fn sort_calls(&mut self) -> Result<(), String> {
        let mut calls: Vec<(Moment, usize, &'a Call, Standing)> = self
            .calls
            .values()
            .map(|called| (called.invoked, called.connection, called.call, called.standing))
            .collect();
        calls.sort_by_key(|(invoked, ..)| *invoked);
        for (_, _, call, standing) in &calls {
            if let Call::Transact(id, Transacted::Commit) = call
                && let Some(transaction) = self.transactions.get_mut(id)
            {
                transaction.standing = Some(*standing);
            }
        }
        for (invoked, connection, call, standing) in calls {
            match call {
                Call::Send(send) => self.sort_send(invoked, connection, send, standing)?,
                Call::Settle(settle) => self.sort_settle(invoked, settle, standing)?,
                Call::Subscribe(wish) => self.sort_subscribe(wish, standing),
                _ => {}
            }
        }
        Ok(())
    }

    fn sort_subscribe(&mut self, wish: &Subscribe, standing: Standing) {
        let Some(consumer) = self.consumers.get_mut(&wish.consumer) else { return };
        match standing {
            Standing::Done(moment) => consumer.confirmed = Some(moment),
            Standing::Maybe => {}
            Standing::Never => consumer.ended = Some(consumer.invoked),
        }
    }

    /// What became of a call within a transaction, and from when on it could.
    fn transacted(
        &self,
        id: Option<Transaction>,
        invoked: Moment,
        own: Standing,
    ) -> Result<(Option<Moment>, Standing), String> {
        let Some(id) = id else {
            return Ok(((own != Standing::Never).then_some(invoked), own));
        };
        let transaction = self.transactions.get(&id);
        let transaction = transaction.ok_or_else(|| format!("transaction {id} was never begun"))?;
        if own == Standing::Never {
            return Ok((None, Standing::Never));
        }
        Ok((transaction.commit, transaction.standing()))
    }

    fn sort_send(
        &mut self,
        invoked: Moment,
        connection: usize,
        send: &'a Send,
        own: Standing,
    ) -> Result<(), String> {
        let (visible, standing) = self.transacted(send.transaction, invoked, own)?;
        let arrivals = &mut self.arrivals;
        let message = self.messages.entry(send.key).or_insert_with(|| {
            let deliveries = arrivals.remove(&send.key).unwrap_or_default();
            Message { key: send.key, sent: send, attempts: Vec::new(), deliveries }
        });
        message.attempts.push(Attempt { connection, invoked, visible, standing });
        Ok(())
    }

    fn sort_settle(
        &mut self,
        invoked: Moment,
        settle: &crate::history::Settle,
        own: Standing,
    ) -> Result<(), String> {
        let (holds, standing) = self.transacted(settle.transaction, invoked, own)?;
        let consumer = self.consumers.get(&settle.consumer).ok_or("there is no such consumer")?;
        let is_cumulative =
            consumer.wish.mode == Mode::Cumulative && settle.verdict == Verdict::Ack;
        let word = Word {
            invoked,
            holds: holds.unwrap_or(usize::MAX),
            verdict: settle.verdict,
            standing,
            transaction: settle.transaction,
        };
        for index in consumer.deliveries.clone() {
            let Some(received) = self.deliveries.get_mut(index) else { continue };
            let number = received.delivery.number;
            let is_meant = number == settle.number || is_cumulative && number < settle.number;
            if is_meant
                && received.at < invoked
                && is_open(&received.words, word, &self.transactions)
            {
                received.words.push(word);
            }
        }
        Ok(())
    }
}

/// Whether nothing that was said before still stands when `word` is said.
fn is_open(before: &[Word], word: Word, transactions: &BTreeMap<Transaction, Transacting>) -> bool {
    before.iter().all(|earlier| {
        let transaction = earlier.transaction.and_then(|id| transactions.get(&id));
        let aborted = transaction.and_then(|transaction| transaction.abort);
        aborted.is_some_and(|aborted| aborted < word.invoked)
    })
}

impl Message<'_> {
    /// Where it was sent.
    pub fn to(&self) -> &Target {
        &self.sent.to
    }

    /// When its sender was first told that it is safe.
    pub fn confirmed(&self) -> Option<Moment> {
        let told = self.attempts.iter().filter_map(|attempt| match attempt.standing {
            Standing::Done(moment) => Some(moment),
            Standing::Maybe | Standing::Never => None,
        });
        told.min()
    }

    /// When it could be seen at the earliest; never, if no attempt can have succeeded.
    pub fn visible(&self) -> Option<Moment> {
        let possible = self.attempts.iter().filter(|a| a.standing != Standing::Never);
        possible.filter_map(|attempt| attempt.visible).min()
    }

    /// When it was first tried.
    pub fn invoked(&self) -> Moment {
        self.attempts.iter().map(|attempt| attempt.invoked).min().unwrap_or(0)
    }
}

impl Word {
    /// Whether it is an acknowledgement that may have been carried out.
    pub fn may_acknowledge(&self) -> bool {
        self.verdict == Verdict::Ack && self.standing != Standing::Never
    }
}
