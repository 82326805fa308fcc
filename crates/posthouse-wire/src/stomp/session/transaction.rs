//! BEGIN, COMMIT and ABORT. A name stands for one transaction from its BEGIN to its end; the
//! broker's own number for it is never used again, so a late end can do no harm.

use posthouse_core::command::{Applied, Command as CoreCommand};
use posthouse_core::driver::Driver;
use posthouse_core::ids::{HolderId, TransactionId};
use posthouse_core::time::Now;

use super::Session;
use super::fault::Fault;
use crate::stomp::{Command, FrameRef};

impl Session {
    pub(super) fn on_begin(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let name = required(frame, "transaction")?;
        if self.transactions.contains_key(&*name) {
            return Err(Fault::transaction_exists(&name));
        }
        let receipt = self.owe_receipt(frame);
        let applied = driver.apply(now, CoreCommand::Begin { holder, receipt })?;
        if let Applied::Transaction(transaction) = applied {
            self.transactions.insert(name, transaction);
        }
        Ok(())
    }

    pub(super) fn on_end(
        &mut self,
        now: Now,
        holder: HolderId,
        frame: &FrameRef<'_>,
        driver: &mut Driver,
    ) -> Result<(), Fault> {
        let name = required(frame, "transaction")?;
        let transaction = self.transactions.remove(&name);
        let transaction = transaction.ok_or_else(|| Fault::transaction_unknown(&name))?;
        self.end_staged(transaction, frame.command() == Command::Commit);
        let receipt = self.owe_receipt(frame);
        let command = if frame.command() == Command::Commit {
            CoreCommand::Commit { holder, transaction, receipt }
        } else {
            CoreCommand::Abort { holder, transaction, receipt }
        };
        driver.apply(now, command)?;
        Ok(())
    }

    /// The transaction that the frame is part of, if it names one.
    pub(super) fn transaction_of(
        &self,
        frame: &FrameRef<'_>,
    ) -> Result<Option<TransactionId>, Fault> {
        let Some(name) = frame.header("transaction") else { return Ok(None) };
        let transaction = self.transactions.get(&*name).copied();
        transaction.map(Some).ok_or_else(|| Fault::transaction_unknown(&name))
    }
}

/// A header that the frame must have.
pub(super) fn required(frame: &FrameRef<'_>, name: &str) -> Result<Box<str>, Fault> {
    let value = frame.header(name);
    value.map(Into::into).ok_or_else(|| Fault::header_missing(frame.command(), name))
}
