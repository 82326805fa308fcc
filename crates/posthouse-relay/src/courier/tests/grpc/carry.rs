//! What is called, and what comes of it.

use posthouse_pump::attempt::Verdict;

use super::super::attempts::{RunningClock, StandingClock, attempt, content, request};
use super::server::Reply::{self, Bare, Close, Hold, Http, Long, Message};
use super::server::Server;
use super::{target, word};
use crate::courier::GrpcCourier;

/// A name and a value.
type Trailer = (&'static str, &'static str);

/// Carries the usual attempt to a server that replies so, as the message of a method or, if there
/// is none, to the published service.
async fn check(path: &str, reply: Reply, expected: &str) {
    let server = Server::start(reply).await;
    let courier = GrpcCourier::new(target(&format!("grpc://127.0.0.1:{}{path}", server.port)));
    let clock = RunningClock::new();
    let verdict = courier.unwrap().carry(&attempt(request(content())), &clock).await;
    let verdict = word(&verdict);
    assert!(verdict.starts_with(expected), "{verdict}\ninstead of\n{expected}");
    assert_eq!(server.calls().len(), 1, "a request is written once");
}

#[tokio::test]
async fn statuses_become_verdicts() {
    let raw = "/a.B/c";
    check(raw, Message(b"", "0", &[]), "done Some(0)").await;
    const NOT_FOUND: &[Trailer] = &[("grpc-status", "5"), ("grpc-message", "no%20such%20order")];
    check(raw, Bare(NOT_FOUND), "rejected Some(5): answered NotFound: no such").await;
    for status in ["3", "6", "7", "9", "11", "12"] {
        check(raw, Message(b"", status, &[]), &format!("rejected Some({status})")).await;
    }
    for status in ["1", "2", "4", "8", "13", "14", "15", "16", "77"] {
        let number = if status == "77" { "2" } else { status };
        let expected = format!("failed by Endpoint Some({number}) None: answered");
        check(raw, Message(b"", status, &[]), &expected).await;
    }
    check(raw, Message(b"", "10", &[]), "failed by Request Some(10) None: answered Aborted").await;
}

#[tokio::test]
async fn servers_say_when_to_come_again() {
    const PUSHBACK: &[Trailer] = &[("grpc-status", "14"), ("grpc-retry-pushback-ms", "1500")];
    check("/a.B/c", Bare(PUSHBACK), "failed by Endpoint Some(14) Some(1500)").await;
    const NEVER: &[Trailer] = &[("grpc-status", "14"), ("grpc-retry-pushback-ms", "-1")];
    check("/a.B/c", Bare(NEVER), "failed by Endpoint Some(14) None").await;
    // A google.rpc.Status with a RetryInfo of 2.5 s.
    const RICH: &str = "CAgaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29\
                nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ";
    const DETAILS: &[Trailer] = &[("grpc-status", "8"), ("grpc-status-details-bin", RICH)];
    check("/a.B/c", Bare(DETAILS), "failed by Endpoint Some(8) Some(2500)").await;
}

#[tokio::test]
async fn the_published_service_says_what_has_become_of_a_request() {
    check("", Message(b"", "0", &[]), "done None").await;
    check("", Message(b"\x08\x01\x10\x07", "0", &[]), "done Some(7)").await;
    check("", Message(b"\x08\x03\x22\x02no", "0", &[]), "rejected None: no").await;
    let later = b"\x08\x04\x18\xdc\x0b";
    check("", Message(later, "0", &[]), "failed by Request None Some(1500): the receiver").await;
    let other = "failed by Endpoint None None: answered with something else than a reply";
    check("", Message(b"\x08\x09", "0", &[]), other).await;
    check("", Message(b"\xff", "0", &[]), other).await;
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure() {
    check("/a.B/c", Http(503), "failed by Endpoint Some(14)").await;
    check("/a.B/c", Http(404), "rejected Some(12)").await;
    check("/a.B/c", Http(200), "failed by Endpoint Some(2)").await;
    check("/a.B/c", Close, "failed by Endpoint None None: the connection broke").await;
    check("/a.B/c", Long(3 << 20), "done Some(0)").await;
    check("/a.B/c", Long(5 << 20), "failed by Endpoint None None: the connection broke").await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_given_up_at_the_deadline() {
    check("/a.B/c", Hold, "failed by Endpoint None None: no answer in time").await;
}

#[tokio::test]
async fn calls_say_what_they_are() {
    let server = Server::start(Message(b"", "0", &[])).await;
    let url = format!("grpc://127.0.0.1:{}/org.example.{{service}}/{{method}}", server.port);
    let mut target = target(&url);
    target.headers = vec![("X-Call".into(), "{code} \u{e9}".into())];
    let courier = GrpcCourier::new(target).unwrap();
    let mut row = content();
    row.headers.push(("Grpc-Timeout".into(), "1H".into()));
    row.headers.push(("Posthouse-Fence".into(), "99".into()));
    let attempt = attempt(request(row));
    for _ in 0..3 {
        let verdict = courier.carry(&attempt, &StandingClock::default()).await;
        assert_eq!(verdict, Verdict::Done { status: Some(0) });
    }
    let calls = server.calls();
    assert!(calls.iter().all(|call| call.connection == 0), "one connection is reused");
    let call = &calls[0];
    assert_eq!(call.path, "/org.example.billing/charge");
    assert_eq!(call.body, [b"\0\0\0\0\x0b", &br#"{"total":3}"#[..]].concat());
    let expect = |name: &str, text: &str| assert_eq!(call.headers[name], text, "{name}");
    expect("content-type", "application/grpc");
    expect("te", "trailers");
    expect("grpc-timeout", "20000000u");
    expect("x-tenant", "north");
    expect("x-call", "order.paid%20%C3%A9");
    expect("posthouse-request-id", "req-1");
    expect("posthouse-attempt", "2");
    expect("posthouse-fence", "9");
    expect("posthouse-not-after", "1614265390000");
    expect("webhook-id", "req-1");
    expect("webhook-timestamp", "1614265330");
}

#[tokio::test]
async fn rows_do_not_climb_out_of_their_place() {
    let server = Server::start(Message(b"", "0", &[])).await;
    let url = format!("grpc://127.0.0.1:{}/{{service}}/{{method}}", server.port);
    let courier = GrpcCourier::new(target(&url)).unwrap();
    let carry = async |service: Option<&str>, method: &str, expected: &str| {
        let mut row = content();
        row.service = service.map(Into::into);
        row.method = Some(method.into());
        let verdict = courier.carry(&attempt(request(row)), &StandingClock::default()).await;
        assert!(word(&verdict).starts_with(expected), "{verdict:?}");
    };
    carry(Some("a"), "..", "rejected None: the row makes a part").await;
    carry(None, "b", "rejected None: column service is empty").await;
    assert!(server.calls().is_empty());
    carry(Some("a/b"), "c?d", "done").await;
    assert_eq!(server.calls()[0].path, "/a%2Fb/c%3Fd");
}

#[tokio::test]
async fn nothing_is_written_when_it_is_too_late() {
    let server = Server::start(Message(b"", "0", &[])).await;
    let courier = GrpcCourier::new(target(&format!("grpc://127.0.0.1:{}", server.port))).unwrap();
    let clock = StandingClock::default();
    clock.set(10_001);
    let verdict = courier.carry(&attempt(request(content())), &clock).await;
    assert_eq!(verdict, Verdict::NotStarted);
    assert!(server.calls().is_empty());
}
