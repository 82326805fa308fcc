//! Tables that are more than a plain one: with triggers, in parts, with clocks of a named zone.

use posthouse_pump::outcome::State;

use super::stage::{Stage, marking, reading};
use crate::source::adopt::Adoption;
use crate::source::base::Dialect;
use crate::source::conformance::Bench;

/// On every database.
pub(super) async fn run(stage: &Stage) {
    Box::pin(triggers_on_changes_are_warned_of(stage)).await;
    match stage.dialect {
        Dialect::Postgres => {
            Box::pin(a_table_in_parts_is_fed(stage)).await;
            Box::pin(a_table_in_parts_by_something_else_is_refused(stage)).await;
            Box::pin(clocks_of_a_named_zone_are_read(stage)).await;
        }
        Dialect::Mysql => Box::pin(clocks_of_a_named_zone_are_read(stage)).await,
        Dialect::Sqlite => {}
    }
}

async fn triggers_on_changes_are_warned_of(stage: &Stage) {
    stage.renew().await;
    let made: &[&str] = match stage.dialect {
        Dialect::Postgres => &[
            "CREATE OR REPLACE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER written BEFORE INSERT ON outbox \
             FOR EACH ROW EXECUTE FUNCTION nothing()",
            "CREATE TRIGGER changed BEFORE UPDATE ON outbox \
             FOR EACH ROW EXECUTE FUNCTION nothing()",
        ],
        Dialect::Mysql => &[
            "CREATE TRIGGER written BEFORE INSERT ON outbox FOR EACH ROW SET NEW.tries = 0",
            "CREATE TRIGGER changed BEFORE UPDATE ON outbox FOR EACH ROW SET NEW.prio = '4'",
        ],
        Dialect::Sqlite => &[
            "CREATE TRIGGER written AFTER INSERT ON outbox BEGIN \
             UPDATE outbox SET tries = 0 WHERE id = NEW.id; END",
            "CREATE TRIGGER changed AFTER UPDATE ON outbox BEGIN SELECT 1; END",
        ],
    };
    for text in made {
        stage.bench.sql(text).await;
    }
    let expected = ["the trigger changed of outbox fires when a row is marked or told"];
    assert_eq!(warnings(stage, &marking(stage.dialect)).await, expected);
    assert!(warnings(stage, &reading(stage.dialect)).await.is_empty());
}

async fn warnings(stage: &Stage, adoption: &Adoption) -> Vec<String> {
    stage.source(adoption).adoption_report().await.unwrap().unwrap().warnings
}

/// Makes the table of PostgreSQL anew, in parts.
async fn part(stage: &Stage, key: &str, by: &str, parts: [&str; 2]) {
    stage.renew().await;
    let [first, second] = parts;
    let text = format!(
        "DROP TABLE outbox; CREATE TABLE outbox (id BIGSERIAL, kind VARCHAR(16), \
         customer VARCHAR(200), payload JSONB, prio VARCHAR(10), \
         created TIMESTAMPTZ NOT NULL DEFAULT now(), status CHAR(1) NOT NULL DEFAULT 'N', \
         ended TIMESTAMP, fault VARCHAR(20), tries INT, PRIMARY KEY ({key})) PARTITION BY {by}; \
         CREATE INDEX outbox_ready ON outbox (id) WHERE status = 'N'; \
         CREATE TABLE outbox_first PARTITION OF outbox FOR VALUES {first}; \
         CREATE TABLE outbox_second PARTITION OF outbox FOR VALUES {second}"
    );
    stage.bench.sql(&text).await;
}

async fn a_table_in_parts_is_fed(stage: &Stage) {
    for adoption in [marking(stage.dialect), reading(stage.dialect)] {
        part(stage, "id", "RANGE (id)", ["FROM (1) TO (3)", "FROM (3) TO (1000)"]).await;
        for customer in ["a", "b", "a", "b"] {
            stage.write(customer).await;
        }
        let node = stage.node(&adoption).await;
        assert_eq!(node.names().await, ["outbox-1", "outbox-2", "outbox-3", "outbox-4"]);
        assert_eq!(node.settle_all(State::Done).await, 4);
        let expected = if adoption.states.is_some() { "SSSS" } else { "NNNN" };
        assert_eq!(stage.statuses().await, expected);
    }
}

/// The same id may be in two of its parts.
async fn a_table_in_parts_by_something_else_is_refused(stage: &Stage) {
    part(stage, "id, kind", "LIST (kind)", ["IN ('order')", "IN ('other')"]).await;
    let report = stage.source(&marking(stage.dialect)).adoption_report().await.unwrap().unwrap();
    let refusal = report.refusal().unwrap();
    assert!(refusal.contains("outbox may have the same id twice"), "{refusal}");
}

/// Noon in winter and in summer, by a clock that is put forward in between.
async fn clocks_of_a_named_zone_are_read(stage: &Stage) {
    let (zone, local_now) = zone(stage).await;
    let adoption = Adoption { zone: Some(zone.to_owned()), ..marking(stage.dialect) };
    for day in ["2026-01-15", "2026-07-15"] {
        let text = format!(
            "INSERT INTO outbox (kind, customer, payload, created) \
             VALUES ('order', 'a', '{{}}', '{day} 12:00:00')"
        );
        stage.bench.sql(&text).await;
    }
    let node = stage.node(&adoption).await;
    assert_eq!(node.settle_all(State::Done).await, 2);
    let (winter_ms, summer_ms) = (1_768_474_800_000, 1_784_109_600_000);
    let created = "SELECT created_at AS n FROM relay_request ORDER BY id LIMIT 9";
    assert_eq!(stage.bench.ints(created).await, [winter_ms, summer_ms]);
    let close = format!("outbox WHERE ended BETWEEN {local_now}");
    assert_eq!(stage.count(&close).await, 2, "the end is told by the same clock");
}

/// Makes the table anew, with a clock that shows no zone. Gives the name of one, and ten minutes
/// around now by its clock. Servers of MySQL and MariaDB come without zones and are given one here.
async fn zone(stage: &Stage) -> (&'static str, &'static str) {
    stage.renew().await;
    match stage.dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            stage.bench.sql("ALTER TABLE outbox ALTER COLUMN created TYPE TIMESTAMP").await;
            (
                "Europe/Berlin",
                "(now() AT TIME ZONE 'Europe/Berlin') - INTERVAL '5 minutes' \
                 AND (now() AT TIME ZONE 'Europe/Berlin') + INTERVAL '5 minutes'",
            )
        }
        Dialect::Mysql => {
            for text in [
                "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (4711, 'N')",
                "INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Shop/Town', 4711)",
                "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, \
                 `Offset`, Is_DST, Abbreviation) VALUES (4711, 0, 3600, 0, 'W'), \
                 (4711, 1, 7200, 1, 'S')",
                "INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, \
                 Transition_type_id) VALUES (4711, 1774746000, 1), (4711, 1792890000, 0)",
            ] {
                stage.bench.sql(text).await;
            }
            (
                "Shop/Town",
                "convert_tz(utc_timestamp(), '+00:00', 'Shop/Town') - INTERVAL 5 MINUTE \
                 AND convert_tz(utc_timestamp(), '+00:00', 'Shop/Town') + INTERVAL 5 MINUTE",
            )
        }
    }
}
