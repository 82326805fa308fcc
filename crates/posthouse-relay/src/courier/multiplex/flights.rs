//! The requests that are under way on one connection, and what is known of each.

use std::collections::BTreeMap;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::call::Outcome;
use super::lost::Lost;
use super::protocol::Reply;

/// See the module.
#[derive(Default)]
pub(super) struct Flights {
    by_number: BTreeMap<u64, Flight>,
    /// Those of which no byte was written yet.
    unwritten: Vec<u64>,
    /// The highest number that there was.
    last: u64,
}

/// A request that was given to the session.
struct Flight {
    answer: oneshot::Sender<Outcome>,
    is_written: bool,
    _permit: OwnedSemaphorePermit,
}

impl Flights {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// A request is about to be written.
    pub(super) fn add(
        &mut self,
        number: u64,
        answer: oneshot::Sender<Outcome>,
        permit: OwnedSemaphorePermit,
    ) {
        self.last = number;
        self.unwritten.push(number);
        self.by_number.insert(number, Flight { answer, is_written: false, _permit: permit });
    }

    /// Something was written, and with it perhaps a part of each that was about to be.
    pub(super) fn note_written(&mut self) {
        for number in self.unwritten.drain(..) {
            if let Some(flight) = self.by_number.get_mut(&number) {
                flight.is_written = true;
            }
        }
    }

    /// Hands an answer over. One to a request that was cancelled is ignored.
    ///
    /// # Errors
    /// If there was no such request.
    pub(super) fn settle(&mut self, number: u64, reply: Reply) -> Result<(), String> {
        if number > self.last {
            return Err(format!("it answered request {number}, which it was not sent"));
        }
        if let Some(flight) = self.by_number.remove(&number) {
            flight.end(Ok(reply));
        }
        Ok(())
    }

    /// Forgets a request. Whether there was one.
    pub(super) fn cancel(&mut self, number: u64) -> bool {
        self.by_number.remove(&number).is_some()
    }

    /// Forgets those that nobody waits for, and says which.
    pub(super) fn cancel_deserted(&mut self) -> Vec<u64> {
        let is_deserted = |_: &u64, flight: &mut Flight| flight.answer.is_closed();
        self.by_number.extract_if(.., is_deserted).map(|(number, _)| number).collect()
    }

    /// Those above `last` may go elsewhere.
    pub(super) fn give_back(&mut self, last: u64) {
        let Some(first) = last.checked_add(1) else { return };
        for (_, flight) in self.by_number.split_off(&first) {
            flight.end(Err(Lost::NotTaken));
        }
    }

    /// The connection has ended in this way.
    pub(super) fn end(self, reason: &str) {
        for (_, flight) in self.by_number {
            let lost = match flight.is_written {
                true => Lost::Unknown { reason: reason.to_owned() },
                false => Lost::NotTaken,
            };
            flight.end(Err(lost));
        }
    }
}

impl Flight {
    /// Whoever has gone needs no telling.
    fn end(self, outcome: Outcome) {
        _ = self.answer.send(outcome);
    }
}
