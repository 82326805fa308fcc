//! Transactions that are open on the connection at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_wire::stomp::Command;

use crate::error::Error;
use crate::transaction::Standing;

use super::frames;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: BTreeMap<u64, Arc<Standing>>,
}

impl Transactions {
    /// Begins a transaction on the connection of that number.
    pub(super) fn begin(&mut self, standing: Arc<Standing>, connection: u64, out: &mut Vec<u8>) {
        standing.begin(connection);
        match frames::transaction(out, Command::Begin, standing.id(), None) {
            Ok(()) => drop(self.open.insert(standing.id(), standing)),
            Err(error) => standing.lose(error),
        }
    }

    pub(super) fn is_open(&self, id: u64) -> bool {
        self.open.contains_key(&id)
    }

    /// Takes a transaction that is to be ended. Answers false when it is lost.
    pub(super) fn take(&mut self, id: u64) -> bool {
        self.open.remove(&id).is_some()
    }

    /// The server has refused a part of the transaction, and with it the whole.
    pub(super) fn refuse(&mut self, id: u64, error: &Error) {
        if let Some(standing) = self.open.remove(&id) {
            standing.lose(error.clone());
        }
    }

    /// A part of the transaction cannot be carried out, so that the whole is rolled back.
    pub(super) fn fail(&mut self, id: u64, error: &Error, out: &mut Vec<u8>) {
        self.refuse(id, error);
        // What cannot be written was never begun.
        let _ = frames::transaction(out, Command::Abort, id, None);
    }

    /// The connection has broken, and with it what was open.
    pub(super) fn lose_all(&mut self) {
        for standing in std::mem::take(&mut self.open).into_values() {
            standing.lose(Error::TransactionLost);
        }
    }

    /// Rolls back what was dropped.
    pub(super) fn sweep(&mut self, out: &mut Vec<u8>) {
        for (id, _) in self.open.extract_if(.., |_, standing| standing.is_abandoned()) {
            // What cannot be written was never begun.
            let _ = frames::transaction(out, Command::Abort, id, None);
        }
    }
}
