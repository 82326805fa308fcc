//! Requests that become messages in a queue of the node: in order, with everything that the manual
//! promises about their headers, through a kill, and past a queue that is full.

mod listener;

use std::collections::BTreeMap;

use posthouse_relay::source::schema;

use super::clock::await_until;
use super::database::{number, run, runtime};
use super::scene::PATIENCE;
use crate::server::{Server, fresh_dir};
use listener::{Heard, Listener};

const KEYS: i64 = 10;

/// A node that relays from a file into its own queues.
struct Stage {
    url: String,
    node: Server,
}

impl Stage {
    fn new(rules: &str) -> Stage {
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        let node = Server::start_with_config(&configuration(&url, rules));
        Stage { url, node }
    }

    /// Writes requests `first` to `last` of a code, dealt out to its keys, in one transaction.
    fn write(&self, code: &str, first: i64, last: i64) {
        let text = format!(
            "WITH RECURSIVE n(i) AS \
             (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
             INSERT INTO relay_request \
             (id, request_id, code, business_id, headers, content_type, traceparent, body) \
             SELECT i, 'r-' || i, '{code}', '{code}-' || (i % {KEYS}), '{{\"colour\":\"red\"}}', \
             'text/plain', 't-' || i, CAST('body ' || i AS BLOB) FROM n"
        );
        run(&self.url, &text);
    }

    fn count(&self, condition: &str) -> i64 {
        let text = format!("SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE {condition}");
        number(&self.url, &text)
    }

    fn await_count(&self, count: i64, condition: &str) {
        let what = format!("{count} requests with {condition}");
        await_until(&what, PATIENCE, || self.count(condition) >= count);
    }
}

fn configuration(url: &str, rules: &str) -> String {
    let endpoint = |name: &str| {
        format!(
            r#"
[[relay.code]]
name = "{name}"
group = "orders"
endpoint = "{name}"
[[relay.endpoint]]
name = "{name}"
destination = "queue/{name}"
headers = ["x-region: [{{region}}]"]
rate = 200
timeout = "500ms"
breaker_pause = "50ms"
breaker_pause_max = "200ms"
"#
        )
    };
    format!(
        r#"
[[relay.source]]
name = "platform"
url = "{url}"
lease = "1s"
round = "100ms"
[[relay.group]]
name = "orders"
backoff = "30ms"
backoff_max = "200ms"
{}{}{rules}"#,
        endpoint("narrow"),
        endpoint("wide")
    )
}

/// Every message is one of the requests, and says so.
fn expect_faithful(heard: &[Heard], queue: &str) {
    for message in heard {
        let number = message.sequence();
        let told = |name: &str| message.headers.get(name).map(String::as_str);
        let expect = |name: &str, text: &str| assert_eq!(told(name), Some(text), "{message:?}");
        expect("destination", &format!("/queue/{queue}"));
        expect("posthouse-request-id", &format!("r-{number}"));
        expect("posthouse-code", queue);
        expect("posthouse-key", &format!("{queue}-{}", number % KEYS));
        expect("traceparent", &format!("t-{number}"));
        expect("content-type", "text/plain");
        expect("colour", "red");
        expect("x-region", "[]");
        assert_eq!(message.body, format!("body {number}"));
        for name in ["posthouse-attempt", "posthouse-fence", "posthouse-not-after"] {
            let is_positive = message.number(name).is_some_and(|number| number > 0);
            assert!(is_positive, "{name}: {message:?}");
        }
    }
}

/// All have come, and for each key the first sight of each came in their order.
fn expect_ordered(heard: &[Heard], first: i64, last: i64) {
    let mut highest: BTreeMap<i64, i64> = BTreeMap::new();
    let mut seen = vec![false; usize::try_from(last + 1).expect("it is small")];
    for number in heard.iter().map(Heard::sequence) {
        let is_known = seen.get_mut(usize::try_from(number).expect("it is small"));
        let is_known = is_known.expect("it was written");
        if !*is_known {
            let before = highest.insert(number % KEYS, number).unwrap_or(0);
            assert!(before < number, "{number} came after {before}");
        }
        *is_known = true;
    }
    let lost: Vec<i64> =
        (first..=last).filter(|it| !seen[usize::try_from(*it).unwrap_or(0)]).collect();
    assert_eq!(lost, Vec::<i64>::new(), "they are lost");
}

#[test]
fn requests_become_messages_in_order_through_a_kill() {
    let mut stage = Stage::new("");
    stage.write("wide", 1, 300);
    let mut listener = Listener::new("/queue/wide");
    listener.hear(stage.node.stomp(), |heard| heard.len() >= 100);
    stage.node.kill();
    assert!(stage.count("state = 0") > 0, "the kill came in the midst");
    stage.node.start_elsewhere();
    listener.hear(stage.node.stomp(), |_| stage.count("state = 3") == 300);
    listener.hear_rest(stage.node.stomp());
    expect_faithful(&listener.heard, "wide");
    expect_ordered(&listener.heard, 1, 300);
}

/// A full queue of this kind: its requests wait and come later, others are not kept waiting.
fn check_full(when_full: &str, error: &str) -> Vec<Heard> {
    let rules = format!(
        "[[destination]]\npattern = \"queue/narrow\"\nmessages_max = 5\n\
         when_full = \"{when_full}\"\n"
    );
    let stage = Stage::new(&rules);
    stage.write("narrow", 1, 40);
    stage.await_count(1, &format!("state = 0 AND last_error LIKE '%{error}%'"));
    stage.write("wide", 101, 140);
    stage.await_count(40, "state = 3 AND code = 'wide'");
    stage.await_count(1, "state = 0 AND code = 'narrow'");
    let mut listener = Listener::new("/queue/narrow");
    // What came twice fills the queue again until somebody takes it.
    let done = "state = 3 AND code = 'narrow'";
    listener.hear(stage.node.stomp(), |_| stage.count(done) == 40);
    listener.hear_rest(stage.node.stomp());
    expect_faithful(&listener.heard, "narrow");
    expect_ordered(&listener.heard, 1, 40);
    listener.heard
}

#[test]
fn requests_wait_for_a_queue_that_refuses() {
    assert_eq!(check_full("reject", "PH1204").len(), 40, "what was refused was not taken");
}

/// Whoever is kept waiting does not know whether it was taken, so that some may come twice.
#[test]
fn requests_wait_for_a_queue_that_makes_producers_wait() {
    assert!(check_full("block", "did not confirm").len() >= 40);
}
