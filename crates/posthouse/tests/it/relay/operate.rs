//! Operating the relay: what operators see and decide, with the real binary, a database file, and
//! a receiver that can be told to refuse.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::taker::Taker;
use crate::command::{Done, http, posthouse};
use crate::server::{Server, fresh_dir};

/// How long something may take that the relay does by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node with one source, and where its requests go.
struct Scene {
    server: Server,
    receiver: Taker,
    dir: PathBuf,
}

impl Scene {
    fn start() -> Scene {
        Scene::start_by("none")
    }

    /// In an order of its own.
    fn start_by(settle: &str) -> Scene {
        let receiver = Taker::start();
        let dir = fresh_dir();
        let url = format!("sqlite:{}", dir.join("requests.db").display());
        posthouse(&dir, &format!("relay init --url {url}")).ok();
        let server = Server::start_with_config(&configuration(&url, receiver.address(), settle));
        Scene { server, receiver, dir }
    }

    fn run(&self, arguments: &str) -> Done {
        posthouse(&self.server.data_dir(), &format!("relay {arguments}"))
    }

    fn json(&self, arguments: &str) -> Value {
        self.run(&format!("{arguments} -o json")).json()
    }

    /// Writes a request, and answers its number.
    fn submit(&self, arguments: &str) -> i64 {
        let url = format!("sqlite:{}", self.dir.join("requests.db").display());
        let submitted = self.json(&format!("submit --url {url} {arguments}"));
        submitted["id"].as_i64().expect("it has a number")
    }

    /// Decides something; the node knows of it when it answers.
    fn decide(&self, arguments: &str) {
        let decided = self.json(arguments)["version"].as_i64();
        let known = self.json("source show")["control_version"].as_i64();
        assert!(decided.is_some() && known >= decided, "{arguments}: {decided:?}, {known:?}");
    }

    fn row(&self, id: i64) -> Value {
        self.json(&format!("row show {id}"))
    }

    /// Waits until a request has come into a state.
    fn await_state(&self, id: i64, state: &str) {
        self.await_row(id, |row| row["state"] == state);
    }

    /// Waits until a request says that it waits for this.
    fn await_reason(&self, id: i64, reason: &str) {
        self.await_row(id, |row| {
            row["waits"].as_array().is_some_and(|all| all.iter().any(|w| w["reason"] == reason))
        });
    }

    fn await_row(&self, id: i64, is_so: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let row = self.row(id);
            if is_so(&row) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not come to that: {row}");
        }
    }

    /// A command that fails with this exit code and says this word.
    fn fails(&self, arguments: &str, code: i32, word: &str) {
        let done = self.run(arguments);
        assert_eq!(done.code, code, "{arguments}: {done:?}");
        assert!(done.err.contains(word), "{arguments}: {done:?}");
    }
}

fn configuration(url: &str, receiver: &str, settle: &str) -> String {
    format!(
        r#"
        [[relay.source]]
        name = "platform"
        url = "{url}"
        round = "50ms"
        settle = "{settle}"

        [[relay.group]]
        name = "orders"
        attempts_max = 1

        [[relay.group]]
        name = "closed"
        window = "past"

        [[relay.group]]
        name = "abroad"
        region = "north"

        [[relay.code]]
        name = "far"
        group = "abroad"
        endpoint = "shop"

        [[relay.code]]
        name = "order"
        group = "orders"
        endpoint = "shop"

        [[relay.code]]
        name = "late"
        group = "closed"
        endpoint = "shop"

        [[relay.endpoint]]
        name = "shop"
        url = "http://{receiver}/"
        allow = ["127.0.0.1"]
        breaker_failures = 0

        [[relay.window]]
        name = "past"
        zone = "UTC"
        weekly = ["mon-sun 00:00-24:00"]
        valid_until = "2020-01-01"
        "#
    )
}

#[test]
fn a_blocked_key_waits_until_somebody_decides() {
    let scene = Scene::start();
    scene.receiver.refuse(true);
    let (one, two) = (scene.submit("order one --key k"), scene.submit("order two --key k"));
    scene.await_state(one, "blocked");
    let blocked = scene.json("blocked list");
    assert_eq!((&blocked[0]["key"], &blocked[0]["depth"]), (&"k".into(), &2.into()), "{blocked}");
    assert_eq!(scene.json("blocked show k")["id"], one);
    scene.fails("blocked show l", 4, "PH1403");
    scene.await_reason(two, "key blocked");
    scene.receiver.refuse(false);
    scene.run(&format!("retry {one}")).ok();
    scene.await_state(two, "done");
    assert_eq!(scene.receiver.bodies(), ["one", "two"]);
    assert_eq!(scene.json("blocked list"), Value::Array(vec![]));
}

#[test]
fn numbers_of_writers_decide_what_is_next() {
    let scene = Scene::start_by("key_seq");
    let three = scene.submit("order three --key k --key-seq 3");
    let one = scene.submit("order one --key k --key-seq 1");
    scene.await_state(one, "done");
    scene.await_reason(three, "number missing");
    assert_eq!(scene.row(three)["key_seq"], 3);
    let two = scene.submit("order two --key k --key-seq 2");
    scene.await_state(three, "done");
    scene.await_state(two, "done");
    assert_eq!(scene.receiver.bodies(), ["one", "two", "three"]);
}

#[test]
fn what_is_given_up_lets_its_key_go_on() {
    let scene = Scene::start();
    scene.receiver.refuse(true);
    let ids: Vec<i64> =
        ["one", "two", "three"].map(|body| scene.submit(&format!("order {body} --key k"))).into();
    scene.await_state(ids[0], "blocked");
    scene.fails(&format!("skip {}", ids[0]), 2, "PH1341");
    assert_eq!(scene.row(ids[0])["state"], "blocked", "nothing was done unasked");
    scene.run(&format!("skip {} --yes", ids[0])).ok();
    scene.await_state(ids[1], "blocked");
    scene.run(&format!("cancel {} -y", ids[1])).ok();
    scene.await_state(ids[2], "blocked");
    scene.receiver.refuse(false);
    scene.run("retry --key k").ok();
    scene.await_state(ids[2], "done");
    assert_eq!(scene.row(ids[0])["state"], "failed");
    assert_eq!(scene.row(ids[1])["state"], "cancelled");
    scene.run(&format!("replay {} {}", ids[0], ids[1])).ok();
    scene.await_state(ids[1], "done");
    assert_eq!(scene.receiver.bodies(), ["three", "one", "two"]);
    scene.fails("retry --key k", 4, "PH1403");
    scene.fails("skip --key k --yes", 4, "PH1403");
    scene.fails(&format!("cancel {} -y", ids[0]), 6, "PH1406");
}

#[test]
fn of_a_business_id_only_what_is_blocked_is_skipped() {
    let scene = Scene::start();
    scene.receiver.refuse(true);
    let ids: Vec<i64> =
        ["one", "two"].map(|body| scene.submit(&format!("order {body} --key k"))).into();
    scene.await_state(ids[0], "blocked");
    scene.receiver.refuse(false);
    scene.run("skip --key k --yes").ok();
    scene.await_state(ids[1], "done");
    assert_eq!(scene.row(ids[0])["state"], "failed");
    scene.fails("skip 1 --all --yes", 2, "cannot be used with");
    scene.receiver.refuse(true);
    let ids: Vec<i64> =
        ["three", "four"].map(|body| scene.submit(&format!("order {body} --key k"))).into();
    scene.await_state(ids[0], "blocked");
    scene.run("skip --key k --all --yes").ok();
    let states = ids.iter().map(|id| scene.row(*id)["state"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["failed", "failed"]);
}

#[test]
fn what_can_be_done_in_part_is_told() {
    let scene = Scene::start();
    let done = scene.submit("order one");
    scene.await_state(done, "done");
    let late = scene.submit("late two");
    let answer = scene.run(&format!("cancel {done} {late} --yes -o json"));
    assert_eq!(answer.code, 3, "{answer:?}");
    let changed: Value = serde_json::from_str(&answer.out).expect("it is JSON");
    assert_eq!(changed["changed"], Value::from(vec![late]));
    assert_eq!(changed["unchanged"], Value::from(vec![done]));
    assert!(answer.err.contains("PH1406"), "{answer:?}");
}

#[test]
fn groups_are_switched() {
    let scene = Scene::start();
    scene.decide("group off orders");
    let group = scene.json("group show orders");
    assert_eq!((&group["active"], &group["configured"]), (&false.into(), &true.into()));
    let one = scene.submit("order one");
    scene.await_reason(one, "group off");
    scene.run("group on orders").ok();
    scene.await_state(one, "done");
    assert_eq!(scene.json("group show orders")["switched"], true);
    scene.run("group reset orders").ok();
    assert_eq!(scene.json("group show orders")["switched"], Value::Null);
    scene.fails("group off nothing", 4, "PH1405");
    scene.fails("group show nothing", 4, "PH1405");
}

#[test]
fn a_group_of_another_region_is_not_sent_whatever_its_switch_says() {
    let scene = Scene::start();
    let far = scene.submit("far one");
    scene.await_reason(far, "other region");
    let switched = scene.run("group on abroad");
    assert_eq!(switched.code, 0, "{switched:?}");
    for word in ["for relays of the region \"north\"", "nothing of it is sent here"] {
        assert!(switched.err.contains(word), "{word}: {switched:?}");
    }
    scene.decide("group on orders");
    let near = scene.submit("order two");
    scene.await_state(near, "done");
    scene.await_reason(far, "other region");
    assert_eq!(scene.receiver.bodies(), ["two"]);
    let group = scene.json("group show abroad");
    assert_eq!((&group["foreign"], &group["region"]), (&true.into(), &"north".into()), "{group}");
    assert_eq!((&group["active"], &group["switched"]), (&false.into(), &true.into()), "{group}");
    assert_eq!(scene.json("group show orders")["foreign"], false);
    let list = scene.run("group list").ok();
    assert!(list.lines().next().is_some_and(|head| head.contains("FOREIGN")), "{list}");
}

#[test]
fn holds_last_until_they_are_let_go() {
    let scene = Scene::start();
    for (kind, name) in [("key", "k"), ("code", "order"), ("endpoint", "shop")] {
        scene.decide(&format!("hold {kind} {name}"));
        assert_eq!(scene.json("hold list")[0]["name"], name);
        let id = scene.submit(&format!("order {kind} --key k"));
        scene.await_reason(id, "held");
        scene.run(&format!("release {kind} {name}")).ok();
        scene.await_state(id, "done");
        scene.fails(&format!("release {kind} {name}"), 4, "PH1405");
    }
    assert_eq!(scene.receiver.bodies(), ["key", "code", "endpoint"]);
    scene.fails("hold code nothing", 4, "PH1405");
    scene.fails("hold endpoint nothing", 4, "PH1405");
}

#[test]
fn windows_and_times_keep_requests_waiting() {
    let scene = Scene::start();
    let late = scene.submit("late one --expires 1h");
    scene.await_reason(late, "window shut");
    let list = scene.run("row list").ok();
    assert!(list.contains(" +00:00"), "its expiry is a date: {list}");
    assert!(scene.json("row list")[0]["expires_ms"].is_i64(), "and a number for programs");
    let window = scene.json("window show past");
    assert_eq!(window["open"], false, "{window}");
    assert!(window["days_left"].as_i64().is_some_and(|days| days < 0), "{window}");
    let due = scene.submit("order two --due 1h --priority 9 -H colour:red");
    scene.await_reason(due, "due later");
    assert_eq!(scene.row(due)["headers"]["colour"], "red");
    assert_eq!(scene.row(due)["body"], "two");
    let expired = scene.submit("late three --expires 0s");
    scene.await_state(expired, "expired");
    let unknown = scene.submit("nonsense four");
    scene.await_reason(unknown, "code unknown");
    let open = scene.json("row list --state open");
    let ids: Vec<i64> = open.as_array().into_iter().flatten().filter_map(id).collect();
    assert_eq!(ids, [unknown, due, late]);
    assert_eq!(scene.json("row list --code late --limit 1").as_array().map(Vec::len), Some(1));
    assert_eq!(scene.receiver.bodies(), Vec::<String>::new());
}

fn id(row: &Value) -> Option<i64> {
    row["id"].as_i64()
}

#[test]
fn sources_are_looked_at() {
    let scene = Scene::start();
    let one = scene.submit("order one");
    scene.run("poke").ok();
    scene.await_state(one, "done");
    let source = scene.json("source show");
    assert_eq!((&source["name"], &source["state"]), (&"platform".into(), &"working".into()));
    assert_eq!(scene.json("source show platform")["database"], "sqlite");
    assert_eq!(scene.json("code show order")["done"], 1);
    assert_eq!(scene.json("endpoint show shop")["breaker"], "closed");
    scene.run("bucket set 4").ok();
    let deadline = Instant::now() + PATIENCE;
    while scene.json("node list")[0]["buckets"] != 4 {
        assert!(Instant::now() < deadline, "{}", scene.json("bucket list"));
    }
    assert_eq!(scene.json("bucket show 0")["ours"], true);
    let list = scene.run("source list").ok();
    assert!(list.starts_with("NAME"), "{list}");
    let csv = scene.run("row list -o csv").ok();
    assert!(csv.starts_with("id,state,code,key,"), "{csv}");
    let shown = scene.run(&format!("row show {one}")).ok();
    assert!(shown.contains("body"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("done") && line.ends_with(" +00:00")));
    check_metrics(&scene.server);
}

fn check_metrics(server: &Server) {
    let (_, text) = http(server.http(), "GET /metrics", &["Host: localhost"], "");
    let labels = "source=\"platform\",group=\"orders\",code=\"order\"";
    for line in [
        &format!("posthouse_relay_done_total{{{labels}}} 1"),
        "posthouse_relay_trouble{source=\"platform\"} 0",
        "posthouse_relay_endpoint_down{source=\"platform\",endpoint=\"shop\"} 0",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn wrong_words_have_their_exit_codes() {
    let scene = Scene::start();
    scene.fails("source show nothing", 4, "PH1402");
    scene.fails("row list --source nothing", 4, "PH1402");
    scene.fails("row show 99", 4, "PH1403");
    scene.fails("retry 99", 4, "PH1403");
    scene.fails("row list --state sleeping", 2, "PH1326");
    scene.fails("retry", 2, "required");
    scene.fails("retry x", 2, "invalid value");
    scene.fails("bucket set 0", 2, "PH1326");
    scene.fails("bucket show 99", 4, "PH1405");
    scene.fails("submit order x --url mysql:x", 8, "PH1401");
    scene.fails("submit order x", 2, "PH1402");
    scene.fails("row show 99 -o json", 4, "{\"code\":\"PH1403\"");
}

#[test]
fn sources_are_checked_without_a_node() {
    let dir = fresh_dir();
    let url = format!("sqlite:{}", dir.join("requests.db").display());
    let config = dir.join("relay.toml");
    std::fs::write(&config, configuration(&url, "127.0.0.1:1", "none")).expect("it can be written");
    let check = |code: i32, fit: bool| {
        let arguments = format!("relay check --config {} -o json", config.display());
        let done = posthouse(&dir, &arguments);
        assert_eq!(done.code, code, "{done:?}");
        let rows: Value = serde_json::from_str(&done.out).expect("it is JSON");
        assert_eq!(rows[0]["fit"], fit, "{rows}");
    };
    posthouse(&dir, &format!("relay init --url {url}")).ok();
    check(0, true);
    std::fs::write(dir.join("requests.db"), "no database").expect("it can be written");
    check(8, false);
}

#[test]
fn what_is_submitted_is_checked_by_the_configuration_at_hand() {
    let dir = fresh_dir();
    let url = format!("sqlite:{}", dir.join("requests.db").display());
    let config = dir.join("relay.toml");
    std::fs::write(&config, configuration(&url, "127.0.0.1:1", "none")).expect("it can be written");
    posthouse(&dir, &format!("relay init --url {url}")).ok();
    let submit =
        |rest: &str| posthouse(&dir, &format!("relay submit {rest} --config {}", config.display()));
    let refused = |rest: &str, code: i32, told: &str| {
        let done = submit(rest);
        assert_eq!(done.code, code, "{done:?}");
        assert!(done.err.contains(told), "{done:?}");
    };
    refused("order x --source other", 2, "has no source \"other\", but");
    refused("ordre x", 4, "has no code \"ordre\"");
    refused("order x --window never", 4, "has no window \"never\"");
    submit("order x").ok();
    posthouse(&dir, &format!("relay submit ordre x --url {url}")).ok();
    let bare = posthouse(&dir, "relay submit order x");
    assert!(bare.err.contains("the configuration has no relay source"), "{bare:?}");
}

#[test]
fn a_node_without_a_relay_says_so() {
    let server = Server::start(&[]);
    let none = posthouse(&server.data_dir(), "relay source list -o json");
    assert_eq!(none.json(), Value::Array(vec![]));
    let lost = posthouse(&server.data_dir(), "relay group list");
    assert_eq!(lost.code, 4, "{lost:?}");
    assert!(lost.err.contains("PH1402"), "{lost:?}");
}
