//! Receivers that are found by a discovery: requests follow what it says, while it is changed, dead
//! and emptied, and what operators drain.

use std::fs;

use posthouse_net::fixture::EtcdServer;
use posthouse_relay::source::schema;
use serde_json::Value;

use super::clock::await_until;
use super::database::{number, run, runtime};
use super::receiver::Receiver;
use super::scene::PATIENCE;
use super::stage::NOBODY;
use crate::command::{Done, http, posthouse};
use crate::server::{Server, fresh_dir};

/// A node whose requests go to the instances of `orders`.
struct Scene {
    url: String,
    node: Server,
}

fn config(url: &str, discovery: &str, endpoint: &str) -> String {
    format!(
        r#"
[relay]
check_every = "50ms"
[[relay.rule]]
name = "stale-instances"
limit = "100ms"
clear = "0s"
[[relay.source]]
name = "platform"
url = "{url}"
lease = "1s"
round = "100ms"
[[relay.group]]
name = "orders"
backoff = "50ms"
backoff_max = "200ms"
[[relay.code]]
name = "ORDER"
group = "orders"
endpoint = "receivers"
[[relay.endpoint]]
name = "receivers"
url = "http://{{instance}}/{{code}}"
allow = ["127.0.0.1/32"]
breaker_failures = 0
discovery = "registry"
{endpoint}
[[relay.discovery]]
name = "registry"
{discovery}
"#
    )
}

impl Scene {
    fn start(discovery: &str, endpoint: &str) -> Scene {
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        let node = Server::start_with_config(&config(&url, discovery, endpoint));
        Scene { url, node }
    }

    fn write(&self, count: usize) {
        for _ in 0..count {
            run(&self.url, "INSERT INTO relay_request (code, body) VALUES ('ORDER', '')");
        }
    }

    /// Waits until all that was written is done.
    fn await_done(&self) {
        let open = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state <> 3";
        await_until("all is done", PATIENCE, || number(&self.url, open) == 0);
    }

    fn relay(&self, arguments: &str) -> Done {
        posthouse(&self.node.data_dir(), &format!("relay {arguments}"))
    }

    fn json(&self, arguments: &str) -> Value {
        self.relay(&format!("{arguments} -o json")).json()
    }

    /// The instances with their states, in their order.
    fn instances(&self) -> Vec<String> {
        let list = self.json("instance list");
        let of = |row: &Value| format!("{} {}", text(&row["name"]), text(&row["state"]));
        list.as_array().expect("a list").iter().map(of).collect()
    }

    fn await_instances(&self, expected: &[String]) {
        await_until("the instances are known", PATIENCE, || self.instances() == expected);
    }

    /// Waits until a rule is an alarm for the service, or is none any more.
    fn await_alarm(&self, rule: &str, is_on: bool) {
        let is = |alarm: &Value| alarm["rule"] == rule && alarm["subject"] == "orders";
        await_until(rule, PATIENCE, || {
            let alarms = self.json("alarm list");
            alarms.as_array().is_some_and(|all| all.iter().any(is)) == is_on
        });
    }

    fn standing(&self) -> String {
        text(&self.json("discovery show registry/orders")["state"])
    }

    fn await_standing(&self, expected: &str) {
        await_until(expected, PATIENCE, || self.standing() == expected);
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn kind_receiver() -> Receiver {
    let receiver = Receiver::start(1);
    receiver.be_kind();
    receiver
}

fn up(receiver: &Receiver) -> String {
    format!("{} up", receiver.address())
}

/// Two receivers, and an etcd that knows of them what it is told.
struct Pair {
    scene: Scene,
    etcd: EtcdServer,
    first: Receiver,
    second: Receiver,
    discovery: String,
}

impl Pair {
    /// The first one is registered.
    fn start() -> Pair {
        let etcd = EtcdServer::start().expect("etcd starts");
        let discovery = format!(
            "kind = \"etcd\"\nservers = [\"http://{}\"]\npath = \"/services/{{service}}/\"\n\
             refresh = \"500ms\"",
            etcd.address()
        );
        let (first, second) = (kind_receiver(), kind_receiver());
        register(&etcd, "a", &first);
        let scene = Scene::start(&discovery, "instances_of = \"orders\"");
        scene.await_instances(&[up(&first)]);
        Pair { scene, etcd, first, second, discovery }
    }

    /// Both are.
    fn start_both() -> Pair {
        let pair = Pair::start();
        register(&pair.etcd, "b", &pair.second);
        await_until("both are known", PATIENCE, || pair.scene.instances().len() == 2);
        pair
    }

    /// Writes requests, and answers how many calls each receiver has had when they are done.
    fn calls_after(&self, count: usize) -> (usize, usize) {
        self.scene.write(count);
        self.scene.await_done();
        (self.first.count(), self.second.count())
    }

    fn drain(&self) {
        let drained = self.scene.json(&format!("instance drain {}", self.second.address()));
        assert_eq!((&drained["services"], &drained["changed"]), (&1.into(), &1.into()));
    }
}

fn register(etcd: &EtcdServer, key: &str, receiver: &Receiver) {
    let value = receiver.address().to_string();
    etcd.put(&format!("/services/orders/{key}"), &value).expect("it is registered");
}

#[test]
fn requests_follow_what_the_discovery_says() {
    let pair = Pair::start();
    assert_eq!(pair.calls_after(5), (5, 0));
    register(&pair.etcd, "a", &pair.second);
    pair.scene.await_instances(&[up(&pair.second)]);
    assert_eq!(pair.calls_after(5), (5, 5));
}

#[test]
fn what_is_drained_gets_nothing_new_until_it_is_let_work_again() {
    let mut pair = Pair::start_both();
    assert_eq!(pair.calls_after(6), (3, 3));
    pair.drain();
    assert_eq!(pair.calls_after(5), (8, 3));
    let second = pair.second.address();
    let shown = pair.scene.json(&format!("instance show {second} --service orders"));
    assert_eq!(shown[0]["state"], "drained");

    // A configuration that changes something else changes nothing about that.
    let endpoint = "instances_of = \"orders\"\ntimeout = \"7s\"";
    let text = config(&pair.scene.url, &pair.discovery, endpoint);
    let node = &mut pair.scene.node;
    node.reconfigure(&text);
    await_until("the configuration is read again", PATIENCE, || {
        node.log().contains("read the configuration again")
    });
    let begun = node.log().matches("the instances of a service are known").count();
    assert_eq!(begun, 1, "the discovery has begun anew: {}", node.log());
    assert_eq!(pair.calls_after(5), (13, 3));

    pair.scene.relay(&format!("instance undrain {second}")).ok();
    let (first, second) = pair.calls_after(6);
    assert!(first + second == 22 && second > 3, "it does not work again: {second}");
    assert_eq!(pair.scene.relay("instance drain 10.9.9.9:1").code, 4);
    assert_eq!(pair.scene.relay("discovery show registry/nobody").code, 4);
}

#[test]
fn a_discovery_that_is_dead_or_emptied_keeps_its_last_good_list_and_tells() {
    let mut pair = Pair::start_both();
    pair.drain();
    pair.etcd.kill().expect("it can be killed");
    pair.scene.await_standing("kept");
    pair.scene.await_alarm("stale-instances", true);
    assert_eq!(pair.calls_after(5), (5, 0));
    let (_, metrics) = http(pair.scene.node.http(), "GET /metrics", &["host: localhost"], "");
    let alarm = "posthouse_relay_discovery_alarm{discovery=\"registry\",service=\"orders\"} 1";
    assert!(metrics.contains(alarm), "{metrics}");
    assert!(metrics.contains("service=\"orders\",state=\"drained\"} 1"), "{metrics}");
    assert_eq!(pair.scene.node.log().matches("the last known instances").count(), 1);

    pair.etcd.restart().expect("it starts again");
    pair.scene.await_standing("fresh");
    pair.scene.await_alarm("stale-instances", false);
    // The list may be seen in between: the one that is not drained goes last.
    for key in ["b", "a"] {
        pair.etcd.delete(&format!("/services/orders/{key}")).expect("it is removed");
    }
    pair.scene.await_standing("kept");
    assert_eq!(pair.calls_after(5), (10, 0));
}

#[test]
fn an_instance_that_takes_no_connection_costs_no_attempt() {
    let receiver = kind_receiver();
    let closed = NOBODY;
    let file = fresh_dir().join("instances.toml");
    fs::write(&file, format!("orders = [\"{closed}\", \"{}\"]", receiver.address()))
        .expect("it is written");
    let discovery = format!("kind = \"file\"\nfile = \"{}\"", file.display());
    let scene = Scene::start(&discovery, "instances_of = \"{service}\"\nservice = \"orders\"");
    scene.write(8);
    scene.await_done();
    let tried = "SELECT CAST(max(attempts) AS TEXT) FROM relay_request";
    assert_eq!((receiver.count(), number(&scene.url, tried)), (8, 1));
    let shown = scene.json(&format!("instance show {closed}"));
    assert_eq!(shown[0]["state"], "aside");

    // Nobody is healthy: requests wait with a reason, and go when somebody is.
    let disabled = format!(
        "orders = [{{ host = \"127.0.0.1\", port = {}, enabled = false }}]",
        receiver.address().port()
    );
    fs::write(&file, disabled).expect("it is written");
    scene.await_standing("unhealthy");
    scene.write(1);
    let told = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE last_error LIKE \
                '%no instance of orders can be called: no instance of it is healthy%'";
    await_until("the reason is told", PATIENCE, || number(&scene.url, told) == 1);
    fs::write(&file, format!("orders = [\"{}\"]", receiver.address())).expect("it is written");
    scene.await_done();
}

#[test]
fn what_a_discovery_says_does_not_open_the_guard() {
    let file = fresh_dir().join("instances.toml");
    fs::write(&file, "orders = [\"169.254.169.254:80\"]").expect("it is written");
    let discovery = format!("kind = \"file\"\nfile = \"{}\"", file.display());
    let scene = Scene::start(&discovery, "instances_of = \"orders\"");
    scene.write(1);
    let told = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state = 0 AND last_error \
                LIKE '%169.254.169.254%allow-list%'";
    await_until("the guard refuses", PATIENCE, || number(&scene.url, told) == 1);
}

#[test]
fn by_key_each_business_id_goes_to_one_instance() {
    let receivers = [kind_receiver(), kind_receiver()];
    let file = fresh_dir().join("instances.toml");
    let [first, second] = receivers.each_ref().map(Receiver::address);
    fs::write(&file, format!("orders = [\"{first}\", \"{second}\"]")).expect("it is written");
    let discovery = format!("kind = \"file\"\nfile = \"{}\"", file.display());
    let scene = Scene::start(&discovery, "instances_of = \"orders\"\nbalance = \"by-key\"");
    for request in 0..60 {
        let key = request % 20;
        let text = "INSERT INTO relay_request (code, business_id, body) VALUES ('ORDER',";
        run(&scene.url, &format!("{text} 'k{key}', '')"));
    }
    scene.await_done();
    let keys = receivers.each_ref().map(|receiver| {
        let calls = receiver.calls().into_iter();
        calls.filter_map(|call| call.sender.key).collect::<std::collections::BTreeSet<String>>()
    });
    assert!(keys.iter().all(|keys| keys.len() > 2), "one has nearly nothing: {keys:?}");
    assert_eq!(keys[0].len() + keys[1].len(), 20, "some went to both: {keys:?}");
}
