//! Alarms of the real binary: they begin when something is wrong and end when it is over, in the
//! log, in the metrics, on the command line, at a webhook and in a queue.

use std::fs;

use posthouse_relay::source::schema;
use serde_json::Value;

use super::clock::await_until;
use super::database::{run, runtime};
use super::scene::PATIENCE;
use super::taker::Taker;
use crate::command::{http, posthouse};
use crate::server::{Server, fresh_dir};

/// A node that looks at its source all the time, with a receiver of requests and one of alarms.
struct Watched {
    node: Server,
    receiver: Taker,
    hook: Taker,
    url: String,
}

/// Limits that are passed at once.
const RULES: &str = r#"
[[relay.rule]]
name = "claimable-age"
limit = "300ms"
clear = "0s"
[[relay.rule]]
name = "no-progress"
limit = "400ms"
clear = "0s"
[[relay.rule]]
name = "endpoint-down"
for = "100ms"
clear = "0s"
[[relay.rule]]
name = "trouble"
for = "100ms"
clear = "0s"
[[relay.rule]]
name = "unknown"
clear = "0s"
[[relay.rule]]
name = "unreadable"
clear = "0s"
[[relay.rule]]
name = "blocked-keys"
clear = "0s"
[[relay.rule]]
name = "log-size"
limit = "1 MiB"
for = "0s"
clear = "0s"
"#;

fn text(url: &str, receiver: &str, hook: &str) -> String {
    format!(
        r#"
[relay]
check_every = "50ms"
[[relay.source]]
name = "platform"
url = "{url}"
round = "50ms"
lease = "1s"
[[relay.group]]
name = "orders"
backoff = "50ms"
backoff_max = "50ms"
[[relay.group]]
name = "once"
attempts_max = 1
[[relay.code]]
name = "ORDER"
group = "orders"
endpoint = "shop"
[[relay.code]]
name = "ONCE"
group = "once"
endpoint = "once"
[[relay.endpoint]]
name = "shop"
url = "http://{receiver}/"
breaker_failures = 2
breaker_pause = "50ms"
breaker_pause_max = "50ms"
[[relay.endpoint]]
name = "once"
url = "http://{receiver}/"
breaker_failures = 0
[[relay.endpoint]]
name = "hook"
url = "http://{hook}/"
[[relay.endpoint]]
name = "queue"
destination = "queue/alarms"
[[relay.window]]
name = "old"
zone = "UTC"
weekly = ["mon-sun 00:00-24:00"]
valid_until = "2026-01-01"
after_valid_until = "weekly"
[[relay.alarm]]
endpoint = "hook"
severity = "error"
[[relay.alarm]]
endpoint = "queue"
{RULES}"#
    )
}

impl Watched {
    fn start() -> Watched {
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        let (receiver, hook) = (Taker::start(), Taker::start());
        let node = Server::start_with_config(&text(&url, receiver.address(), hook.address()));
        Watched { node, receiver, hook, url }
    }

    fn command(&self, arguments: &str) -> Value {
        posthouse(&self.node.data_dir(), &format!("relay {arguments} -o json")).json()
    }

    fn is_on(&self, rule: &str) -> bool {
        let alarms = self.command("alarm list");
        alarms.as_array().is_some_and(|all| all.iter().any(|alarm| alarm["rule"] == rule))
    }

    fn await_on(&self, rule: &str) {
        await_until(&format!("{rule} begins"), PATIENCE, || self.is_on(rule));
    }

    fn await_off(&self, rule: &str) {
        await_until(&format!("{rule} ends"), PATIENCE, || !self.is_on(rule));
    }

    /// The rule is broken by the one statement, and kept again by the other.
    fn check_by_rows(&self, rule: &str, wrong: &str, right: &str) {
        run(&self.url, wrong);
        self.await_on(rule);
        run(&self.url, right);
        posthouse(&self.node.data_dir(), "relay poke").ok();
        self.await_off(rule);
    }

    fn told(&self, rule: &str, edge: &str) -> usize {
        let told = |body: &&String| {
            let body: Value = serde_json::from_str(body).expect("it is JSON");
            body["rule"] == rule && body["edge"] == edge && body["source"] == "platform"
        };
        self.hook.bodies().iter().filter(told).count()
    }
}

const INSERT: &str = "INSERT INTO relay_request (id, code, business_id, body)";

#[test]
fn what_rows_are_wrong_with_begins_and_ends() {
    let watched = Watched::start();
    let unknown = format!("{INSERT} VALUES (1, 'NOPE', 'k', 'x')");
    run(&watched.url, &unknown);
    watched.await_on("unknown");
    posthouse(&watched.node.data_dir(), "relay cancel 1 --yes").ok();
    watched.await_off("unknown");
    run(&watched.url, &format!("{INSERT} VALUES (2, 'ORDER', 'k', 'x')"));
    let odd = "INSERT INTO relay_request (id, code, business_id, headers, body) \
               VALUES (3, 'ORDER', 'l', 'no json', 'x')";
    run(&watched.url, odd);
    watched.await_on("unreadable");
    posthouse(&watched.node.data_dir(), "relay cancel 3 --yes").ok();
    watched.await_off("unreadable");
}

#[test]
fn an_endpoint_that_fails_is_an_alarm_until_it_works() {
    let watched = Watched::start();
    watched.receiver.refuse(true);
    run(&watched.url, &format!("{INSERT} VALUES (1, 'ORDER', 'k', 'x')"));
    for rule in ["endpoint-down", "claimable-age", "no-progress"] {
        watched.await_on(rule);
    }
    watched.receiver.refuse(false);
    for rule in ["endpoint-down", "claimable-age", "no-progress"] {
        watched.await_off(rule);
    }
    let told = || {
        watched.told("endpoint-down", "begins") == 1 && watched.told("endpoint-down", "ends") == 1
    };
    await_until("the webhook is told of both", PATIENCE, told);
    let past = watched.command("alarm past");
    let edges = past.as_array().expect("it is a list").iter();
    let edges = edges.filter(|past| past["rule"] == "endpoint-down");
    let edges: Vec<&str> = edges.filter_map(|past| past["edge"].as_str()).collect();
    assert_eq!(edges, ["ends", "begins"], "{past}");
    let log = watched.node.log();
    assert_eq!(
        log.matches("an alarm begins source=\"platform\" rule=\"endpoint-down\"").count(),
        1,
        "{log}"
    );
}

#[test]
fn what_waits_for_an_operator_is_told_everywhere() {
    let watched = Watched::start();
    watched.hook.refuse(true);
    watched.receiver.refuse(true);
    run(&watched.url, &format!("{INSERT} VALUES (1, 'ONCE', 'k', 'x')"));
    watched.await_on("blocked-keys");
    let metrics = || {
        let address = watched.node.http();
        http(address, "GET /metrics", &["Host: localhost"], "").1
    };
    let line = "posthouse_relay_alarm{source=\"platform\",rule=\"blocked-keys\",\
                severity=\"error\",subject=\"once\"} 1";
    assert!(metrics().contains(line), "{}", metrics());
    posthouse(&watched.node.data_dir(), "relay skip 1 --yes").ok();
    watched.await_off("blocked-keys");
    assert!(!metrics().contains("rule=\"blocked-keys\""));
    watched.hook.refuse(false);
    let told =
        || watched.told("blocked-keys", "begins") == 1 && watched.told("blocked-keys", "ends") == 1;
    await_until("a webhook that was down is told later", PATIENCE, told);
    await_until("so is the queue, of warnings too", PATIENCE, || {
        let browsed = posthouse(&watched.node.data_dir(), "queue browse alarms -o json").out;
        browsed.contains("blocked-keys") && browsed.contains("calendar-ends")
    });
    assert_eq!(watched.told("calendar-ends", "begins"), 0, "it takes errors only");
}

#[test]
fn a_database_that_is_gone_is_an_alarm_until_it_is_back() {
    let watched = Watched::start();
    watched.check_by_rows(
        "log-size",
        "INSERT INTO relay_request (id, code, business_id, body) \
         VALUES (9, 'ORDER', 'k', zeroblob(2000000))",
        "DELETE FROM relay_request WHERE id = 9; PRAGMA wal_checkpoint(TRUNCATE)",
    );
    let path = watched.url.trim_start_matches("sqlite:").to_owned();
    let aside = format!("{path}-aside");
    fs::rename(&path, &aside).expect("it can be put aside");
    watched.await_on("trouble");
    fs::rename(&aside, &path).expect("it can be put back");
    watched.await_off("trouble");
}

#[test]
fn limits_are_shown_and_change_while_running() {
    let mut watched = Watched::start();
    let limit = |watched: &Watched| {
        let rules = watched.command("rule list");
        let rules = rules.as_array().expect("it is a list").iter();
        let mut rules = rules.filter(|rule| rule["name"] == "calendar-ends");
        rules.next().expect("it is there")["active"].clone()
    };
    assert_eq!(limit(&watched), true);
    watched.await_on("calendar-ends");
    let text = text(&watched.url, watched.receiver.address(), watched.hook.address());
    watched
        .node
        .reconfigure(&format!("{text}[[relay.rule]]\nname = \"calendar-ends\"\nactive = false\n"));
    await_until("it is off", PATIENCE, || limit(&watched) == false);
    watched.await_off("calendar-ends");
}
