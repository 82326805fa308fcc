//! Frames that are encoded once: each message is a copy with its numbers patched in.

use posthouse_wire::stomp::{Command, EncodeError, FrameWriter, Version};

use super::stamp::{STAMP_BYTES, Stamp};
use crate::failure::Failure;

/// Digits of a receipt's number, with zeros in front.
const RECEIPT_DIGITS: usize = 12;
const RECEIPT_MODULUS: u64 = 1_000_000_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Template {
    bytes: Vec<u8>,
    body_start: usize,
    receipt_start: Option<usize>,
}

/// What the frames of a producer have in common.
#[derive(Clone, Debug)]
pub(super) struct Form<'f> {
    pub(super) destination: &'f str,
    pub(super) body_bytes: usize,
    pub(super) is_persistent: bool,
    pub(super) has_receipt: bool,
}

impl Template {
    /// SEND frames.
    pub(super) fn send(form: &Form<'_>) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        write_send(&mut bytes, form).map_err(|error| Failure::unexpected(error.to_string()))?;
        // The receipt is the first header.
        let receipt_start = form.has_receipt.then_some("SEND\nreceipt:".len());
        Ok(Self::new(bytes, form, receipt_start))
    }

    /// MESSAGE frames like those that a broker makes of the others, for a relay that makes nothing.
    pub(super) fn message(form: &Form<'_>) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        write_message(&mut bytes, form).map_err(|error| Failure::unexpected(error.to_string()))?;
        Ok(Self::new(bytes, form, None))
    }

    fn new(bytes: Vec<u8>, form: &Form<'_>, receipt_start: Option<usize>) -> Self {
        let body_start = bytes.len().saturating_sub(body_bytes(form) + 1);
        Self { bytes, body_start, receipt_start }
    }

    /// Bytes of one frame.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the frame of one message.
    pub(super) fn append(&self, out: &mut Vec<u8>, stamp: Stamp) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        if let Some(body) = out.get_mut(start + self.body_start..) {
            stamp.write(body);
        }
        if let Some(receipt) = self.receipt_start
            && let Some(digits) = out.get_mut(start + receipt..start + receipt + RECEIPT_DIGITS)
        {
            write_digits(digits, stamp.number);
        }
    }
}

fn body_bytes(form: &Form<'_>) -> usize {
    form.body_bytes.max(STAMP_BYTES)
}

fn write_send(out: &mut Vec<u8>, form: &Form<'_>) -> Result<(), EncodeError> {
    let mut frame = FrameWriter::new(out, Version::V1_2, Command::Send);
    if form.has_receipt {
        frame.header("receipt", &"0".repeat(RECEIPT_DIGITS))?;
    }
    frame.header("destination", form.destination)?;
    if form.is_persistent {
        frame.header("persistent", "true")?;
    }
    frame.body(&vec![b'.'; body_bytes(form)])
}

fn write_message(out: &mut Vec<u8>, form: &Form<'_>) -> Result<(), EncodeError> {
    let mut frame = FrameWriter::new(out, Version::V1_2, Command::Message);
    frame.header("subscription", "1")?.header("message-id", "posthouse-0-1-00000001")?;
    frame.header("destination", form.destination)?.header("expires", "0")?;
    frame.header("priority", "4")?.header("timestamp", "1700000000000")?;
    frame.body(&vec![b'.'; body_bytes(form)])
}

fn write_digits(place: &mut [u8], number: u64) {
    let mut rest = number % RECEIPT_MODULUS;
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// The number in a receipt's name.
pub(super) fn read_receipt(name: &str) -> Option<u64> {
    if name.len() == RECEIPT_DIGITS { name.parse().ok() } else { None }
}
