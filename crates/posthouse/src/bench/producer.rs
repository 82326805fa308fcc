//! One sending connection.

use posthouse_wire::stomp::{Command, FrameRef};

use super::figures::Figures;
use super::peer::{Peer, Receiver};
use super::stamp::Stamp;
use super::tally::Tally;
use super::template::{Template, read_receipt};
use crate::codes::Code;
use crate::failure::Failure;

/// Bytes that are prepared before they are written.
const BATCH_BYTES: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Producer {
    pub(super) peer: Peer,
    pub(super) id: u32,
    /// Where its messages go, as an index.
    pub(super) route: usize,
    pub(super) template: Template,
    pub(super) receipts: Option<Receipts>,
    /// Messages sent so far.
    pub(super) sent: u64,
}

/// The receipts that a producer waits for.
#[derive(Debug)]
pub(super) struct Receipts {
    window: u64,
    tally: Tally,
    confirmed: u64,
    /// When the messages of the window were sent, by number.
    sent_ns: Vec<u64>,
}

impl Receipts {
    /// Receipts of at most `window` messages at a time.
    pub(super) fn new(window: u64) -> Self {
        let sent_ns = vec![0; usize::try_from(window).unwrap_or(usize::MAX)];
        Self { window, tally: Tally::default(), confirmed: 0, sent_ns }
    }

    fn note_sent(&mut self, number: u64, now_ns: u64) {
        if let Some(slot) = self.sent_ns.get_mut((number % self.window) as usize) {
            *slot = now_ns;
        }
    }

    /// A message is confirmed; answers how long that took.
    fn note_confirmed(&mut self, number: u64, now_ns: u64) -> Option<u64> {
        if !self.tally.note(number) {
            return None;
        }
        self.confirmed += 1;
        let sent_ns = self.sent_ns.get((number % self.window) as usize)?;
        Some(now_ns.saturating_sub(*sent_ns))
    }
}

impl Producer {
    /// How many messages may be prepared now, of `allowed`.
    fn room(&self, allowed: u64) -> u64 {
        let bytes = BATCH_BYTES.saturating_sub(self.peer.pending());
        let batch = bytes.div_ceil(self.template.len()) as u64;
        let window = self
            .receipts
            .as_ref()
            .map_or(u64::MAX, |receipts| receipts.window - (self.sent - receipts.confirmed));
        allowed.min(batch).min(window)
    }

    /// Prepares up to `allowed` messages that are to be sent now; answers how many.
    pub(super) fn fill(&mut self, now_ns: u64, allowed: u64) -> u64 {
        let count = self.room(allowed);
        for _ in 0..count {
            self.push(now_ns, now_ns);
        }
        count
    }

    /// Prepares one message that was to be sent at a certain time.
    pub(super) fn push(&mut self, intended_ns: u64, now_ns: u64) {
        let number = self.sent;
        let stamp = Stamp { producer: self.id, number, intended_ns };
        self.template.append(&mut self.peer.out, stamp);
        self.sent += 1;
        if let Some(receipts) = &mut self.receipts {
            receipts.note_sent(number, now_ns);
        }
    }

    /// Whether one more message fits into the window.
    pub(super) fn has_room(&self) -> bool {
        self.room(1) == 1
    }

    /// Messages whose receipts have not come.
    pub(super) fn unconfirmed(&self) -> u64 {
        self.receipts.as_ref().map_or(0, |receipts| self.sent - receipts.confirmed)
    }

    /// Reads receipts.
    pub(super) fn read(
        &mut self,
        scratch: &mut Vec<u8>,
        now_ns: u64,
        figures: &mut Figures,
    ) -> Result<(), Failure> {
        let Self { peer, receipts, .. } = self;
        peer.read(scratch, &mut Confirmations { receipts: receipts.as_mut(), now_ns, figures })
    }
}

/// Takes receipts.
struct Confirmations<'p> {
    receipts: Option<&'p mut Receipts>,
    now_ns: u64,
    figures: &'p mut Figures,
}

impl Receiver for Confirmations<'_> {
    fn skim(&mut self, _: &[u8]) -> Result<usize, Failure> {
        Ok(0)
    }

    fn take(&mut self, frame: &FrameRef<'_>, _: usize, _: &mut Vec<u8>) -> Result<(), Failure> {
        let name = frame.header("receipt-id").unwrap_or_default();
        let number = read_receipt(&name).filter(|_| frame.command() == Command::Receipt);
        let (Some(receipts), Some(number)) = (self.receipts.as_mut(), number) else {
            let what = format!("a producer was sent {} {name}", frame.command().as_str());
            return Err(Failure::new(Code::AnswerInvalid, what, ""));
        };
        if let Some(waited_ns) = receipts.note_confirmed(number, self.now_ns) {
            self.figures.note_confirmed(waited_ns);
        }
        Ok(())
    }
}
