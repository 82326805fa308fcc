//! A configuration that is changed while a node runs: what holds at once, and what needs a restart.

use super::clock::await_until;
use super::database::{number, run, runtime};
use super::receiver::Receiver;
use super::scene::PATIENCE;
use crate::server::{Server, fresh_dir};
use posthouse_relay::source::schema;

fn config(url: &str, receiver: &Receiver, region: &str) -> String {
    format!(
        r#"
[[relay.source]]
name = "platform"
url = "{url}"
region = "{region}"
lease = "1s"
round = "100ms"
[[relay.group]]
name = "orders"
[[relay.code]]
name = "ORDER"
group = "orders"
endpoint = "receiver"
[[relay.endpoint]]
name = "receiver"
url = "http://{}/"
"#,
        receiver.address()
    )
}

fn write(url: &str, region: &str) {
    let text = "INSERT INTO relay_request (code, region, body) VALUES ('ORDER',";
    run(url, &format!("{text} {region}, '')"));
}

fn open(url: &str) -> i64 {
    number(url, "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state < 3")
}

/// What a row without a region means is as old as the node, in its pump and in its source.
#[test]
fn another_region_holds_from_the_next_start_on() {
    let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
    runtime().block_on(schema::init(&url)).expect("the tables can be made");
    let receiver = Receiver::start(1);
    receiver.be_kind();
    let mut node = Server::start_with_config(&config(&url, &receiver, "east"));
    node.reconfigure(&config(&url, &receiver, "west"));
    await_until("it is told that a restart is needed", PATIENCE, || {
        node.log().contains("needs_restart=[\"relay.source\"]")
    });
    write(&url, "'west'");
    write(&url, "NULL");
    write(&url, "'east'");
    await_until("the node's own go, and the other region's waits", PATIENCE, || open(&url) == 1);
    node.stop();
    node.start_again();
    await_until("the other region's goes", PATIENCE, || open(&url) == 0);
}
