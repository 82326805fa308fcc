//! The frame protocol behind the port of [`multiplex`](super::multiplex):
//! `docs/protocols/frame.md`.

use bytes::BytesMut;
use posthouse_core::limits::FRAME_ANSWER_BYTES_MAX;
use posthouse_net::Scheme;
use posthouse_wire::frame::{Decoder, Frame, Hello, encode, encoded_bytes};

use super::limits::{BEAT_MS, BEATS_MISSED_MAX};
use super::multiplex::{Call, Event, MultiplexCourier, Protocol, Session, Terms};

/// Makes calls over the frame protocol.
pub type FrameCourier = MultiplexCourier<FrameProtocol>;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameProtocol;

/// One connection.
#[derive(Debug)]
pub struct FrameSession {
    decoder: Decoder,
    /// The largest frame that the receiver takes; `None` until it has greeted.
    frame_bytes_max: Option<usize>,
}

const SCHEME: Scheme = Scheme {
    plain: "frame",
    tls: "frames",
    ports: None,
    complaint: "it does not begin with frame:// or frames://",
};

impl Protocol for FrameProtocol {
    type Session = FrameSession;

    fn scheme(&self) -> Scheme {
        SCHEME
    }

    fn begin(&self) -> FrameSession {
        let decoder = Decoder { bytes_max: FRAME_ANSWER_BYTES_MAX };
        FrameSession { decoder, frame_bytes_max: None }
    }
}

impl Session for FrameSession {
    fn open(&mut self, out: &mut BytesMut) {
        encode(&Frame::Hello(Hello::new("posthouse", FRAME_ANSWER_BYTES_MAX, BEAT_MS)), out);
    }

    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, String> {
        let frame = self.decoder.next(input).map_err(|error| error.to_string())?;
        frame.map(|frame| self.hear(frame)).transpose()
    }

    fn request(&mut self, number: u64, call: Box<Call>, out: &mut BytesMut) -> Result<(), String> {
        let before = out.len();
        encode(&Frame::Request { number, request: call }, out);
        let bytes = encoded_bytes(out.len() - before);
        let bytes_max = self.frame_bytes_max.unwrap_or(0);
        if bytes > bytes_max {
            out.truncate(before);
            return Err(format!(
                "the request makes a frame of {bytes} bytes, and the receiver takes {bytes_max}"
            ));
        }
        Ok(())
    }

    fn cancel(&mut self, number: u64, out: &mut BytesMut) {
        encode(&Frame::Cancel { number }, out);
    }

    fn beat(&mut self, out: &mut BytesMut) {
        encode(&Frame::Beat, out);
    }
}

impl FrameSession {
    fn hear(&mut self, frame: Frame) -> Result<Event, String> {
        match frame {
            Frame::Fault { detail } => Err(format!("the receiver says: {detail}")),
            Frame::Hello(hello) if self.frame_bytes_max.is_none() => self.greeted(&hello),
            _ if self.frame_bytes_max.is_none() => Err("its first frame is no HELLO".into()),
            Frame::Answer { number, answer } => Ok(Event::Answer { number, reply: answer }),
            Frame::Leaving { last } => Ok(Event::Leaving { last }),
            Frame::Beat => Ok(Event::Alive),
            Frame::Hello(_) => Err("it has sent HELLO twice".into()),
            Frame::Request { .. } | Frame::Cancel { .. } => {
                Err("it has sent a frame that only relays send".into())
            }
        }
    }

    fn greeted(&mut self, hello: &Hello) -> Result<Event, String> {
        if !hello.speaks_ours() {
            let (first, last) = (hello.version_first, hello.version_last);
            return Err(format!("it speaks versions {first} to {last}, and this relay version 1"));
        }
        self.frame_bytes_max = Some(hello.frame_bytes_max);
        Ok(Event::Ready(Terms {
            requests_max: hello.requests_max(),
            beat_ms: Some(BEAT_MS),
            silence_ms_max: Some(hello.beat_ms * BEATS_MISSED_MAX),
        }))
    }
}
