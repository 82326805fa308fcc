//! Finished requests that leave the table of a real node, and requests that are marked in it.

use posthouse_relay::source::schema;

use super::clock::await_until;
use super::database::{number, run, runtime};
use super::scene::PATIENCE;
use super::taker::Taker;
use crate::command::{Done, posthouse};
use crate::server::{Server, fresh_dir};

/// A node from whose table what is done leaves after a minute, and cancelled requests do not; its
/// requests are marked before they are sent.
struct Shelf {
    url: String,
    server: Server,
    _receiver: Taker,
}

impl Shelf {
    fn start() -> Shelf {
        let receiver = Taker::start();
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        for (name, state) in [("old", 3), ("cancelled", 7), ("open", 0)] {
            run(
                &url,
                &format!(
                    "INSERT INTO relay_request (request_id, code, body, state, created_at, \
                     done_at) VALUES ('{name}', 'check', 'x', {state}, 1000, 2000)"
                ),
            );
        }
        let text = format!(
            r#"
[[relay.source]]
name = "platform"
url = "{url}"
round = "50ms"
keep_done = "1m"
archive = true
[[relay.group]]
name = "checks"
order = "none"
claim = "mark"
[[relay.code]]
name = "check"
group = "checks"
endpoint = "receiver"
[[relay.endpoint]]
name = "receiver"
url = "http://{}/"
allow = ["127.0.0.1"]
"#,
            receiver.address()
        );
        Shelf { url, server: Server::start_with_config(&text), _receiver: receiver }
    }

    fn run(&self, arguments: &str) -> Done {
        posthouse(&self.server.data_dir(), &format!("relay {arguments}"))
    }

    fn await_number(&self, what: &str, text: &str, expected: i64) {
        let text = format!("SELECT CAST(({text}) AS TEXT)");
        await_until(what, PATIENCE, || number(&self.url, &text) == expected);
    }
}

#[test]
fn what_is_old_is_archived_and_what_is_open_is_marked_and_sent() {
    let shelf = Shelf::start();
    shelf.await_number("one is archived", "SELECT count(*) FROM relay_archive", 1);
    shelf.await_number(
        "the open one is sent",
        "SELECT count(*) FROM relay_request WHERE request_id = 'open' AND state = 3",
        1,
    );
    let row = shelf.run("row show 1 -o json").json();
    assert_eq!((&row["request_id"], &row["state"]), (&"old".into(), &"done".into()));
    assert!(row["archived_ms"].as_i64().is_some_and(|at_ms| at_ms > 2_000), "{row}");
    let cancelled = shelf.run("row show 2 -o json").json();
    assert!(cancelled["archived_ms"].is_null(), "{cancelled}");
    let replayed = shelf.run("replay 1");
    assert!(replayed.err.contains("request 1 is archived"), "{replayed:?}");
    let shown = shelf.run("retention -o json").json();
    assert_eq!((&shown["archived"], &shown["deleted"]), (&1.into(), &0.into()), "{shown}");
    assert_eq!(shown["keep"][0], serde_json::json!({"state": "done", "keep_ms": 60_000}));
    let told = shelf.run("retention").ok();
    assert!(told.contains("done 1m, failed always"), "{told}");
}
