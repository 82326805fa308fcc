//! The second pass, when all outcomes are known: what became of what was sent and said.

use std::collections::BTreeMap;

use crate::checker::ledger::{Attempt, Ledger, Message, Moment, Standing, Transacting, Word};
use crate::history::{Call, Mode, Send, Settle, Subscribe, Transacted, Transaction, Verdict};

impl<'a> Ledger<'a> {
    pub(super) fn sort_calls(&mut self) -> Result<(), String> {
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
        settle: &Settle,
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
