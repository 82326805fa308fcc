//! The first pass over a history: calls and their outcomes, connections, consumers, deliveries.

use std::collections::BTreeMap;

use crate::checker::ledger::{
    Called, Connection, Consuming, Ledger, Moment, Received, Standing, Transacting, Word,
};
use crate::history::{
    Call, Delivery, History, Mode, Op, Subscribe, Transacted, Transaction, Verdict, What,
};

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
            missed: BTreeMap::new(),
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
            What::Missed(consumer, count) => {
                *self.missed.entry(*consumer).or_default() += count;
            }
            What::BrowseEnd(_) | What::Start => {}
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
