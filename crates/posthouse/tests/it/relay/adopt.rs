//! Adopting a table of a platform's own: the dry run, the statements that it prints, and delivery
//! from that table by a user who has exactly the rights that were printed.

use std::fs;
use std::path::PathBuf;

use posthouse_relay::fixture::{MariadbServer, PostgresServer};
use serde_json::Value;

use super::clock::await_until;
use super::database::{number, rows, run};
use super::scene::PATIENCE;
use super::taker::Taker;
use crate::command::{Done, posthouse};
use crate::server::{Server, fresh_dir};

/// A platform with a table of its own, and a node that is to send from it.
struct Shop {
    owner: String,
    table: &'static str,
    dir: PathBuf,
    config: String,
    receiver: Taker,
}

impl Shop {
    /// `owner` may do everything at the database, and the relay what `user` may.
    fn new(owner: &str, user: &str, table: &'static str, made_by: &str) -> Shop {
        let (dir, receiver) = (fresh_dir(), Taker::start());
        let config = configuration(user, table, receiver.address());
        fs::create_dir_all(&dir).expect("a directory can be made");
        fs::write(dir.join("posthouse.toml"), &config).expect("a file can be written");
        run(owner, made_by);
        Shop { owner: owner.to_owned(), table, dir, config, receiver }
    }

    fn adopt(&self, arguments: &str) -> Done {
        let file = self.dir.join("posthouse.toml");
        posthouse(&self.dir, &format!("relay adopt shop --config {} {arguments}", file.display()))
    }

    fn report(&self) -> (i32, Value) {
        let done = self.adopt("--dry-run -o json");
        let report = serde_json::from_str(&done.out);
        (done.code, report.unwrap_or_else(|error| panic!("{error}: {done:?}")))
    }

    /// Has the owner run what was printed.
    fn run_printed(&self, report: &Value) {
        for which in ["ours", "theirs"] {
            for statement in report[which].as_array().expect("a list") {
                run(&self.owner, statement.as_str().expect("a text"));
            }
        }
    }

    fn write(&self, customer: &str, body: &str) {
        let text = "INSERT INTO";
        let columns = "(customer, payload, status) VALUES";
        run(&self.owner, &format!("{text} {} {columns} ('{customer}', '{body}', 'N')", self.table));
    }

    /// Starts a node, and sees what is written before and afterwards sent, and told.
    fn sends(&self) {
        self.write("a", "first");
        self.write("a", "second");
        let node = Server::start_with_config(&self.config);
        await_until("what was there is sent", PATIENCE, || self.receiver.bodies().len() == 2);
        self.write("a", "third");
        run(
            &self.owner,
            &format!("INSERT INTO {} (customer, status) VALUES ('b', 'N')", self.table),
        );
        self.write("c", "fourth");
        await_until("what came is sent", PATIENCE, || self.receiver.bodies().len() == 4);
        // The fourth is of another business id, and may go before the third.
        let (of_c, of_a): (Vec<String>, Vec<String>) =
            self.receiver.bodies().into_iter().partition(|body| body == "fourth");
        assert_eq!((of_a.join(" "), of_c.len()), ("first second third".into(), 1));
        let told = format!(
            "SELECT CAST(count(*) AS TEXT) FROM {} WHERE status = 'S' AND tries = 1",
            self.table
        );
        await_until("the rows are told", PATIENCE, || number(&self.owner, &told) == 4);
        let unfed = self.adopt("--unfed -o json").json();
        assert_eq!((&unfed[0]["reason"], &unfed[1]), (&"body is empty".into(), &Value::Null));
        self.tells_unfed(&node, &unfed);
        let again = format!("UPDATE {} SET status = 'N' WHERE customer = 'c'", self.table);
        run(&self.owner, &again);
        await_until("it is sent once more", PATIENCE, || self.receiver.bodies().len() == 5);
        await_until("it is told once more", PATIENCE, || number(&self.owner, &told) == 4);
    }

    /// A running node says the same of rows that could not be fed as the command without one.
    fn tells_unfed(&self, node: &Server, expected: &Value) {
        let ask = |arguments: &str| posthouse(&node.data_dir(), &format!("relay {arguments}"));
        assert_eq!(&ask("unfed list -o json").json(), expected);
        assert!(ask("unfed list").ok().contains("body is empty"));
        let source = ask("source show -o json").json();
        assert_eq!((&source["adopts"], &source["unfed"]), (&self.table.into(), &1.into()));
        let listed = &ask("source list -o json").json()[0];
        assert_eq!((&listed["adopts"], &listed["unfed"]), (&self.table.into(), &Value::Null));
    }
}

fn configuration(url: &str, table: &str, receiver: &str) -> String {
    format!(
        r#"
[[relay.source]]
name = "shop"
url = "{url}"
lease = "2s"
round = "100ms"
[relay.source.adopt]
table = "{table}"
id = "id"
[relay.source.adopt.states]
column = "status"
ready = "N"
taken = "P"
done = "S"
failed = "F"
attempts = "tries"
[relay.source.adopt.columns]
code = {{ value = "ORDER" }}
business_id = "customer"
body = "payload"
[[relay.group]]
name = "orders"
[[relay.code]]
name = "ORDER"
group = "orders"
endpoint = "receiver"
[[relay.endpoint]]
name = "receiver"
url = "http://{receiver}/"
"#
    )
}

fn problems(report: &Value) -> String {
    report["refusals"].to_string()
}

#[test]
fn a_table_in_sqlite_is_adopted() {
    let url = format!("sqlite:{}", fresh_dir().join("shop.db").display());
    let made_by = "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT, \
                   payload TEXT, status TEXT NOT NULL, tries INTEGER)";
    let shop = Shop::new(&format!("{url}?mode=rwc"), &url, "outbox", made_by);
    let (code, report) = shop.report();
    assert_ne!(code, 0);
    assert!(problems(&report).contains("no index of outbox finds the rows"), "{report}");
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'relay%'";
    assert!(rows(&url, tables).is_empty(), "a dry run makes nothing");
    run(&url, report["theirs"][0].as_str().expect("the index"));
    let told = shop.adopt("--dry-run").ok();
    for part in ["-- marking", "INSERT INTO relay_request", "CREATE TABLE IF NOT EXISTS relay_fed"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(rows(&url, tables).is_empty(), "a dry run makes nothing");
    shop.adopt("").ok();
    let (code, report) = shop.report();
    assert_eq!((code, &report["ours"]), (0, &Value::Array(Vec::new())));
    shop.sends();
}

#[test]
fn a_table_in_postgres_is_adopted_with_the_rights_that_are_printed() {
    let server = PostgresServer::start().expect("PostgreSQL starts");
    let made_by = "CREATE ROLE relay LOGIN; CREATE SCHEMA shop; CREATE TABLE shop.outbox \
                   (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer VARCHAR(40), \
                   payload TEXT, status CHAR(1) NOT NULL, tries INT); \
                   CREATE INDEX outbox_ready ON shop.outbox (id) WHERE status = 'N'";
    let user = server.url().replace("//postgres@", "//relay@");
    let shop = Shop::new(&server.url(), &user, "shop.outbox", made_by);
    let (code, report) = shop.report();
    assert_ne!(code, 0);
    assert!(report["theirs"].to_string().contains("GRANT UPDATE (\\\"status\\\", \\\"tries\\\")"));
    shop.run_printed(&report);
    let (code, report) = shop.report();
    assert_eq!((code, problems(&report).as_str()), (0, "[]"));
    shop.adopt("").ok();
    shop.sends();
}

#[test]
fn a_table_in_mariadb_is_adopted_with_the_rights_that_are_printed() {
    let server = MariadbServer::start().expect("MariaDB starts");
    let made_by = "CREATE USER shopper IDENTIFIED BY 'secret'; CREATE TABLE outbox \
                   (id BIGINT AUTO_INCREMENT PRIMARY KEY, \
                   customer VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, payload TEXT, \
                   status CHAR(1) NOT NULL CHECK (status IN ('N', 'P', 'S', 'F')), tries INT, \
                   INDEX (status, id)); \
                   CREATE TABLE others (status CHAR(1) CHECK (status = 'other')); \
                   GRANT SELECT ON others TO shopper";
    let user = server.url().replace("//root@", "//shopper:secret@");
    let shop = Shop::new(&server.url(), &user, "outbox", made_by);
    let (code, report) = shop.report();
    assert_ne!(code, 0);
    assert!(problems(&report).contains("GRANT SELECT ON `outbox` TO"), "{report}");
    shop.run_printed(&report);
    let (code, report) = shop.report();
    assert_eq!((code, problems(&report).as_str()), (0, "[]"));
    shop.adopt("").ok();
    shop.sends();
}

/// Mistakes of the configuration are told together, each at its place.
#[test]
fn a_wrong_mapping_is_told_where_it_stands() {
    let dir = fresh_dir();
    fs::create_dir_all(&dir).expect("a directory can be made");
    let text = configuration("sqlite:shop.db", "shop.out.box", "127.0.0.1:1")
        .replace("taken = \"P\"", "taken = \"N\"")
        .replace("body =", "bodi =")
        .replace("id = \"id\"", "id = \"id\"\nwhere = \"a = $1\"");
    fs::write(dir.join("posthouse.toml"), text).expect("a file can be written");
    let file = dir.join("posthouse.toml");
    let done = posthouse(&dir, &format!("config check --config {}", file.display()));
    for part in [
        "unknown key `bodi` in `columns`",
        "did you mean `body`?",
        "it is the same word as `ready`",
        "the sign of a value",
        "`table`: \"out.box\" holds a sign",
    ] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}
