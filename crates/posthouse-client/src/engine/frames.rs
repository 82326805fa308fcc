//! The frames that the client sends after its login.

use posthouse_wire::stomp::{Command, FrameWriter, Version};

use crate::error::Error;
use crate::mailbox::Mark;
use crate::message::Message;
use crate::request::Verdict;
use crate::subscribe::SUBSCRIPTION_NAME;

use super::window::RECEIPT_PREFIX;

/// The header that names the producer: 32 hexadecimal digits, chosen anew by each client.
const PRODUCER_HEADER: &str = "posthouse-producer";
/// The header with the message's number, counted from 1 for each client.
const SEQ_HEADER: &str = "posthouse-seq";

/// By what a server recognises a resent message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'n> {
    pub(super) producer: &'n str,
    pub(super) seq: u64,
}

fn begin(out: &mut Vec<u8>, command: Command) -> FrameWriter<'_> {
    FrameWriter::new(out, Version::V1_2, command)
}

fn put_receipt(frame: &mut FrameWriter<'_>, receipt: Option<&str>) -> Result<(), Error> {
    if let Some(receipt) = receipt {
        frame.header("receipt", receipt)?;
    }
    Ok(())
}

fn put_transaction(frame: &mut FrameWriter<'_>, transaction: Option<u64>) -> Result<(), Error> {
    if let Some(transaction) = transaction {
        frame.header_number("transaction", transaction)?;
    }
    Ok(())
}

/// A message that may be resent.
pub(super) fn numbered_send(
    out: &mut Vec<u8>,
    number: Number<'_>,
    message: &Message,
) -> Result<(), Error> {
    let mut frame = begin(out, Command::Send);
    let Number { producer, seq } = number;
    frame.header_display("receipt", format_args!("{RECEIPT_PREFIX}{seq}"))?;
    frame.header(PRODUCER_HEADER, producer)?.header_number(SEQ_HEADER, seq)?;
    message.write(frame)
}

/// A message that is never resent, and so has no number. (A transaction may also commit long after
/// its sends, when their numbers would count as seen.)
pub(super) fn send(
    out: &mut Vec<u8>,
    message: &Message,
    receipt: Option<&str>,
    transaction: Option<u64>,
) -> Result<(), Error> {
    let mut frame = begin(out, Command::Send);
    put_receipt(&mut frame, receipt)?;
    put_transaction(&mut frame, transaction)?;
    message.write(frame)
}

/// A word about a delivery.
pub(super) fn verdict(
    out: &mut Vec<u8>,
    mark: &Mark,
    verdict: Verdict,
    transaction: Option<u64>,
    receipt: Option<&str>,
) -> Result<(), Error> {
    let command = if verdict == Verdict::Ack { Command::Ack } else { Command::Nack };
    let mut frame = begin(out, command);
    frame.header("id", &mark.ack)?;
    if verdict == Verdict::Requeue {
        frame.header("requeue", "true")?;
    }
    put_transaction(&mut frame, transaction)?;
    put_receipt(&mut frame, receipt)?;
    frame.finish();
    Ok(())
}

/// The end of a subscription; a durable one stays.
pub(super) fn unsubscribe(out: &mut Vec<u8>, id: u64) -> Result<(), Error> {
    let mut frame = begin(out, Command::Unsubscribe);
    frame.header_number("id", id)?;
    frame.finish();
    Ok(())
}

/// The deletion of a durable subscription. Ids of live subscriptions are numbers, so that the one
/// given here is none of them.
pub(super) fn delete_subscription(
    out: &mut Vec<u8>,
    name: &str,
    receipt: &str,
) -> Result<(), Error> {
    let mut frame = begin(out, Command::Unsubscribe);
    frame.header_display("id", format_args!("durable {name}"))?;
    frame.header(SUBSCRIPTION_NAME, name)?;
    put_receipt(&mut frame, Some(receipt))?;
    frame.finish();
    Ok(())
}

/// BEGIN, COMMIT or ABORT.
pub(super) fn transaction(
    out: &mut Vec<u8>,
    command: Command,
    id: u64,
    receipt: Option<&str>,
) -> Result<(), Error> {
    let mut frame = begin(out, command);
    put_transaction(&mut frame, Some(id))?;
    put_receipt(&mut frame, receipt)?;
    frame.finish();
    Ok(())
}

/// The end of the connection.
pub(super) fn disconnect(out: &mut Vec<u8>, receipt: &str) -> Result<(), Error> {
    let mut frame = begin(out, Command::Disconnect);
    put_receipt(&mut frame, Some(receipt))?;
    frame.finish();
    Ok(())
}
