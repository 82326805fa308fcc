//! Rows, tables and databases that are not as they should be: each is told by name, and everything
//! else goes on.

use std::collections::BTreeSet;
use std::fs;

use posthouse_relay::fixture::{MariadbServer, PostgresServer};
use posthouse_relay::source::schema;

use super::clock::await_until;
use super::database::{number, run, runtime};
use super::receiver::Receiver;
use super::scene::PATIENCE;
use crate::command::posthouse;
use crate::server::{Server, fresh_dir};

/// A node with a source, and a code whose requests go to the receiver.
struct Trial {
    receiver: Receiver,
    node: Server,
    url: String,
}

impl Trial {
    fn new(url: &str) -> Trial {
        let receiver = Receiver::start(1);
        receiver.be_kind();
        let address = receiver.address();
        let text = format!(
            r#"
[[relay.source]]
name = "platform"
url = "{url}"
lease = "1s"
round = "100ms"
body_max = "1 KiB"
[[relay.group]]
name = "orders"
[[relay.code]]
name = "GOOD"
group = "orders"
endpoint = "fixed"
[[relay.code]]
name = "BY.ROW"
group = "orders"
endpoint = "by-row"
[[relay.endpoint]]
name = "fixed"
url = "http://{address}/"
[[relay.endpoint]]
name = "by-row"
url = "{{header.target}}"
allow = ["{}"]
"#,
            address.ip()
        );
        Trial { receiver, node: Server::start_with_config(&text), url: url.to_owned() }
    }

    /// A new file with the relay's tables.
    fn on_file() -> Trial {
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        init(&url);
        Trial::new(&url)
    }

    fn expect_log(&self, words: &str) {
        let what = format!("the log says {words:?}");
        await_until(&what, PATIENCE, || self.node.log().contains(words));
    }

    /// Writes a request that nothing is wrong with, and waits until it has been delivered.
    fn expect_work(&self) {
        let before = self.receiver.count();
        let insert = "INSERT INTO relay_request (code, body) VALUES ('GOOD', '')";
        await_until("a request can be written", PATIENCE, || {
            super::database::try_run(&self.url, insert).is_ok()
        });
        await_until("a good request is called", PATIENCE, || self.receiver.count() > before);
    }
}

fn init(url: &str) {
    runtime().block_on(schema::init(url)).expect("the tables can be made");
}

/// A row of these columns and values is there, the log says so in these words, and others go on.
fn check_row(columns: &str, values: &str, words: &str) {
    let trial = Trial::on_file();
    run(&trial.url, &format!("INSERT INTO relay_request (body, {columns}) VALUES (x'', {values})"));
    trial.expect_log(words);
    trial.expect_work();
    let open = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE id = 1 AND state = 0";
    assert_eq!(number(&trial.url, open), 1, "{values} waits");
}

#[test]
fn a_row_that_is_wrong_waits_and_is_told() {
    check_row("code", "'NOPE'", "a request has an unknown code");
    check_row("code, grp", "'GOOD', 'others'", "a group that is not its code's");
    check_row("code, window_name", "'GOOD', 'tea'", "a request names an unknown window");
    for headers in ["no JSON", "[]", "{\"a\":1}", "{\"a\":null}"] {
        check_row("code, headers", &format!("'GOOD', '{headers}'"), "column=\"headers\"");
    }
}

/// Others of its business id wait with it until somebody has changed it.
#[test]
fn a_row_with_headers_that_are_none_can_be_mended() {
    let trial = Trial::on_file();
    let insert = "INSERT INTO relay_request (code, business_id, headers, body) VALUES \
        ('GOOD', 'k', 'a: 1', 'first'), ('GOOD', 'k', '{}', 'second')";
    run(&trial.url, insert);
    trial.expect_log("column=\"headers\"");
    trial.expect_work();
    let open = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state < 3";
    await_until("only these two wait", PATIENCE, || number(&trial.url, open) == 2);
    run(&trial.url, "UPDATE relay_request SET headers = '{}' WHERE id = 1");
    posthouse(&trial.node.data_dir(), "relay retry 1").ok();
    await_until("both go", PATIENCE, || number(&trial.url, open) == 0);
}

/// A row of SQLite with something in a column that does not belong there: it is told once by its
/// id and column, shown, and holds its business id until it is mended; others go on.
fn check_odd(column: &str, odd: &str, good: &str) {
    let trial = Trial::on_file();
    trial.expect_work();
    let insert = format!(
        "INSERT INTO relay_request (id, code, business_id, body) \
         VALUES (70, 'GOOD', 'k', 'first'), (71, 'GOOD', 'k', 'second'); \
         UPDATE relay_request SET {column} = {odd} WHERE id = 70"
    );
    // Somebody may have made the table without its checks.
    let unchecked = "PRAGMA ignore_check_constraints = ON";
    run(&trial.url, &format!("{unchecked}; BEGIN; {insert}; COMMIT"));
    trial.expect_log(&format!("id=70 column=\"{column}\""));
    trial.expect_work();
    let data_dir = trial.node.data_dir();
    let shown = posthouse(&data_dir, "relay row show 70 -o json").json();
    let waits = &shown["waits"][0];
    assert_eq!(waits["reason"], "unreadable", "{shown}");
    assert!(waits["detail"].as_str().is_some_and(|it| it.contains(column)), "{shown}");
    let listed = posthouse(&data_dir, "relay row list --state open -o json").json();
    assert!(listed.to_string().contains("\"id\":70"), "{listed}");
    let withheld = || {
        let source = posthouse(&data_dir, "relay source show -o json").json();
        source["withheld"].to_string().contains("unreadable")
    };
    await_until("it is counted", PATIENCE, withheld);
    let is_held = column != "business_id";
    let open = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state < 3";
    await_until("only these wait", PATIENCE, || {
        number(&trial.url, open) == if is_held { 2 } else { 1 }
    });
    run(&trial.url, &format!("UPDATE relay_request SET {column} = {good} WHERE id = 70"));
    posthouse(&data_dir, "relay retry 70").ok();
    await_until("both go", PATIENCE, || number(&trial.url, open) == 0);
    let log = trial.node.log();
    assert_eq!(log.matches("a request cannot be read").count(), 1, "{log}");
}

#[test]
fn a_row_that_cannot_be_read_waits_alone_and_can_be_mended() {
    check_odd("body", "17", "'17'");
    check_odd("code", "CAST(x'ff' AS TEXT)", "'GOOD'");
    check_odd("business_id", "CAST(x'6bff' AS TEXT)", "'k'");
    check_odd("due_at", "'soon'", "0");
    check_odd("service", "printf('%.1000000c', 'x')", "NULL");
}

/// Numbers below 1, which no database counts to, are requests like others.
fn check_low_numbers(url: &str) {
    init(url);
    let trial = Trial::new(url);
    trial.expect_work();
    // To MariaDB an id of 0 is none, unless it is told otherwise.
    let zero = "SET SESSION sql_mode = concat(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');";
    let zero = if url.starts_with("mysql:") { zero } else { "" };
    let insert = "INSERT INTO relay_request (id, code, business_id, body, attempts, created_at) \
        VALUES (-7, 'GOOD', 'k', '', 2147483647, 9223372036854775807), (0, 'GOOD', 'k', '', 0, 0)";
    run(url, &format!("{zero} {insert}"));
    let done = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE id < 1 AND state = 3";
    await_until("both are sent", PATIENCE, || number(url, done) == 2);
    trial.expect_work();
    let data_dir = trial.node.data_dir();
    assert_eq!(posthouse(&data_dir, "relay row show -7 -o json").json()["state"], "done");
    posthouse(&data_dir, "relay replay -7").ok();
}

#[test]
fn a_number_below_one_is_sent_like_any_other() {
    check_low_numbers(&format!("sqlite:{}", fresh_dir().join("requests.db").display()));
    let server = PostgresServer::start().expect("PostgreSQL starts");
    check_low_numbers(&server.url());
    let server = MariadbServer::start().expect("MariaDB starts");
    check_low_numbers(&server.url());
}

/// What waits by itself is counted, too.
#[test]
fn what_waits_without_a_business_id_is_counted() {
    let trial = Trial::on_file();
    run(&trial.url, "INSERT INTO relay_request (code, body) VALUES ('NOPE', ''), ('NOPE', '')");
    let counted = || {
        let source = posthouse(&trial.node.data_dir(), "relay source show -o json").json();
        source["withheld"][0]["requests"] == 2
    };
    await_until("both are counted", PATIENCE, counted);
}

/// Rows with bodies of one byte more than may be, on a database of either kind.
fn check_long_body(url: &str, body: &str) {
    init(url);
    let trial = Trial::new(url);
    let text = format!(
        "INSERT INTO relay_request (code, business_id, body) VALUES \
         ('GOOD', NULL, {body}), ('GOOD', 'k', {body}), ('GOOD', 'k', 'short')"
    );
    run(url, &text);
    let told = |condition: &str| {
        let text = format!(
            "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE {condition} AND attempts = 0 \
             AND last_error LIKE 'the body of request ' || id || ' has 1025 bytes%1024 %'"
        );
        await_until(condition, PATIENCE, || number(url, &text) == 1);
    };
    told("id = 1 AND state = 6");
    // Its group lets what was rejected hold its business id until somebody decides.
    told("id = 2 AND state = 2");
    trial.expect_work();
    assert_eq!(trial.receiver.count(), 1, "nobody was called with a long body");
    posthouse(&trial.node.data_dir(), "relay skip 2 --yes").ok();
    let done = "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE id = 3 AND state = 3";
    await_until("the next one of its business id goes", PATIENCE, || number(url, done) == 1);
}

#[test]
fn a_body_that_is_too_long_is_rejected_with_its_size() {
    let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
    check_long_body(&url, "zeroblob(1025)");
    let server = PostgresServer::start().expect("PostgreSQL starts");
    check_long_body(&server.url(), "decode(repeat('00', 1025), 'hex')");
    let server = MariadbServer::start().expect("MariaDB starts");
    check_long_body(&server.url(), "repeat(x'00', 1025)");
}

#[test]
fn a_row_with_an_impossible_address_is_rejected_with_the_reason() {
    let trial = Trial::on_file();
    let insert = "INSERT INTO relay_request (body, code, headers) VALUES \
        (x'', 'BY.ROW', '{\"target\":\"not an address\"}'), (x'', 'BY.ROW', '{}')";
    run(&trial.url, insert);
    let told = "SELECT CAST(count(*) AS TEXT) FROM relay_request \
        WHERE state IN (2, 6) AND last_error LIKE '%header%'";
    await_until("both are rejected", PATIENCE, || number(&trial.url, told) == 2);
    trial.expect_work();
}

/// A table that was changed like this is told by these words, until it is changed back.
fn check_table(change: &str, words: &str, back: &str) {
    let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
    init(&url);
    run(&url, change);
    let trial = Trial::new(&url);
    trial.expect_log(words);
    run(&url, back);
    init(&url);
    trial.expect_work();
}

#[test]
fn a_table_that_lacks_something_is_told_until_it_is_there() {
    let rename = |from, to| format!("ALTER TABLE relay_request RENAME COLUMN {from} TO {to}");
    check_table(&rename("due_at", "due"), "due_at", &rename("due", "due_at"));
    check_table("DROP INDEX relay_request_slot", "relay_request_slot", "SELECT 1");
}

/// It is told in one line, shown, and over as soon as the table is there again.
#[test]
fn a_table_that_goes_while_the_node_runs_is_told() {
    let trial = Trial::on_file();
    trial.expect_work();
    run(&trial.url, "ALTER TABLE relay_request RENAME TO gone");
    trial.expect_log("requests cannot be read; it is tried again");
    let troubled = || {
        let sources = posthouse(&trial.node.data_dir(), "relay source list -o json").json();
        sources[0]["trouble"].as_str().is_some_and(|trouble| trouble.contains("relay_request"))
    };
    await_until("the source is shown to be in trouble", PATIENCE, troubled);
    run(&trial.url, "ALTER TABLE gone RENAME TO relay_request");
    trial.expect_work();
    trial.expect_log("requests can be read again");
}

/// Nobody owns what has no bucket, so this must not be found by chance.
#[test]
fn buckets_that_go_while_the_node_runs_are_told() {
    let trial = Trial::on_file();
    trial.expect_work();
    run(&trial.url, "DELETE FROM relay_bucket WHERE slot_first > 0");
    trial.expect_log("the table `relay_bucket` lacks 15 of its 16 rows");
    init(&trial.url);
    trial.expect_work();
}

/// A source is read from the configuration at the start only; until then it goes on as it was.
#[test]
fn a_source_that_is_taken_out_of_the_configuration_goes_on() {
    let mut trial = Trial::on_file();
    trial.expect_work();
    trial.node.reconfigure("# nothing\n");
    trial.expect_log("read the configuration again");
    trial.expect_work();
}

#[test]
fn a_file_that_is_not_there_is_told_until_it_is() {
    let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
    let trial = Trial::new(&url);
    trial.expect_log("unable to open database file");
    init(&url);
    trial.expect_work();
}

#[test]
fn a_server_that_refuses_is_told_until_it_does_not() {
    let server = PostgresServer::start().expect("PostgreSQL starts");
    init(&server.url());
    run(&server.url(), "CREATE USER reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
    let mut trial = Trial::new(&server.url().replace("//postgres@", "//reader@"));
    trial.url = server.url();
    trial.expect_log("relay_");
    trial.expect_log("reader");
    let grant = "GRANT ALL ON ALL TABLES IN SCHEMA public TO reader";
    run(&server.url(), grant);
    trial.expect_work();
}

/// A wrong password is told in one line, which names the source, and shows no password.
#[test]
fn a_wrong_password_is_told_until_it_is_right() {
    let mut server = PostgresServer::start().expect("PostgreSQL starts");
    init(&server.url());
    let user = "CREATE USER reader PASSWORD 'the-right-one'; \
        GRANT ALL ON ALL TABLES IN SCHEMA public TO reader";
    run(&server.url(), user);
    server.require_password("reader").expect("it starts again");
    let mut trial = Trial::new(&server.url().replace("//postgres@", "//reader:the-wrong-one@"));
    trial.url = server.url();
    trial.expect_log("password authentication failed");
    let list = posthouse(&trial.node.data_dir(), "relay row list");
    assert_eq!(list.code, 7, "{list:?}");
    assert!(list.err.contains("PH1401") && list.err.contains("platform"), "{list:?}");
    run(&server.url(), "ALTER USER reader PASSWORD 'the-wrong-one'");
    trial.expect_work();
    let log = trial.node.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("password auth")).collect();
    assert!(matches!(told.as_slice(), [line] if line.contains("source=\"platform\"")), "{log}");
    assert!(!log.contains("the-wrong-one") && !log.contains("the-right-one"), "{log}");
}

/// Whoever looks at a source that is not as it must be has asked nothing wrong.
#[test]
fn a_missing_table_is_the_trouble_of_the_source() {
    let trial = Trial::on_file();
    trial.expect_work();
    run(&trial.url, "ALTER TABLE relay_request RENAME TO elsewhere");
    trial.expect_log("no such table: relay_request");
    for arguments in
        ["row list", "row show 1", "retry 1", "skip --key k --yes", "blocked list", "cancel 1 -y"]
    {
        let done = posthouse(&trial.node.data_dir(), &format!("relay {arguments}"));
        assert_eq!(done.code, 7, "{arguments}: {done:?}");
        assert!(done.err.contains("PH1401") && done.err.contains("relay_request"), "{done:?}");
    }
    run(&trial.url, "ALTER TABLE elsewhere RENAME TO relay_request");
    trial.expect_work();
}

/// What comes on top of a trouble is told, too, and each of them once.
#[test]
fn a_second_trouble_is_told_while_the_first_lasts() {
    let trial = Trial::on_file();
    trial.expect_work();
    run(&trial.url, "ALTER TABLE relay_control RENAME TO elsewhere");
    trial.expect_log("no such table: relay_control");
    run(&trial.url, "ALTER TABLE relay_request RENAME COLUMN due_at TO due");
    await_until("the second trouble is told", PATIENCE, || {
        let log = trial.node.log();
        log.lines().any(|line| line.contains("ERROR") && line.contains("due_at"))
    });
    run(&trial.url, "ALTER TABLE relay_request RENAME COLUMN due TO due_at");
    run(&trial.url, "ALTER TABLE elsewhere RENAME TO relay_control");
    trial.expect_work();
    trial.expect_log("the source answers again");
    let log = trial.node.log();
    let told = log.lines().filter(|line| line.contains("the source cannot be used as it is"));
    let texts: BTreeSet<&str> =
        told.clone().filter_map(|line| line.split_once("error")).map(|it| it.1).collect();
    assert_eq!(told.count(), texts.len(), "each once: {log}");
    assert!(texts.len() >= 2, "{log}");
}

#[test]
fn a_server_that_starts_later_is_found() {
    let mut server = PostgresServer::start().expect("PostgreSQL starts");
    init(&server.url());
    server.stop_immediately().expect("it stops");
    let trial = Trial::new(&server.url());
    trial.expect_log("the source does not answer");
    server.restart().expect("it starts");
    trial.expect_work();
}

/// The same of MariaDB: a wrong password, a right that is missing, a server that is not there.
#[test]
fn mariadb_is_told_of_until_it_is_as_it_must_be() {
    let mut server = MariadbServer::start().expect("MariaDB starts");
    init(&server.url());
    run(&server.url(), "CREATE USER reader IDENTIFIED BY 'the-right-one'");
    let mut trial = Trial::new(&server.url().replace("//root@", "//reader:the-wrong-one@"));
    trial.url = server.url();
    trial.expect_log("Access denied for user 'reader'");
    let list = posthouse(&trial.node.data_dir(), "relay row list");
    assert_eq!(list.code, 7, "{list:?}");
    assert!(list.err.contains("PH1401") && list.err.contains("platform"), "{list:?}");
    run(&server.url(), "ALTER USER reader IDENTIFIED BY 'the-wrong-one'");
    run(&server.url(), "GRANT SELECT ON relay.* TO reader");
    trial.expect_log("GRANT UPDATE (state, due_at");
    run(&server.url(), "GRANT ALL ON relay.* TO reader");
    trial.expect_work();
    server.stop_immediately().expect("it stops");
    trial.expect_log("the source does not answer");
    server.restart().expect("it starts");
    trial.expect_work();
    let log = trial.node.log();
    assert!(!log.contains("the-wrong-one"), "a password is shown: {log}");
}

#[test]
fn an_address_that_is_none_ends_the_start_without_showing_it() {
    let dir = fresh_dir();
    let config = dir.join("wrong.toml");
    let text = "[[relay.source]]\nname = \"platform\"\nurl = \"oracle://me:secret@there/db\"\n";
    fs::write(&config, text).expect("it can be written");
    let serve = format!("serve --config {}", config.display());
    let done = crate::command::posthouse(&crate::server::data_dir(&dir), &serve);
    assert_ne!(done.code, 0, "{done:?}");
    assert!(done.err.contains("platform") && !done.err.contains("secret"), "{done:?}");
}
