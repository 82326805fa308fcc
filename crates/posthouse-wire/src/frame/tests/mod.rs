//! The frame protocol's codec.

mod malformed;
mod round_trip;

use bytes::{Bytes, BytesMut};

use super::{Answer, Frame, Hello, Outcome, Request, encode};

/// A request with every field.
fn request() -> Request {
    Request {
        id: "req-1".into(),
        code: "order.paid".into(),
        service: Some("billing".into()),
        method: Some("charge".into()),
        key: Some("A/7 \u{e9}".into()),
        region: Some("east".into()),
        attempt: 2,
        not_after_ms: -1,
        fence: 9,
        sequence: i64::MIN,
        after_gap: Some("req-0".into()),
        traceparent: Some("00-1-2-01".into()),
        content_type: Some("text/plain".into()),
        headers: vec![("x-a".into(), "1".into()), ("x-a".into(), String::new())],
        timeout_ms: 30_000,
        timestamp: 1_614_265_330,
        signature: Some("v1,abc".into()),
        body: Bytes::from_static(b"\0body\xff"),
    }
}

/// One frame of each kind.
fn frames() -> Vec<Frame> {
    let least = Answer::new(Outcome::Done);
    let detail = Some("full".to_owned());
    let most = Answer {
        outcome: Outcome::Postponed,
        status: Some(-3),
        retry_after_ms: Some(1_500),
        detail,
    };
    vec![
        Frame::Hello(Hello::new("test", 4_096, 5_000)),
        Frame::Hello(Hello { requests_max: Some(7), name: None, ..Hello::new("", 5_000, 100) }),
        Frame::Request { number: 1, request: Box::new(request()) },
        Frame::Request {
            number: u64::MAX,
            request: Box::new(Request { headers: Vec::new(), ..Request::default() }),
        },
        Frame::Answer { number: 7, answer: least },
        Frame::Answer { number: 8, answer: most },
        Frame::Cancel { number: 3 },
        Frame::Beat,
        Frame::Leaving { last: 12 },
        Frame::Fault { detail: "no".into() },
    ]
}

fn bytes_of(frame: &Frame) -> BytesMut {
    let mut out = BytesMut::new();
    encode(frame, &mut out);
    out
}
