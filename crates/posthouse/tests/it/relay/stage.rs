//! A node that relays from a file to a receiver in another language, by one endpoint.

use std::process::Command;

use posthouse_relay::source::schema;

use super::clock::await_until;
use super::database::{number, rows, run, runtime};
use super::peer::{Peer, script};
use super::scene::PATIENCE;
use crate::server::{Server, fresh_dir, target_dir};

/// Where nobody listens, now or while other tests run.
pub(super) const NOBODY: &str = "127.0.0.1:1";

/// See the module.
pub(super) struct Stage {
    pub(super) url: String,
    pub(super) receiver: Peer,
    _node: Server,
}

impl Stage {
    /// With a script in Python, and what `endpoint` writes of the endpoint for its port.
    pub(super) fn new(name: &str, endpoint: impl FnOnce(u64) -> String) -> Stage {
        let python = target_dir().join("venv/bin/python");
        assert!(python.exists(), "{}: run `cargo xtask test`, which installs it", python.display());
        let receiver = Peer::start(Command::new(python).arg(script(name)));
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        let text = format!(
            r#"
[[relay.source]]
name = "platform"
url = "{url}"
lease = "2s"
round = "100ms"
[[relay.group]]
name = "orders"
backoff = "30ms"
backoff_max = "200ms"
[[relay.code]]
name = "ORDER"
group = "orders"
endpoint = "receiver"
[[relay.endpoint]]
name = "receiver"
timeout = "1s"
breaker_pause = "50ms"
breaker_pause_max = "200ms"
{}"#,
            endpoint(receiver.port)
        );
        Stage { url, receiver, _node: Server::start_with_config(&text) }
    }

    /// What an endpoint says of a file that lists a port at which nobody listens,
    /// and the receiver.
    pub(super) fn found_in_a_file(scheme: &str, port: u64) -> String {
        let closed = NOBODY;
        let file = fresh_dir().join("instances.toml");
        std::fs::write(&file, format!("orders = [\"{closed}\", \"127.0.0.1:{port}\"]"))
            .expect("it is written");
        format!(
            "url = \"{scheme}://{{instance}}\"\nallow = [\"127.0.0.1/32\"]\n\
             discovery = \"registry\"\ninstances_of = \"orders\"\n\
             [[relay.discovery]]\nname = \"registry\"\nkind = \"file\"\nfile = \"{}\"\n",
            file.display()
        )
    }

    /// Of an endpoint like that: the receiver got everything, and nothing was tried twice.
    pub(super) fn check_found(&self, count: i64) {
        for number in 1..=count {
            self.write(&format!("k{number}-1"), "");
        }
        self.await_states(3, count);
        let tried = "SELECT CAST(max(attempts) AS TEXT) FROM relay_request";
        assert_eq!(number(&self.url, tried), 1);
        let count = usize::try_from(count).expect("a few");
        await_until("it tells of each", PATIENCE, || self.receiver.requests().len() == count);
    }

    /// Writes a request with this id and method; the id up to its dash is its business id.
    pub(super) fn write(&self, id: &str, method: &str) {
        self.write_body(id, method, &format!("CAST('body of {id}' AS BLOB)"));
    }

    /// The same, with a body as it stands in SQL.
    pub(super) fn write_body(&self, id: &str, method: &str, body: &str) {
        let key = id.split('-').next().unwrap_or(id);
        run(
            &self.url,
            &format!(
                "INSERT INTO relay_request \
                 (request_id, code, business_id, method, headers, content_type, body) \
                 VALUES ('{id}', 'ORDER', '{key}', NULLIF('{method}', ''), \
                 '{{\"colour\":\"red\"}}', 'text/plain', {body})"
            ),
        );
    }

    /// Waits until so many requests are in this state.
    pub(super) fn await_states(&self, state: u8, count: i64) {
        let text =
            format!("SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state = {state}");
        let what = format!("{count} requests in state {state}");
        await_until(&what, PATIENCE, || number(&self.url, &text) >= count);
    }

    /// Status and error of a request, as they stand in the table.
    pub(super) fn ended(&self, id: &str) -> (String, String) {
        let text = format!(
            "SELECT CAST(last_status AS TEXT), last_error FROM relay_request \
             WHERE request_id = '{id}'"
        );
        let row = rows(&self.url, &text).remove(0);
        let [status, error] = row.try_into().expect("two columns were asked for");
        (status.unwrap_or_default(), error.unwrap_or_default())
    }
}
