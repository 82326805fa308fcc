//! What receivers are told, and what their answers mean.

use std::fs;

use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_wire::frame::{Answer, Frame, Hello, Outcome};
use tempfile::TempDir;

use super::super::attempts::{StandingClock, attempt, content, request};
use super::peer::Listener;
use super::{attempt_at, courier, target, word};
use crate::courier::{FrameCourier, FrameProtocol, SecretSource};

async fn check(answer: Answer, expected: &str) {
    let listener = Listener::new().await;
    let (courier, attempt) = (courier(&listener), attempt_at("req-1"));
    let clock = StandingClock::default();
    let (verdict, ()) = tokio::join!(courier.carry(&attempt, &clock), async {
        let mut peer = listener.greet().await;
        let number = peer.request().await.0;
        peer.send(&Frame::Answer { number, answer }).await;
    });
    assert_eq!(word(&verdict), expected);
}

#[tokio::test]
async fn answers_become_verdicts() {
    let answer = |outcome, status, retry_after_ms, detail: Option<&str>| Answer {
        outcome,
        status,
        retry_after_ms,
        detail: detail.map(Into::into),
    };
    check(answer(Outcome::Done, Some(7), None, Some("x")), "done Some(7)").await;
    let full = answer(Outcome::Failed, Some(-1), Some(1_500), Some("full\n\u{202e}x"));
    check(full, "failed by Endpoint Some(-1) Some(1500): fullx").await;
    let long = answer(Outcome::Postponed, None, Some(u64::MAX >> 1), None);
    check(long, "failed by Request None Some(86400000): the receiver postpones it").await;
    check(Answer::new(Outcome::Failed), "failed by Endpoint None None: the receiver has failed")
        .await;
    check(Answer::new(Outcome::Rejected), "rejected None: the receiver rejects it").await;
    let never = answer(Outcome::Rejected, Some(22), None, Some("no such order"));
    check(never, "rejected Some(22): no such order").await;
}

#[tokio::test]
async fn requests_say_what_they_are() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let listener = Listener::new().await;
    let mut target = target(&listener);
    target.signing_keys = vec![SecretSource::File(file)];
    target.headers = vec![("X-Call".into(), "{code}/{service}/{method}".into())];
    target.service_method = Some("unused, for the row has one".into());
    let courier = FrameCourier::new(FrameProtocol, target).unwrap();
    let mut body = content();
    body.body = r#"{"test": 2432232314}"#.into();
    body.headers.push(("Posthouse-Fence".into(), "99".into()));
    let mut request = request(body);
    request.request_id = "msg_p5jXN8AQM9LWM0D4loKWxJek".into();
    let attempt = Attempt { after_gap: Some("req-0".into()), ..attempt(request) };
    let clock = StandingClock::default();
    let (verdict, call) = tokio::join!(courier.carry(&attempt, &clock), async {
        listener.greet().await.take().await
    });
    assert_eq!(verdict, Verdict::Done { status: None });
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!(call.id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(call.code, "order.paid");
    assert_eq!((text(&call.service), text(&call.method)), ("billing".into(), "charge".into()));
    assert_eq!((text(&call.key), text(&call.region)), ("A/7".into(), "east".into()));
    assert_eq!((call.attempt, call.fence, call.sequence), (2, 9, 42));
    assert_eq!((call.not_after_ms, call.timeout_ms), (1_614_265_390_000, 20_000));
    assert_eq!(text(&call.after_gap), "req-0");
    assert!(text(&call.traceparent).starts_with("00-0af765"));
    assert_eq!(text(&call.content_type), "application/json");
    let headers = [("x-tenant", "north"), ("x-call", "order.paid/billing/charge")];
    assert_eq!(call.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(call.timestamp, 1_614_265_330);
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(text(&call.signature), expected);
    assert_eq!(call.body, r#"{"test": 2432232314}"#);
}

#[tokio::test]
async fn what_the_receiver_cannot_take_is_rejected_and_does_no_harm() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let mut large = content();
    large.body = vec![b'x'; 5_000].into();
    let (large, small) = (attempt(request(large)), attempt_at("small"));
    let clock = StandingClock::default();
    let ((first, second), call) = tokio::join!(
        async { (courier.carry(&large, &clock).await, courier.carry(&small, &clock).await) },
        async { listener.greet_with(Hello::new("small", 4_096, 5_000)).await.take().await }
    );
    let expected = "rejected None: the request makes a frame of";
    assert!(word(&first).starts_with(expected), "{first:?}");
    assert_eq!((word(&second).as_str(), call.id.as_str()), ("done None", "small"));
}

#[tokio::test]
async fn targets_with_mistakes_are_refused() {
    let listener = Listener::new().await;
    let check = |url: &str, expected: &str| {
        let target = crate::courier::CallTarget { url: url.into(), ..target(&listener) };
        let faults = FrameCourier::new(FrameProtocol, target).err().unwrap();
        assert!(faults[0].to_string().contains(expected), "{url}: {faults:?}");
    };
    check("http://127.0.0.1:1", "frame:// or frames://");
    check("frame://127.0.0.1", "it has no port");
    check("frame://127.0.0.1:1/orders", "a path or a query");
    check("frame://{service}:1", "rows do not choose the host");
    check("frame://10.0.0.1:1", "add its network");
    check("frame://user:word@127.0.0.1:1", "user name or password");
}
