//! A receiver of the frame protocol (`docs/protocols/frame.md`): shows every request and takes it.
//!
//! `cargo run -p posthouse-relay --example frame_receiver -- 127.0.0.1:7070`

use std::io;

use bytes::BytesMut;
use posthouse_wire::frame::{Answer, Decoder, Frame, Hello, Outcome, Request, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, timeout};

/// Bytes of the largest request that is taken.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Something is sent at least so often.
const BEAT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7070".to_owned());
    serve(TcpListener::bind(address).await?, take).await
}

/// Answers every connection for as long as the process runs.
async fn serve(listener: TcpListener, handle: fn(&Request) -> Answer) -> io::Result<()> {
    loop {
        let (stream, peer) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = converse(stream, handle).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// One connection, to its end. Requests are done one after the other; a receiver that takes longer
/// for one of them gives each a task of its own, and answers in any order.
async fn converse(mut stream: TcpStream, handle: fn(&Request) -> Answer) -> io::Result<()> {
    let decoder = Decoder { bytes_max: REQUEST_BYTES_MAX };
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    loop {
        while let Some(frame) = decoder.next(&mut input).map_err(io::Error::other)? {
            if let Some(answer) = answer(frame, handle)? {
                encode(&answer, &mut output);
            }
        }
        stream.write_all_buf(&mut output).await?;
        match timeout(BEAT, stream.read_buf(&mut input)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => _ = read?,
            Err(_) => encode(&Frame::Beat, &mut output),
        }
    }
}

/// What is said to a frame.
fn answer(frame: Frame, handle: fn(&Request) -> Answer) -> io::Result<Option<Frame>> {
    let beat_ms = u64::try_from(BEAT.as_millis()).unwrap_or(u64::MAX);
    Ok(match frame {
        Frame::Hello(hello) if hello.speaks_ours() => {
            Some(Frame::Hello(Hello::new("frame_receiver.rs", REQUEST_BYTES_MAX, beat_ms)))
        }
        Frame::Hello(_) => return Err(io::Error::other("the relay speaks other versions")),
        Frame::Request { number, request } => {
            Some(Frame::Answer { number, answer: handle(&request) })
        }
        Frame::Fault { detail } => return Err(io::Error::other(detail)),
        _ => None,
    })
}

/// A request comes again under the same id if its answer was lost: that is what a receiver knows it
/// by.
fn take(request: &Request) -> Answer {
    println!("{} {} {:?} {:?}", request.id, request.code, request.method, request.body);
    Answer::new(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use posthouse_net::{Client, ClientSettings, Reach};
    use posthouse_pump::attempt::{Attempt, AttemptNo, Verdict};
    use posthouse_pump::outcome::{BucketNo, Fence};
    use posthouse_pump::request::{self, Content, RequestId, Slot, Standing};
    use posthouse_relay::courier::{CallTarget, FrameCourier, FrameProtocol};
    use posthouse_relay::runner::SteadyClock;

    use super::*;

    fn attempt(method: &str) -> Attempt {
        let content = Content {
            protocol: None,
            service: None,
            method: Some(method.into()),
            headers: Vec::new(),
            content_type: None,
            body: "body".into(),
            traceparent: None,
            flaw: None,
        };
        let request = request::Request {
            id: RequestId(1),
            request_id: "req-1".into(),
            standing: Standing::Ready,
            code: "ORDER.NEW".into(),
            group: None,
            region: "".into(),
            key: None,
            slot: Slot(0),
            priority: 4,
            window: None,
            due_ms: 0,
            expires_ms: None,
            attempts: 0,
            created_ms: 0,
            content: Some(content.into()),
            unreadable: None,
        };
        Attempt {
            number: AttemptNo(1),
            request: request.into(),
            endpoint: "orders".into(),
            try_no: 1,
            bucket: BucketNo(0),
            fence: Fence(1),
            start_by_mono_ms: u64::MAX,
            end_by_mono_ms: u64::MAX,
            not_after_ms: i64::MAX,
            after_gap: None,
        }
    }

    /// Takes what is asked of it by this name, and nothing else.
    fn choose(request: &Request) -> Answer {
        match request.method.as_deref() {
            Some("take") => take(request),
            _ => Answer { status: Some(404), ..Answer::new(Outcome::Rejected) },
        }
    }

    #[tokio::test]
    async fn the_relay_and_this_receiver_understand_each_other() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        tokio::spawn(serve(listener, choose));
        let reach = Reach::parse(&["127.0.0.1"]).expect("it is a rule");
        let settings = ClientSettings { reach, ..ClientSettings::default() };
        let client = Client::new(settings).expect("no file is named");
        let target = CallTarget::new(client, format!("frame://{address}"));
        let courier = FrameCourier::new(FrameProtocol, target).expect("nothing is wrong with it");
        let clock = SteadyClock::default();
        let done = courier.carry(&attempt("take"), &clock).await;
        assert_eq!(done, Verdict::Done { status: None });
        let other = courier.carry(&attempt("other"), &clock).await;
        let detail = "the receiver rejects it".to_owned();
        assert_eq!(other, Verdict::Rejected { status: Some(404), detail });
    }
}
