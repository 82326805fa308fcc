//! One receiving connection.
//!
//! Decoding every frame would cost about as much as a broker spends on it. Frames of one run look
//! alike, so that the next one is expected to be as long as the last, with its body at the same
//! place and the next number in it. What is not exactly that is decoded.

use posthouse_wire::stomp::{Command, Escaping, FrameRef, escape_into};

use super::clock::Clock;
use super::figures::Figures;
use super::peer::{Peer, Receiver};
use super::plan::Ack;
use super::stamp::Stamp;
use super::tally::Tally;
use crate::codes::Code;
use crate::failure::Failure;

/// See the module.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) peer: Peer,
    /// Where its messages come from, as an index.
    pub(super) route: usize,
    ack: Ack,
    /// The next number of each producer that would be in order.
    next: Vec<u64>,
    looks: Looks,
}

/// How the last frame looked.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    frame_bytes: usize,
    body_start: usize,
}

impl Looks {
    /// The body of the frame at the beginning of `input`, if it looks the same.
    fn body<'i>(&self, input: &'i [u8]) -> Option<&'i [u8]> {
        let (head, rest) = input.get(..self.frame_bytes)?.split_at_checked(self.body_start)?;
        let (end, body) = rest.split_last()?;
        let is_alike = *end == 0 && head.starts_with(b"MESSAGE\n") && head.ends_with(b"\n\n");
        is_alike.then_some(body)
    }
}

/// Which messages have come to one consumer of a topic, or to all of a queue, by producer.
#[derive(Debug)]
pub(super) struct Arrivals {
    tallies: Vec<Tally>,
    /// All of them, repeated ones too.
    pub(super) count: u64,
    pub(super) misordered: u64,
    pub(super) redelivered: u64,
}

impl Arrivals {
    pub(super) fn new(producers: usize) -> Self {
        let tallies = std::iter::repeat_with(Tally::default).take(producers).collect();
        Self { tallies, count: 0, misordered: 0, redelivered: 0 }
    }

    /// What has come from a producer.
    pub(super) fn tally(&self, producer: usize) -> Option<&Tally> {
        self.tallies.get(producer)
    }
}

impl Consumer {
    pub(super) fn new(peer: Peer, route: usize, ack: Ack, producers: usize) -> Self {
        Self { peer, route, ack, next: vec![0; producers], looks: Looks::default() }
    }

    /// Reads messages, checks them, and prepares what is to be acknowledged.
    pub(super) fn read(
        &mut self,
        scratch: &mut Vec<u8>,
        clock: Clock,
        arrivals: &mut Arrivals,
        figures: &mut Figures,
    ) -> Result<(), Failure> {
        let Self { peer, ack, next, looks, .. } = self;
        let last_ack = String::new();
        let mut check =
            Check { ack: *ack, next, looks, arrivals, figures, clock, read_ns: None, last_ack };
        peer.read(scratch, &mut check)?;
        let last_ack = check.last_ack;
        if !last_ack.is_empty() {
            write_ack(&mut peer.out, &last_ack);
        }
        Ok(())
    }
}

/// Checks what one read has brought.
struct Check<'c> {
    ack: Ack,
    next: &'c mut [u64],
    looks: &'c mut Looks,
    arrivals: &'c mut Arrivals,
    figures: &'c mut Figures,
    clock: Clock,
    /// When the read was, once that is known.
    read_ns: Option<u64>,
    /// What is to be acknowledged at the end of the read, for [`Ack::Client`].
    last_ack: String,
}

impl Receiver for Check<'_> {
    fn skim(&mut self, input: &[u8]) -> Result<usize, Failure> {
        // To be acknowledged, a frame has to be decoded.
        let body = if self.ack == Ack::Auto { self.looks.body(input) } else { None };
        let Some(stamp) = body.and_then(Stamp::read) else { return Ok(0) };
        if self.next.get(stamp.producer as usize) != Some(&stamp.number) {
            return Ok(0);
        }
        self.note(stamp, false)?;
        Ok(self.looks.frame_bytes)
    }

    fn take(
        &mut self,
        frame: &FrameRef<'_>,
        consumed: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let stamp = read_stamp(frame)?;
        let body_start = consumed.saturating_sub(frame.body().len() + 1);
        *self.looks = Looks { frame_bytes: consumed, body_start };
        self.note(stamp, frame.header("redelivered").as_deref() == Some("true"))?;
        if self.ack == Ack::Auto {
            return Ok(());
        }
        let id = frame.header("ack").unwrap_or_default();
        if self.ack == Ack::ClientIndividual {
            write_ack(out, &id);
        } else {
            self.last_ack.clear();
            self.last_ack.push_str(&id);
        }
        Ok(())
    }
}

impl Check<'_> {
    fn note(&mut self, stamp: Stamp, is_redelivered: bool) -> Result<(), Failure> {
        let clock = self.clock;
        let now_ns = *self.read_ns.get_or_insert_with(|| clock.now_ns());
        self.figures.note_received(now_ns.saturating_sub(stamp.intended_ns));
        let producer = stamp.producer as usize;
        let tally = self.arrivals.tallies.get_mut(producer);
        let (Some(next), Some(tally)) = (self.next.get_mut(producer), tally) else {
            let what = format!("a message names producer {producer}, which is none of this run");
            return Err(Failure::new(Code::AnswerInvalid, what, ""));
        };
        tally.note(stamp.number);
        self.arrivals.count += 1;
        if stamp.number >= *next {
            *next = stamp.number + 1;
        } else if is_redelivered {
            self.arrivals.redelivered += 1;
        } else {
            self.arrivals.misordered += 1;
        }
        Ok(())
    }
}

fn read_stamp(frame: &FrameRef<'_>) -> Result<Stamp, Failure> {
    let stamp = Stamp::read(frame.body()).filter(|_| frame.command() == Command::Message);
    stamp.ok_or_else(|| {
        let what = format!("a consumer was sent {} without a stamp", frame.command().as_str());
        Failure::new(Code::AnswerInvalid, what, "measure destinations that nobody else uses")
    })
}

/// Appends an ACK frame.
fn write_ack(out: &mut Vec<u8>, id: &str) {
    out.extend_from_slice(b"ACK\nid:");
    // What a broker has written can be written back.
    let _ = escape_into(out, id, Escaping::V1_2);
    out.extend_from_slice(b"\n\n\0");
}
