//! The command line against a running node: output, formats, exit codes.

use std::io::Write;

use crate::command::{posthouse, read_until, stomp};
use crate::server::Server;

const THREE: [&str; 3] = [
    "SEND\ndestination:/queue/orders\npersistent:true\ncolour:red\n\none",
    "SEND\ndestination:/queue/orders\npersistent:true\ncolour:blue\n\ntwo",
    "SEND\ndestination:/queue/answers\n\nthree",
];

fn check(server: &Server, arguments: &str, code: i32, expected: &str) {
    let done = posthouse(&server.data_dir(), arguments);
    assert_eq!((done.code, done.out.as_str()), (code, expected), "{arguments}: {}", done.err);
}

#[test]
fn queues_are_listed_in_every_format() {
    let server = Server::start(&[]);
    check(&server, "queue list", 0, "");
    check(&server, "queue list -o json", 0, "[]\n");
    drop(stomp(server.stomp(), &THREE));
    let list = posthouse(&server.data_dir(), "queue list --sort -messages").ok();
    let words: Vec<&str> = list.split_whitespace().take(7).collect();
    assert_eq!(words, ["NAME", "MESSAGES", "READY", "UNACKED", "DELAYED", "BYTES", "CONSUMERS"]);
    let names: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["NAME", "orders", "answers"]);
    let rows = posthouse(&server.data_dir(), "-o json queue list --filter ord").json();
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(rows[0]["messages"], 2);
    let lines = posthouse(&server.data_dir(), "queue list -o jsonl").ok();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    let csv = posthouse(&server.data_dir(), "queue list -o csv --limit 1").ok();
    let head = "name,messages,ready,unacknowledged,delayed,bytes,consumers\nanswers,1,1,0,0,";
    assert!(csv.starts_with(head), "{csv}");
}

#[test]
fn queues_are_looked_into_and_emptied() {
    let server = Server::start(&[]);
    drop(stomp(server.stomp(), &THREE));
    let dir = server.data_dir();
    let bodies = |arguments: &str| -> Vec<String> {
        let rows = posthouse(&dir, arguments).json();
        let rows = rows.as_array().expect("a list").clone();
        rows.iter().map(|row| row["body"].as_str().expect("a text").to_owned()).collect()
    };
    assert_eq!(bodies("queue browse orders -o json"), ["one", "two"]);
    assert_eq!(bodies("queue browse /queue/orders --limit 1 -o json"), ["one"]);
    assert_eq!(bodies("queue browse orders --selector colour='blue' -o json"), ["two"]);
    check(&server, "queue purge orders", 2, "");
    assert_eq!(bodies("queue browse orders -o json").len(), 2, "nothing was done unasked");
    check(&server, "queue purge orders --yes -o jsonl", 0, "{\"messages\":2}\n");
    check(&server, "queue browse orders -o json", 0, "[]\n");
    posthouse(&dir, "pub /queue/orders x --count 2").ok();
    check(&server, "queue delete orders --yes -o jsonl", 0, "{\"messages\":2}\n");
    check(&server, "queue show orders", 4, "");
}

#[test]
fn what_a_limit_leaves_out_is_told() {
    let server = Server::start(&[]);
    drop(stomp(server.stomp(), &THREE));
    let told = |arguments: &str| {
        let done = posthouse(&server.data_dir(), arguments);
        assert_eq!(done.code, 0, "{arguments}: {done:?}");
        done.err
    };
    let first = "these are the first 1; --limit shows more\n";
    assert_eq!(told("queue browse orders --limit 1"), first);
    assert_eq!(told("queue browse orders --limit 2"), "");
    assert_eq!(told("queue list --limit 1"), first);
    assert_eq!(told("queue list --limit 2"), "");
}

#[test]
fn a_send_that_fails_half_way_says_how_far_it_came() {
    let server = Server::start_with_config(FULL);
    let done = posthouse(&server.data_dir(), "pub /queue/full x --count 3");
    assert_eq!(done.code, 6, "{done:?}");
    assert!(done.err.contains(" of 3 messages before it failed"), "{done:?}");
}

const FULL: &str =
    "[[destination]]\npattern = \"queue/full\"\nmessages_max = 1\nwhen_full = \"reject\"\n";

#[test]
fn dead_letters_go_back_where_they_came_from() {
    let server = Server::start(&[]);
    let mut peer = stomp(server.stomp(), &[THREE[0]]);
    let subscribe = "SUBSCRIBE\nid:1\ndestination:/queue/orders\nack:client-individual\n\n\0";
    write!(peer, "{subscribe}").expect("it is sent");
    let message = read_until(&mut peer, "one\0");
    let ack = message.lines().find_map(|line| line.strip_prefix("ack:")).expect("an ack id");
    write!(peer, "NACK\nid:{ack}\n\n\0DISCONNECT\nreceipt:bye\n\n\0").expect("it is sent");
    read_until(&mut peer, "receipt-id:bye");
    let dead = posthouse(&server.data_dir(), "queue browse DLQ.orders -o json").json();
    assert_eq!(dead[0]["origin"]["reason"], "rejected", "{dead}");
    assert_eq!(dead[0]["origin"]["destination"], "/queue/orders");
    check(&server, "queue redrive DLQ.orders -o jsonl", 0, "{\"messages\":1}\n");
    let back = posthouse(&server.data_dir(), "queue browse orders -o json").json();
    assert_eq!(back[0]["body"], "one");
}

#[test]
fn topics_subscriptions_and_connections_are_listed() {
    let server = Server::start(&[]);
    let subscribe = "SUBSCRIBE\nid:1\ndestination:/topic/news\nack:client\n\
                     activemq.subscriptionName:mine\n\n";
    let peer = stomp(server.stomp(), &[subscribe, "SEND\ndestination:/topic/news\n\nhello"]);
    let dir = server.data_dir();
    assert_eq!(posthouse(&dir, "topic show news -o json").json()["name"], "news");
    let subscriptions = posthouse(&dir, "subscription list -o json").json();
    assert_eq!(subscriptions[0]["client"], "tests");
    assert_eq!(subscriptions[0]["active"], true);
    let connections = posthouse(&dir, "connection list -o json").json();
    assert_eq!(connections[0]["protocol"], "STOMP 1.2");
    assert_eq!(connections[0]["client"], "tests");
    check(&server, "subscription delete tests mine", 2, "");
    check(&server, "subscription delete tests mine --yes", 6, "");
    check(&server, "subscription delete tests other --yes", 4, "");
    drop(peer);
    while posthouse(&dir, "subscription list -o json").json()[0]["active"] == true {}
    check(&server, "subscription delete tests mine -y -o jsonl", 0, "{\"messages\":1}\n");
}

#[test]
fn messages_are_sent_and_received() {
    let server = Server::start(&[]);
    let dir = server.data_dir();
    posthouse(&dir, "pub /queue/orders espresso --count 2 -H colour:red --priority 7").ok();
    posthouse(&dir, "pub orders other --transient").ok();
    let raw = posthouse(&dir, "sub /queue/orders --selector colour='red' --count 2 --raw").ok();
    assert_eq!(raw, "espresso\nespresso\n");
    let line = posthouse(&dir, "sub /queue/orders --count 1 -o jsonl").json();
    assert_eq!(line["body"], "other");
    assert!(line["headers"].get("persistent").is_none(), "{line}");
    check(&server, "sub /queue/orders --wait 50ms", 0, "");
    check(&server, "queue list -o csv --filter nothing", 0, HEAD);
    let wrong = posthouse(&dir, "sub /queue/orders --selector (");
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("PH1207"), "{wrong:?}");
    let lost = posthouse(&dir, "pub /queue/orders x --server stomp://127.0.0.1:1");
    assert_eq!(lost.code, 7, "{lost:?}");
}

const HEAD: &str = "name,messages,ready,unacknowledged,delayed,bytes,consumers\n";

#[test]
fn failures_have_their_exit_codes() {
    let server = Server::start(&[]);
    let fails = |arguments: &str, code: i32, word: &str| {
        let done = posthouse(&server.data_dir(), arguments);
        assert_eq!(done.code, code, "{arguments}: {done:?}");
        assert!(done.err.contains(word), "{arguments}: {done:?}");
    };
    fails("queue show nothing", 4, "PH1203");
    fails("queue browse a..b", 2, "PH1201");
    fails("queue browse nothing --selector (", 2, "PH1326");
    fails("queue list --sort colour", 2, "sort by one of");
    fails("queue list --server http://127.0.0.1:1", 7, "PH1340");
    fails("queue list --token-file /dev/null", 5, "PH1320");
    fails("sub /stack/orders", 2, "PH1110");
    fails("sub /queue/orders --durable d --client-id c", 2, "PH1218");
    fails("user reset nobody", 4, "PH1311");
    fails("queue show nothing", 4, "posthouse queue list");
    fails("queue nothing", 2, "unrecognized subcommand");
    fails("explain nonsense", 4, "PH1343");
    fails("config check --set stomp.listen=0.0.0.0:61613", 8, "PH1304");
    fails("config check --config /nowhere", 8, "PH1303");
    fails("queue show nothing -o json", 4, "{\"code\":\"PH1203\"");
}

#[test]
fn commands_that_need_no_node_work_without_one() {
    let dir = std::path::Path::new("/nowhere");
    let page = posthouse(dir, "explain ph1203").ok();
    assert!(page.starts_with("# PH1203: "), "{page}");
    assert_eq!(posthouse(dir, "explain 1203").ok(), page);
    assert!(posthouse(dir, "--help").ok().contains("10  store failed"));
    assert!(posthouse(dir, "config default").ok().contains("[stomp]"));
    let mistakes = posthouse(dir, "config check -o json --set node.nam=x").out;
    let mistakes: serde_json::Value = serde_json::from_str(&mistakes).expect("it is JSON");
    assert_eq!(mistakes[0]["code"], "PH1301");
    let shown = posthouse(dir, "config show -o json --set log.level=debug").json();
    let row = |key: &str| shown.as_array().and_then(|rows| rows.iter().find(|r| r["key"] == key));
    assert_eq!(row("log.level").expect("a row")["origin"], "--set");
    assert_eq!(row("data_dir").expect("a row")["value"], "/nowhere");
    assert_eq!(row("data_dir").expect("a row")["origin"], "--data-dir");
    let lost = posthouse(dir, "queue list");
    assert_eq!(lost.code, 7, "{lost:?}");
    assert!(lost.err.contains("no node is running"), "{lost:?}");
}
