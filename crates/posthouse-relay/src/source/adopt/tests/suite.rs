//! What a feed must do, on whatever database.

use std::sync::Arc;

use posthouse_pump::outcome::State;

use super::stage::{Node, Stage, marking, reading};
use crate::source::Source;
use crate::source::adopt::{Adoption, Start};
use crate::source::base::Dialect;
use crate::source::conformance::Bench;
use crate::source::look::{Answer, Query};
use crate::source::operate::Action;
use crate::source::retention::{Ages, Retention};
use crate::source::{AnySource, Options, connect};

pub(super) async fn run(stage: &Stage) {
    Box::pin(rows_become_requests(stage)).await;
    Box::pin(rows_are_told(stage)).await;
    Box::pin(what_its_owner_says_stays(stage)).await;
    Box::pin(a_row_is_sent_again(stage)).await;
    Box::pin(bad_rows_stop_nobody_else(stage)).await;
    Box::pin(what_the_database_refuses_is_set_aside(stage)).await;
    Box::pin(reading_writes_nothing_and_feeds_nothing_twice(stage)).await;
    Box::pin(reading_may_begin_now(stage)).await;
    Box::pin(two_feeders_take_nothing_twice(stage)).await;
    Box::pin(what_was_not_told_is_told_later(stage)).await;
    Box::pin(retention_waits_until_a_row_is_told(stage)).await;
    Box::pin(operators_are_heard(stage)).await;
    Box::pin(what_cannot_be_told_stops_nobody_else(stage)).await;
    Box::pin(many_rows_go_in_turns(stage)).await;
}

fn both(dialect: Dialect) -> [Adoption; 2] {
    [marking(dialect), reading(dialect)]
}

async fn rows_become_requests(stage: &Stage) {
    for adoption in both(stage.dialect) {
        stage.renew().await;
        stage.write("b").await;
        stage.write("a").await;
        stage.bench.sql("INSERT INTO outbox (kind, payload) VALUES ('other', '{}')").await;
        stage.write("b").await;
        let node = stage.node(&adoption).await;
        let found = node.read(0).await;
        let names: Vec<&str> = found.rows.iter().map(|row| &*row.request_id).collect();
        assert_eq!(names, ["outbox-1", "outbox-2", "outbox-4"]);
        let first = &found.rows[0];
        assert_eq!((&*first.code, first.key.as_deref()), ("order", Some("b")));
        assert_eq!(first.priority, 4);
        let content = first.content.as_ref().unwrap();
        assert_eq!(&*content.body, br#"{"of": "b"}"#);
        assert_eq!(content.content_type.as_deref(), Some("application/json"));
        assert_eq!(content.method.as_deref(), Some("ORDER"));
        let off = "SELECT count(*) AS n FROM relay_request WHERE abs(created_at - (SELECT \
                   max(seen_at) FROM relay_node)) > 60000";
        assert_eq!(stage.bench.ints(off).await, [0]);
        let expected = if adoption.states.is_some() { "PPNP" } else { "NNNN" };
        assert_eq!(stage.statuses().await, expected);
    }
}

async fn rows_are_told(stage: &Stage) {
    stage.renew().await;
    for customer in ["a", "b", "c", "d"] {
        stage.write(customer).await;
    }
    let node = stage.node(&marking(stage.dialect)).await;
    let found = node.read(0).await;
    for (row, state) in
        found.rows.iter().zip([State::Done, State::Failed, State::Expired, State::Ready])
    {
        node.settle(std::slice::from_ref(row), state).await;
    }
    assert_eq!(stage.statuses().await, "SFFP");
    let told = "SELECT id AS n FROM outbox WHERE ended IS NOT NULL AND tries = 2 ORDER BY id";
    assert_eq!(stage.bench.ints(told).await, [1, 2, 3]);
    let said = "SELECT id AS n FROM outbox WHERE fault IS NOT NULL ORDER BY id";
    assert_eq!(stage.bench.ints(said).await, [2, 3]);
}

async fn what_its_owner_says_stays(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    let found = node.read(0).await;
    stage.bench.sql("UPDATE outbox SET status = 'F' WHERE id = 1").await;
    stage.bench.sql("DELETE FROM outbox WHERE id = 2").await;
    node.settle(&found.rows, State::Done).await;
    assert_eq!(stage.statuses().await, "F");
    assert_eq!(stage.count("relay_fed WHERE told = 0").await, 0);
}

async fn a_row_is_sent_again(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    assert_eq!(node.settle_all(State::Failed).await, 2);
    assert_eq!(stage.statuses().await, "FF");
    let version = stage.bench.ints("SELECT version AS n FROM relay_control").await[0];
    let mended = "UPDATE outbox SET status = 'N', payload = '{\"of\": \"mended\"}' WHERE id = 1";
    stage.bench.sql(mended).await;
    let found = node.read(0).await;
    assert_eq!(found.rows.len(), 1);
    assert_eq!(&*found.rows[0].request_id, "outbox-1");
    assert_eq!(found.rows[0].attempts, 0);
    assert_eq!(&*found.rows[0].content.as_ref().unwrap().body, br#"{"of": "mended"}"#);
    let changed = "SELECT request AS n FROM relay_change";
    assert_eq!(stage.bench.ints(changed).await, [found.rows[0].id.0]);
    assert_eq!(stage.bench.ints("SELECT version AS n FROM relay_control").await, [version + 1]);
    node.settle(&found.rows, State::Done).await;
    assert_eq!(stage.statuses().await, "SF");
    // What nobody keeps any more is a new request of the same name.
    stage.bench.sql("DELETE FROM relay_request").await;
    stage.bench.sql("UPDATE outbox SET status = 'N'").await;
    assert_eq!(node.names().await, ["outbox-1", "outbox-2"]);
    node.settle_all(State::Done).await;
    assert_eq!(stage.statuses().await, "SS");
}

async fn bad_rows_stop_nobody_else(stage: &Stage) {
    for adoption in both(stage.dialect) {
        stage.renew().await;
        stage.bench.sql("INSERT INTO outbox (customer, payload) VALUES ('a', '{}')").await;
        stage.write("a").await;
        stage.write(&"k".repeat(129)).await;
        stage.write("b").await;
        stage.bench.sql("INSERT INTO outbox (kind, customer) VALUES ('order', 'c')").await;
        let node = stage.node(&adoption).await;
        assert_eq!(node.names().await, ["outbox-4"]);
        let unfed = node.source.unfed().await.unwrap();
        let reasons: Vec<(i64, &str)> =
            unfed.iter().map(|one| (one.row_id, &*one.reason)).collect();
        assert_eq!(
            reasons,
            [
                (1, "code is empty"),
                (2, "row 1 of the same business id could not be fed"),
                (3, "business_id is longer than 128 letters"),
                (5, "body is empty"),
            ]
        );
        unfed_rows_are_told_in_pages(stage, &node).await;
        stage.bench.sql("UPDATE outbox SET kind = 'order' WHERE id = 1").await;
        stage.bench.sql("DELETE FROM outbox WHERE id = 3").await;
        node.until("what was repaired is fed", async || stage.count("relay_unfed").await == 1)
            .await;
        assert_eq!(node.names().await, ["outbox-4", "outbox-1", "outbox-2"]);
    }
}

async fn unfed_rows_are_told_in_pages(stage: &Stage, node: &Node) {
    for (after, expected) in
        [(None, vec![1, 2]), (Some(2), vec![3, 5]), (Some(3), vec![5]), (Some(5), vec![])]
    {
        assert_eq!(unfed_page(&node.source, after).await, expected, "after {after:?}");
    }
    assert_eq!(node.source.look(&Query::UnfedCount).await.unwrap(), Answer::UnfedCount(4));
    // A source that adopts nothing looks at no tables that it need not have.
    let plain = connect(stage.bench.url(), Options::default()).unwrap();
    assert!(unfed_page(&plain, None).await.is_empty());
    assert_eq!(plain.look(&Query::UnfedCount).await.unwrap(), Answer::UnfedCount(0));
}

async fn unfed_page(source: &AnySource, after: Option<i64>) -> Vec<i64> {
    match source.look(&Query::Unfed { after, rows_max: 2 }).await.unwrap() {
        Answer::Unfed(rows) => rows.iter().map(|row| row.row_id).collect(),
        other => panic!("{other:?}"),
    }
}

async fn what_the_database_refuses_is_set_aside(stage: &Stage) {
    for adoption in both(stage.dialect) {
        stage.renew().await;
        for customer in ["a", "b", "c", "b"] {
            stage.write(customer).await;
        }
        stage.bench.sql("UPDATE outbox SET prio = 'high' WHERE id = 2").await;
        let node = stage.node(&adoption).await;
        node.until("the others are fed", async || stage.count("relay_request").await >= 2).await;
        assert_eq!(node.names().await, ["outbox-1", "outbox-3"]);
        let unfed = node.source.unfed().await.unwrap();
        assert_eq!(unfed.iter().map(|one| one.row_id).collect::<Vec<_>>(), [2, 4]);
        stage.bench.sql("UPDATE outbox SET prio = '9' WHERE id = 2").await;
        node.until("it is fed at last", async || stage.count("relay_unfed").await == 0).await;
        let rows = node.read(0).await.rows;
        let fed: Vec<(&str, u8)> =
            rows.iter().map(|row| (&*row.request_id, row.priority)).collect();
        assert_eq!(fed[2..], [("outbox-2", 9), ("outbox-4", 4)]);
    }
}

async fn reading_writes_nothing_and_feeds_nothing_twice(stage: &Stage) {
    stage.renew().await;
    for customer in ["a", "b", "c"] {
        stage.write(customer).await;
    }
    stage.bench.sql("DELETE FROM outbox WHERE id = 2").await;
    let node = stage.node(&reading(stage.dialect)).await;
    assert_eq!(node.settle_all(State::Done).await, 2);
    stage.bench.sql("DELETE FROM relay_request").await;
    assert!(node.names().await.is_empty());
    assert_eq!(stage.statuses().await, "NN");
    assert_eq!(stage.bench.ints("SELECT first_id AS n FROM relay_feed_gap").await, [2]);
    let late = "INSERT INTO outbox (id, kind, customer, payload) VALUES (2, 'order', 'b', '{}')";
    stage.bench.sql(late).await;
    stage.write("d").await;
    assert_eq!(node.names().await, ["outbox-2", "outbox-4"]);
    assert_eq!(stage.count("relay_feed_gap").await, 0);
    let impatient = Adoption { late_ms: 0, ..reading(stage.dialect) };
    stage.bench.sql("DELETE FROM outbox WHERE id = 4").await;
    for customer in ["e", "f", "g"] {
        stage.write(customer).await;
    }
    stage.bench.sql("DELETE FROM outbox WHERE id = 6").await;
    let other = Node::new(stage.source(&impatient)).await;
    other
        .until("it is given up", async || {
            stage.count("relay_request WHERE request_id = 'outbox-7'").await == 1
                && stage.count("relay_feed_gap").await == 0
        })
        .await;
}

async fn reading_may_begin_now(stage: &Stage) {
    stage.renew().await;
    for customer in ["a", "b", "c"] {
        stage.write(customer).await;
    }
    stage.bench.sql("DELETE FROM outbox WHERE id = 2").await;
    let adoption = Adoption { start: Start::Now, ..reading(stage.dialect) };
    let node = stage.node(&adoption).await;
    assert!(node.names().await.is_empty());
    stage.write("d").await;
    let late = "INSERT INTO outbox (id, kind, customer, payload) VALUES (2, 'order', 'b', '{}')";
    stage.bench.sql(late).await;
    assert_eq!(node.names().await, ["outbox-2", "outbox-4"]);
    stage.renew().await;
    for customer in ["a", "b", "c"] {
        stage.write(customer).await;
    }
    let adoption = Adoption { start: Start::After(2), ..adoption };
    assert_eq!(stage.node(&adoption).await.names().await, ["outbox-3"]);
}

async fn two_feeders_take_nothing_twice(stage: &Stage) {
    for adoption in both(stage.dialect) {
        stage.renew().await;
        let nodes = [stage.node(&adoption).await, stage.node(&adoption).await];
        let write = async {
            for number in 0..60 {
                stage.write(&format!("k{}", number % 7)).await;
            }
        };
        let feed = async |node: &Node| {
            while stage.count("relay_request").await < 60 {
                node.read(0).await;
            }
        };
        tokio::join!(write, feed(&nodes[0]), feed(&nodes[1]));
        let names = nodes[0].names().await;
        let expected: Vec<String> = (1..=60).map(|id| format!("outbox-{id}")).collect();
        assert_eq!(names, expected);
    }
}

/// As when a node has died after it has recorded what became of requests.
async fn what_was_not_told_is_told_later(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    node.read(0).await;
    assert_eq!(stage.statuses().await, "PP");
    stage.bench.sql("UPDATE relay_request SET state = 3, done_at = 1700000000000").await;
    node.until("both are told", async || stage.statuses().await == "SS").await;
}

/// A row whose request has gone would say for ever that it is being sent.
async fn retention_waits_until_a_row_is_told(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    node.read(0).await;
    let retention = Retention { ages: Ages([Some(1_000); 5]), ..Retention::default() };
    let adoption = Some(Arc::new(marking(stage.dialect)));
    let options = Options { adoption, retention, ..Options::default() };
    let keeper = connect(stage.bench.url(), options).unwrap();
    let ended = "UPDATE relay_request SET state = 3, created_at = 1000, done_at = 2000";
    stage.bench.sql(ended).await;
    assert_eq!(keeper.retain("n").await.unwrap().deleted, 0);
    node.until("both are told", async || stage.statuses().await == "SS").await;
    assert_eq!(keeper.retain("n").await.unwrap().deleted, 2);
    assert_eq!(stage.count("relay_request").await, 0);
}

async fn operators_are_heard(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    let ids: Vec<_> = node.read(0).await.rows.iter().map(|row| row.id).collect();
    node.source.operate(&Action::Cancel(ids.clone())).await.unwrap();
    assert_eq!(stage.statuses().await, "FF");
    // By somebody who knows nothing of the adopted table.
    let plain = connect(stage.bench.url(), Options::default()).unwrap();
    plain.operate(&Action::Replay(ids)).await.unwrap();
    assert_eq!(node.settle_all(State::Done).await, 2);
    assert_eq!(stage.statuses().await, "SS");
}

async fn what_cannot_be_told_stops_nobody_else(stage: &Stage) {
    stage.renew().await;
    for customer in ["a", "b", "c"] {
        stage.write(customer).await;
    }
    let node = stage.node(&marking(stage.dialect)).await;
    let found = node.read(0).await;
    let refusing = match stage.dialect {
        Dialect::Postgres => "ALTER TABLE outbox ADD CHECK (id <> 2 OR status <> 'S')",
        Dialect::Mysql => {
            "CREATE TRIGGER no_end BEFORE UPDATE ON outbox FOR EACH ROW BEGIN \
             IF NEW.id = 2 THEN SIGNAL SQLSTATE '45000'; END IF; END"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER no_end BEFORE UPDATE ON outbox WHEN NEW.id = 2 \
             BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
    };
    stage.bench.sql(refusing).await;
    node.settle(&found.rows, State::Done).await;
    assert_eq!(stage.statuses().await, "SPS");
    stage.write("d").await;
    assert_eq!(node.names().await, ["outbox-4"]);
}

async fn many_rows_go_in_turns(stage: &Stage) {
    let text = "INSERT INTO outbox (kind, customer, payload) WITH RECURSIVE n(i) AS \
                (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) \
                SELECT 'order', 'k', '{}' FROM n";
    for adoption in both(stage.dialect) {
        stage.renew().await;
        let node = stage.node(&adoption).await;
        stage.bench.sql(text).await;
        let mut turns = 0;
        while node.read(0).await.has_more {
            turns += 1;
        }
        assert_eq!((turns, stage.count("relay_request").await), (2, 1200));
        stage.bench.sql("DELETE FROM relay_request").await;
    }
}
