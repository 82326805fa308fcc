//! Lines of text: `PUT NUMBER ID BYTES` and so many bytes of body go out; `OK NUMBER`,
//! `NO NUMBER WHY` and `LATER NUMBER MILLISECONDS` come back, in any order.

use bytes::{Buf, BytesMut};
use posthouse_net::Scheme;
use posthouse_relay::courier::{Call, Event, Protocol, Reply, ReplyOutcome, Session, Terms};

/// See the module.
pub(crate) struct LineProtocol;

/// One connection. There is nothing to greet with.
pub(crate) struct LineSession {
    is_ready: bool,
}

impl Protocol for LineProtocol {
    type Session = LineSession;

    fn scheme(&self) -> Scheme {
        let complaint = "it does not begin with line:// or lines://";
        Scheme { plain: "line", tls: "lines", ports: Some((7_071, 7_072)), complaint }
    }

    fn begin(&self) -> LineSession {
        LineSession { is_ready: false }
    }
}

impl Session for LineSession {
    fn open(&mut self, _out: &mut BytesMut) {}

    fn read(&mut self, input: &mut BytesMut) -> Result<Option<Event>, String> {
        if !self.is_ready {
            self.is_ready = true;
            let terms = Terms { requests_max: 100, beat_ms: None, silence_ms_max: None };
            return Ok(Some(Event::Ready(terms)));
        }
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let line = input.split_to(end);
        input.advance(1);
        let line = std::str::from_utf8(&line).map_err(|_| "a line is not UTF-8".to_owned())?;
        answer(line).map(Some).ok_or_else(|| "a line is no answer".to_owned())
    }

    fn request(&mut self, number: u64, call: Box<Call>, out: &mut BytesMut) -> Result<(), String> {
        if call.id.contains(char::is_whitespace) {
            return Err("the receiver takes no request ids with spaces".into());
        }
        let head = format!("PUT {number} {} {}\n", call.id, call.body.len());
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(&call.body);
        Ok(())
    }
}

fn answer(line: &str) -> Option<Event> {
    let mut words = line.splitn(3, ' ');
    let (word, number) = (words.next()?, words.next()?.parse().ok()?);
    let rest = words.next();
    let reply = match word {
        "OK" => Reply::new(ReplyOutcome::Done),
        "NO" => Reply { detail: rest.map(Into::into), ..Reply::new(ReplyOutcome::Rejected) },
        "LATER" => Reply {
            retry_after_ms: Some(rest?.parse().ok()?),
            ..Reply::new(ReplyOutcome::Postponed)
        },
        _ => return None,
    };
    Some(Event::Answer { number, reply })
}
