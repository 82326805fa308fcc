//! What the client knows, sans I/O: requests and frames go in, bytes come out.
//!
//! The engine outlives connections. It remembers what has to be done again on the next one:
//! subscriptions, and messages that are not confirmed. It forgets what cannot be: deliveries and
//! open transactions.

mod frames;
mod receipts;
mod subscriptions;
mod transactions;
mod window;

use std::sync::Arc;

use posthouse_wire::stomp::{Command, FrameRef};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;
use crate::login::read_refusal;
use crate::mailbox::Mark;
use crate::message::Message;
use crate::request::{Request, Verdict};
use crate::shared::{Permits, Reply, Shared};

use receipts::{Owed, Receipts};
use subscriptions::Subscriptions;
use transactions::Transactions;
use window::{RECEIPT_PREFIX, Window};

/// See the module.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Shared>,
    connection: u64,
    /// Whether the connection at hand has done something useful, and has not ended in a way that
    /// may come again at once.
    is_proved: bool,
    is_disconnected: bool,
    window: Window,
    receipts: Receipts,
    subscriptions: Subscriptions,
    transactions: Transactions,
}

impl Engine {
    /// An engine that has no connection yet.
    pub(crate) fn new(shared: Arc<Shared>, producer: u128) -> Self {
        Self {
            shared,
            connection: 0,
            is_proved: false,
            is_disconnected: false,
            window: Window::new(producer),
            receipts: Receipts::default(),
            subscriptions: Subscriptions::default(),
            transactions: Transactions::default(),
        }
    }

    /// There is a new connection: everything that matters is asked for again.
    pub(crate) fn on_connected(&mut self, out: &mut Vec<u8>) {
        self.connection += 1;
        self.is_proved = false;
        self.shared.set_connection(self.connection);
        self.subscriptions.forget_abandoned();
        self.subscriptions.restore(out, &mut self.receipts, &self.shared);
    }

    /// The connection has broken.
    pub(crate) fn on_broken(&mut self, reason: &Error) {
        self.shared.set_connection(0);
        self.window.rewind();
        self.subscriptions.forget_deliveries();
        self.transactions.lose_all();
        for owed in self.receipts.take_all() {
            let loss = owed.loss(reason);
            owed.settle(Err(loss), &self.shared);
        }
    }

    /// The client has ended; nothing will come any more.
    pub(crate) fn end(&mut self, error: &Error) {
        self.shared.set_end(error.clone());
        self.on_broken(error);
        self.window.end(error);
        self.subscriptions.end(error);
    }

    /// Whether the connection has done something useful, and not only accepted the login.
    pub(crate) fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// Whether the server has confirmed the end of the connection.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.is_disconnected
    }

    /// Whether requests may be taken: what is resent goes first.
    pub(crate) fn wants_requests(&self) -> bool {
        self.window.is_written()
    }

    /// Appends one more of the messages that the connection has not been given.
    pub(crate) fn write_next(&mut self, out: &mut Vec<u8>) {
        self.window.write_next(out);
    }

    /// Ends what was dropped by its owner.
    pub(crate) fn sweep(&mut self, out: &mut Vec<u8>) {
        self.transactions.sweep(out);
        self.subscriptions.sweep(out);
    }

    /// Says goodbye.
    pub(crate) fn disconnect(&mut self, out: &mut Vec<u8>) {
        let receipt = self.receipts.owe(Owed::Disconnect);
        if frames::disconnect(out, &receipt).is_err() {
            self.is_disconnected = true;
        }
    }

    /// Carries out a request.
    pub(crate) fn on_request(&mut self, request: Request, out: &mut Vec<u8>) {
        match request {
            Request::Send { message, permits, reply } => self.send(&message, permits, reply, out),
            Request::Settle { mark, verdict, confirmation } => {
                self.settle(&mark, verdict, confirmation, out);
            }
            Request::Subscribe { subscribe, mailbox, reply } => {
                let id = self.subscriptions.add(subscribe, mailbox, reply);
                self.subscriptions.write(id, out, &mut self.receipts, &self.shared);
            }
            Request::DeleteSubscription { name, permit, reply } => {
                self.delete_subscription(&name, permit, reply, out);
            }
            Request::Begin { standing, reply } => {
                self.transactions.begin(standing, self.connection, out);
                // Whoever has stopped waiting has dropped the transaction too, which is swept.
                let _ = reply.send(Ok(()));
            }
            Request::SendWithin { transaction, message, permits } => {
                self.send_within(transaction, &message, permits, out);
            }
            Request::AckWithin { transaction, mark } => {
                self.ack_within(transaction, &mark, out);
            }
            Request::End { transaction, is_commit, reply } => {
                self.end_transaction(transaction, is_commit, reply, out);
            }
        }
    }

    fn send(
        &mut self,
        message: &Message,
        permits: Permits,
        reply: Option<Reply>,
        out: &mut Vec<u8>,
    ) {
        if message.is_persistent {
            self.window.push(message, permits, reply);
            self.window.write_next(out);
            return;
        }
        let receipt = permits.count.is_some().then(|| {
            let owed = Owed::Send { permits, reply };
            self.receipts.owe(owed)
        });
        self.write_send(message, receipt.as_deref(), None, out);
    }

    fn send_within(
        &mut self,
        transaction: u64,
        message: &Message,
        permits: Permits,
        out: &mut Vec<u8>,
    ) {
        if self.transactions.is_open(transaction) {
            let receipt = self.receipts.owe(Owed::SendWithin { transaction, permits });
            self.write_send(message, Some(&receipt), Some(transaction), out);
        }
    }

    fn write_send(
        &mut self,
        message: &Message,
        receipt: Option<&str>,
        transaction: Option<u64>,
        out: &mut Vec<u8>,
    ) {
        let written = frames::send(out, message, receipt, transaction);
        if let (Err(error), Some(receipt)) = (written, receipt) {
            self.on_receipt(receipt, Err(error));
        }
    }

    fn settle(
        &mut self,
        mark: &Mark,
        verdict: Verdict,
        confirmation: Option<(OwnedSemaphorePermit, Reply)>,
        out: &mut Vec<u8>,
    ) {
        if !self.is_current(mark) {
            // The message comes again, so that there is nothing to say about it.
            if let Some((_, reply)) = confirmation {
                let _ = reply.send(Err(Error::Stale));
            }
            return;
        }
        let receipt =
            confirmation.map(|(permit, reply)| self.receipts.owe(Owed::Settle { permit, reply }));
        let written = frames::verdict(out, mark, verdict, None, receipt.as_deref());
        if let (Err(error), Some(receipt)) = (written, receipt) {
            self.on_receipt(&receipt, Err(error));
        }
    }

    /// Whether the server still waits for word about the delivery: about another it would end the
    /// connection.
    fn is_current(&self, mark: &Mark) -> bool {
        mark.connection == self.connection && self.subscriptions.contains(mark.subscription)
    }

    fn delete_subscription(
        &mut self,
        name: &str,
        permit: OwnedSemaphorePermit,
        reply: Reply,
        out: &mut Vec<u8>,
    ) {
        let receipt = self.receipts.owe(Owed::Delete { permit, reply });
        if let Err(error) = frames::delete_subscription(out, name, &receipt) {
            self.on_receipt(&receipt, Err(error));
        }
    }

    fn ack_within(&mut self, transaction: u64, mark: &Mark, out: &mut Vec<u8>) {
        if !self.transactions.is_open(transaction) {
            return;
        }
        let written = match self.is_current(mark) {
            true => frames::verdict(out, mark, Verdict::Ack, Some(transaction), None),
            false => Err(Error::Stale),
        };
        if let Err(error) = written {
            self.transactions.fail(transaction, &error, out);
        }
    }

    fn end_transaction(&mut self, id: u64, is_commit: bool, reply: Reply, out: &mut Vec<u8>) {
        if !self.transactions.take(id) {
            // It is lost, and its standing says why.
            return;
        }
        let command = if is_commit { Command::Commit } else { Command::Abort };
        let receipt = self.receipts.owe(Owed::End { is_commit, reply });
        if let Err(error) = frames::transaction(out, command, id, Some(&receipt)) {
            self.on_receipt(&receipt, Err(error));
        }
    }

    /// Takes a frame of the server.
    ///
    /// # Errors
    /// What ends the connection: an ERROR frame always does.
    pub(crate) fn on_frame(&mut self, frame: &FrameRef<'_>) -> Result<(), Error> {
        self.is_proved |= matches!(frame.command(), Command::Message | Command::Receipt);
        match frame.command() {
            Command::Message => self.subscriptions.deliver(frame, self.connection),
            Command::Receipt => {
                self.on_receipt(&frame.header("receipt-id").unwrap_or_default(), Ok(()));
                Ok(())
            }
            Command::Error => Err(self.on_error(frame)),
            other => Err(Error::protocol(format!("a server does not send {}", other.as_str()))),
        }
    }

    /// The server refuses one request if it names its receipt, and ends the connection anyway.
    fn on_error(&mut self, frame: &FrameRef<'_>) -> Error {
        let error = Error::Refused(read_refusal(frame));
        let receipt = frame.header("receipt-id");
        self.is_proved = receipt.is_some();
        if let Some(receipt) = receipt {
            self.on_receipt(&receipt, Err(error.clone()));
        }
        error
    }

    /// A receipt that nobody waits for does no harm.
    fn on_receipt(&mut self, name: &str, result: Result<(), Error>) {
        if let Some(seq) = name.strip_prefix(RECEIPT_PREFIX).and_then(|seq| seq.parse().ok()) {
            self.window.settle(seq, result, &self.shared);
            return;
        }
        match (self.receipts.take(name), result) {
            (Some(Owed::Subscribe { subscription }), Ok(())) => {
                self.subscriptions.confirm(subscription);
            }
            (Some(Owed::Subscribe { subscription }), Err(error)) => {
                self.subscriptions.refuse(subscription, &error);
            }
            (Some(Owed::SendWithin { transaction, .. }), Err(error)) => {
                self.transactions.refuse(transaction, &error);
            }
            (Some(Owed::Disconnect), Ok(())) => self.is_disconnected = true,
            (Some(owed), result) => owed.settle(result, &self.shared),
            (None, _) => {}
        }
    }
}
