//! Whole attempts over HTTP.

use std::fs;
use std::io;
use std::sync::Arc;

use posthouse_net::{Client, ClientSettings, Reach, Resolve, Resolved};
use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::request::{Content, Request};
use tempfile::TempDir;

use super::attempts::{RunningClock, StandingClock, WALL_MS, attempt, content, request};
use super::server::Reply::{self, Answer, AnswerAndClose, Close, Hold};
use super::server::Server;
use crate::courier::limits::KEY_FILE_LOOK_MS;
use crate::courier::signature::{Key, list};
use crate::courier::{AnyCourier, HttpCourier, HttpTarget, SecretSource};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn settings() -> ClientSettings {
    let reach = Reach::parse(&["127.0.0.1", "a.example"]).unwrap();
    ClientSettings { reach, ..ClientSettings::default() }
}

fn target(url: String) -> HttpTarget {
    HttpTarget::new(Client::new(settings()).unwrap(), url)
}

async fn carry(server: &Server, attempt: &Attempt) -> Verdict {
    let target = target(format!("http://127.0.0.1:{}/{{service}}/{{key}}", server.port));
    let courier = HttpCourier::new(target).unwrap();
    courier.carry(attempt, &StandingClock::default()).await
}

/// The verdict in one line.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Done { status } => format!("done {status:?}"),
        Verdict::Rejected { detail, .. } => format!("rejected: {detail}"),
        Verdict::Failed { detail, blame, .. } => format!("failed by {blame:?}: {detail}"),
        Verdict::NotStarted => "not started".into(),
    }
}

/// Carries the usual attempt to a server that replies so.
async fn check(reply: Reply, expected: &str) {
    let server = Server::start(reply).await;
    let verdict = word(&carry(&server, &attempt(request(content()))).await);
    assert!(verdict.starts_with(expected), "{verdict}\ninstead of\n{expected}");
    assert_eq!(server.requests().len(), 1, "a request is written once");
}

#[tokio::test]
async fn answers_become_verdicts() {
    check(Answer(OK), "done Some(200)").await;
    let failed = "HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\nbusy";
    check(Answer(failed), "failed by Endpoint: answered 500 Internal Server Error: busy").await;
    let never = "HTTP/1.1 422 No\r\ncontent-length: 0\r\n\r\n";
    check(Answer(never), "rejected: answered 422 Unprocessable").await;
    let redirect = "HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n";
    check(Answer(redirect), "failed by Endpoint: answered 307").await;
}

#[tokio::test]
async fn no_answer_is_a_failure_with_an_unknown_result() {
    check(Close, "failed by Endpoint: the connection broke before the answer came").await;
    let rubbish = AnswerAndClose("hello there\r\n\r\n");
    check(rubbish, "failed by Endpoint: what came back is not an answer").await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_given_up_at_the_deadline() {
    check(Hold, "failed by Endpoint: no answer in time").await;
}

#[tokio::test]
async fn nothing_is_there_to_take_the_call() {
    let server = Server::start(Close).await;
    let mut gone = target("http://127.0.0.1:9/".into());
    gone.timeout_ms = 1_000;
    let verdict = HttpCourier::new(gone)
        .unwrap()
        .carry(&attempt(request(content())), &StandingClock::default())
        .await;
    let expected = "failed by Endpoint: http://127.0.0.1:9 cannot be reached";
    assert!(word(&verdict).starts_with(expected), "{verdict:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let server = Server::start(AnswerAndClose(OK)).await;
    let target = target(format!("http://127.0.0.1:{}/", server.port));
    let courier = HttpCourier::new(target).unwrap();
    for _ in 0..20 {
        let attempt = attempt(request(content()));
        let verdict = courier.carry(&attempt, &StandingClock::default()).await;
        let is_fine = match &verdict {
            Verdict::Done { .. } => true,
            Verdict::Failed { blame, .. } => *blame == Blame::Endpoint,
            _ => false,
        };
        assert!(is_fine, "{verdict:?}");
    }
    assert!(server.requests().len() <= 20, "a request is written once");
}

#[tokio::test]
async fn calls_say_what_they_are() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let server = Server::start(Answer(OK)).await;
    let url = format!("http://127.0.0.1:{}/{{service}}/{{key}}?n={{attempt}}", server.port);
    let mut target = target(url);
    target.signing_keys = vec![SecretSource::File(file)];
    target.headers = vec![("Authorization".into(), "Bearer {header.x-tenant}".into())];
    let mut body = content();
    body.body = r#"{"test": 2432232314}"#.into();
    let request = Request { request_id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(), ..request(body) };
    let attempt = Attempt { after_gap: Some("req-0".into()), ..attempt(request) };
    let courier = HttpCourier::new(target).unwrap();
    let verdict = courier.carry(&attempt, &StandingClock::default()).await;
    assert_eq!(verdict, Verdict::Done { status: Some(200) });
    let expected = [
        "POST /billing/A%2F7?n=2 HTTP/1.1",
        "authorization: Bearer north",
        "content-length: 20",
        "content-type: application/json",
        "posthouse-after-gap: req-0",
        "posthouse-attempt: 2",
        "posthouse-code: order.paid",
        "posthouse-fence: 9",
        "posthouse-key: A/7",
        "posthouse-not-after: 1614265390000",
        "posthouse-request-id: msg_p5jXN8AQM9LWM0D4loKWxJek",
        "posthouse-sequence: 42",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "webhook-timestamp: 1614265330",
        "x-tenant: north",
    ];
    let requests = server.requests();
    let (head, sent) = requests[0].split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().filter(|line| !line.starts_with("host: ")).collect();
    lines[1..].sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(sent, r#"{"test": 2432232314}"#);
}

/// The way of docs/relay.md: the new key is added, receivers learn it, the old one goes. Whoever
/// knows the old one, and then whoever knows the new one, always finds a signature of theirs.
#[tokio::test]
async fn keys_are_changed_without_a_gap() {
    const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    let server = Server::start(Answer(OK)).await;
    let mut target = target(format!("http://127.0.0.1:{}/", server.port));
    target.signing_keys = vec![SecretSource::File(file.clone())];
    let clock = StandingClock::default();
    let mut courier = None;
    for (step, keys) in [(0, OLD.to_owned()), (1, format!("{OLD}\n{NEW}\n")), (2, NEW.to_owned())] {
        fs::write(&file, keys).unwrap();
        let courier = courier.get_or_insert_with(|| HttpCourier::new(target.clone()).unwrap());
        clock.set(step * KEY_FILE_LOOK_MS);
        let mut attempt = attempt(request(content()));
        attempt.start_by_mono_ms = u64::MAX;
        attempt.end_by_mono_ms = u64::MAX;
        courier.carry(&attempt, &clock).await;
        let sent = server.requests().pop().unwrap();
        let line = sent.lines().find_map(|line| line.strip_prefix("webhook-signature: ")).unwrap();
        let signed: Vec<bool> = [OLD, NEW].map(|key| line.contains(&signature(key))).into();
        assert_eq!(signed, [step < 2, step > 0], "{step}: {line}");
    }
}

/// What a receiver that knows one key computes for the usual attempt.
fn signature(key: &str) -> String {
    let timestamp = (WALL_MS / 1_000).to_string();
    list(&[Key::parse(key).unwrap()], "req-1", &timestamp, &content().body)
}

#[tokio::test]
async fn rows_cannot_replace_what_is_ours_or_the_connections() {
    let server = Server::start(Answer(OK)).await;
    let theirs = "Host Content-Length Transfer-Encoding Connection Keep-Alive TE Upgrade Expect \
        Webhook-Id Webhook-Signature Posthouse-Fence posthouse-new Traceparent Content-Type";
    let mut content = content();
    content.headers = theirs.split_whitespace().map(|name| (name.into(), "evil".into())).collect();
    content.headers.push(("X-Split".into(), "one\r\nx-evil: evil".into()));
    let request = Request { key: Some("订单 1".into()), ..request(content) };
    assert_eq!(carry(&server, &attempt(request)).await, Verdict::Done { status: Some(200) });
    let sent = server.requests().concat();
    assert!(sent.contains("x-split: onex-evil: evil\r\n"), "{sent}");
    assert!(sent.contains("posthouse-key: %E8%AE%A2%E5%8D%95%201\r\n"), "{sent}");
    assert_eq!(sent.matches("evil").count(), 2, "{sent}");
}

async fn check_rejected(change: impl FnOnce(&mut Request, &mut Content), expected: &str) {
    let server = Server::start(Answer(OK)).await;
    let mut content = content();
    let mut changed = request(content.clone());
    change(&mut changed, &mut content);
    changed.content = Some(Arc::new(content));
    let verdict = word(&carry(&server, &attempt(changed)).await);
    assert!(verdict.starts_with("rejected: ") && verdict.contains(expected), "{verdict}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn rows_that_lack_something_are_rejected_before_anybody_is_called() {
    check_rejected(|request, _| request.key = None, "column business_id is empty").await;
    check_rejected(|_, content| content.service = None, "column service is empty").await;
    check_rejected(|request, _| request.key = Some("..".into()), "URL's path \"..\"").await;
    check_rejected(|request, _| request.key = Some(".".into()), "URL's path \".\"").await;
    let long = "x".repeat(9_000);
    check_rejected(|request, _| request.key = Some(long.into()), "longer than 8192 bytes").await;
    let name = |name: &str| vec![(name.to_owned(), String::new())];
    check_rejected(|_, content| content.headers = name("a b"), "column headers: \"a b\"").await;
    check_rejected(|_, content| content.headers = name(""), "column headers: \"\"").await;
    let many = || (0..65).map(|n| (format!("x-{n}"), String::new())).collect();
    check_rejected(|_, content| content.headers = many(), "more than 64 headers").await;
}

#[tokio::test]
async fn a_request_without_its_content_stays_open() {
    let server = Server::start(Answer(OK)).await;
    let unread = Request { content: None, ..request(content()) };
    let verdict = word(&carry(&server, &attempt(unread)).await);
    assert!(verdict.starts_with("failed by Request: the content"), "{verdict}");
}

#[tokio::test]
async fn nothing_is_sent_when_it_is_too_late() {
    let server = Server::start(Answer(OK)).await;
    let cases = [(9_999, 1), (10_000, 1), (10_001, 0), (20_000, 0)];
    for (mono_ms, expected) in cases {
        let before = server.requests().len();
        let clock = StandingClock::default();
        clock.set(mono_ms);
        let courier = HttpCourier::new(target(format!("http://127.0.0.1:{}/", server.port)));
        courier.unwrap().carry(&attempt(request(content())), &clock).await;
        assert_eq!(server.requests().len() - before, expected, "at {mono_ms}");
    }
}

/// Finds the name, but it takes until after the last instant to start.
struct SlowNames(Arc<StandingClock>);

impl Resolve for SlowNames {
    fn resolve<'a>(&'a self, _host: &'a str) -> Resolved<'a> {
        self.0.set(10_001);
        Box::pin(async { io::Result::Ok(vec!["127.0.0.1".parse().unwrap()]) })
    }
}

#[tokio::test]
async fn the_clock_is_looked_at_after_the_connection_is_made() {
    let server = Server::start(Answer(OK)).await;
    let clock = Arc::new(StandingClock::default());
    let resolver = Arc::new(SlowNames(clock.clone()));
    let client = Client::new(ClientSettings { resolver, ..settings() }).unwrap();
    let target = HttpTarget::new(client, format!("http://slow.example:{}/", server.port));
    let courier = HttpCourier::new(target).unwrap();
    let verdict = courier.carry(&attempt(request(content())), &*clock).await;
    assert_eq!(verdict, Verdict::NotStarted);
    assert!(server.requests().is_empty());
}

/// Never finds a name.
struct NoNames;

impl Resolve for NoNames {
    fn resolve<'a>(&'a self, _host: &'a str) -> Resolved<'a> {
        Box::pin(std::future::pending())
    }
}

async fn check_unconnected(start_by_mono_ms: u64, end_by_mono_ms: u64, expected: &str) {
    let settings = ClientSettings { resolver: Arc::new(NoNames), ..settings() };
    let target = HttpTarget::new(Client::new(settings).unwrap(), "http://a.example/");
    let attempt = Attempt { start_by_mono_ms, end_by_mono_ms, ..attempt(request(content())) };
    let verdict = HttpCourier::new(target).unwrap().carry(&attempt, &RunningClock::new()).await;
    assert_eq!(word(&verdict), expected, "{start_by_mono_ms} {end_by_mono_ms}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_connection_is_a_failure_unless_only_the_start_was_missed() {
    let failed = "failed by Endpoint: http://a.example did not take a connection in time";
    check_unconnected(10_000, 20_000, failed).await;
    check_unconnected(10_000, 3_000, failed).await;
    check_unconnected(3_000, 20_000, "not started").await;
}

#[tokio::test(start_paused = true)]
async fn waiting_for_other_calls_is_no_try() {
    let server = Server::start(Hold).await;
    let settings = ClientSettings { host_calls_max: 1, ..settings() };
    let url = format!("http://127.0.0.1:{}/", server.port);
    let target = HttpTarget::new(Client::new(settings).unwrap(), url);
    let courier = HttpCourier::new(target).unwrap();
    let (first, second) = (attempt(request(content())), attempt(request(content())));
    let clock = RunningClock::new();
    let verdicts = tokio::join!(courier.carry(&first, &clock), courier.carry(&second, &clock));
    assert!(word(&verdicts.0).starts_with("failed by Endpoint: no answer in time"));
    assert_eq!(verdicts.1, Verdict::NotStarted);
    assert_eq!(server.requests().len(), 1);
}

/// The row brings its own URL.
async fn check_row_url(url: &str, expected: &str) {
    let server = Server::start(Answer(OK)).await;
    let courier = HttpCourier::new(target("{header.x-url}".into())).unwrap();
    let mut content = content();
    content.headers = vec![("x-url".into(), url.replace("PORT", &server.port.to_string()))];
    let verdict = courier.carry(&attempt(request(content)), &StandingClock::default()).await;
    assert!(word(&verdict).contains(expected), "{url}: {verdict:?}");
    assert_eq!(server.requests().len(), usize::from(expected.starts_with("done")), "{url}");
}

#[tokio::test]
async fn urls_of_rows_have_to_pass_the_guard() {
    check_row_url("http://127.0.0.1:PORT/a?b", "done").await;
    check_row_url("http://127.0.0.2:PORT/", "failed by Request: 127.0.0.2:").await;
    check_row_url("http://169.254.169.254/latest", "failed by Request: 169.254.169.254:80").await;
    check_row_url("http://[::ffff:169.254.169.254]/", "failed by Request").await;
    check_row_url("http://2130706434:PORT/", "failed by Request").await;
    check_row_url("http://user@127.0.0.1:PORT/", "rejected: column headers").await;
    check_row_url("file:///etc/passwd", "rejected: column headers").await;
    check_row_url("not a url", "rejected: column headers").await;
}

/// Each attempt is a task: what it needs is moved about three times, and allocated as a whole.
#[test]
fn an_attempt_is_small() {
    let courier =
        AnyCourier::Http(Box::new(HttpCourier::new(target("http://127.0.0.1:9/".into())).unwrap()));
    let (attempt, clock) = (attempt(request(content())), StandingClock::default());
    let bytes = size_of_val(&courier.carry(&attempt, &clock));
    assert!(bytes <= 3_072, "{bytes}");
}
