//! One call on a connection, as its caller has it.

use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::lost::Lost;
use super::protocol::{Call, Reply};

/// What becomes of a call.
pub(super) type Outcome = Result<Reply, Lost>;

/// What the task of a connection is asked for.
pub(super) enum Order {
    /// To write a request.
    Request(Request),
    /// To forget a request, because nobody waits for it any more.
    Cancel(u64),
}

/// A request that is to be written.
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) call: Box<Call>,
    /// Not to be written after this instant.
    pub(super) start_until: Instant,
    pub(super) answer: oneshot::Sender<Outcome>,
    /// Its place among those that the peer takes at a time: free again when it is settled.
    pub(super) permit: OwnedSemaphorePermit,
}

/// The callers' end of a connection.
#[derive(Clone)]
pub(super) struct Orders {
    sender: mpsc::UnboundedSender<Order>,
    /// The number that was given last. Whoever takes one sends under the lock, so that numbers
    /// arrive in their order.
    last: Arc<Mutex<u64>>,
}

impl Orders {
    /// Both ends. As many orders wait as there are permits, and one cancellation for each.
    pub(super) fn new() -> (Orders, mpsc::UnboundedReceiver<Order>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Orders { sender, last: Arc::default() }, receiver)
    }

    /// Whether the connection takes no more.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Hands a request over; it is not written yet.
    fn send(
        &self,
        call: Box<Call>,
        start_until: Instant,
        permit: OwnedSemaphorePermit,
    ) -> Result<(u64, oneshot::Receiver<Outcome>), Lost> {
        let (answer, receiver) = oneshot::channel();
        let mut last = super::lines::lock(&self.last);
        *last += 1;
        let number = *last;
        let order = Order::Request(Request { number, call, start_until, answer, permit });
        self.sender.send(order).map_err(|_| Lost::NotTaken)?;
        Ok((number, receiver))
    }
}

/// A connection on which the next request may be written.
pub(super) struct Place {
    pub(super) orders: Orders,
    pub(super) permit: OwnedSemaphorePermit,
}

impl Place {
    /// Writes `call`, not after `start_until`, and waits for the answer until `until`. It is
    /// written once, whatever happens. Dropping the future cancels the call.
    pub(super) async fn exchange(
        self,
        call: Box<Call>,
        start_until: Instant,
        until: Instant,
    ) -> Outcome {
        let Place { orders, permit } = self;
        let (number, answer) = orders.send(call, start_until, permit)?;
        let mut waiting = Waiting { orders, number, is_settled: false };
        let answer = timeout_at(until, answer).await.map_err(|_| Lost::Timeout)?;
        waiting.is_settled = true;
        let gone = |_| Lost::Unknown { reason: "the task of the connection has ended".into() };
        answer.map_err(gone)?
    }
}

/// Cancels its call unless it was settled.
struct Waiting {
    orders: Orders,
    number: u64,
    is_settled: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_settled {
            // A connection that has ended needs no telling.
            _ = self.orders.sender.send(Order::Cancel(self.number));
        }
    }
}
