//! Somebody else who is measured in the place of the relay: what goes well, what is told of who
//! breaks the order or ends, and files that make no sense.

use std::fs;
use std::path::{Path, PathBuf};

use posthouse_relay::fixture::PostgresServer;

use super::peer::script;
use crate::command::{Done, posthouse};
use crate::server::{fresh_dir, target_dir};

/// A rival that takes jobs in this direction.
fn write(dir: &Path, direction: &str) -> PathBuf {
    let python = target_dir().join("venv/bin/python");
    assert!(python.exists(), "{}: run `cargo xtask test`, which installs it", python.display());
    let (python, worker) = (python.display(), script("rival/worker.py"));
    let worker = worker.display();
    let text = format!(
        r#"
name = "small worker"
prepare = ["{python}", "{worker}", "{{database}}"]
run = ["{python}", "{worker}", "{{database}}", "{{receiver}}", "{direction}"]
clear = "TRUNCATE job"
fill = "INSERT INTO job SELECT n, business_id, body FROM {{made}} ORDER BY n"
remaining = "SELECT count(*) FROM job"
"#
    );
    let path = dir.join("rival.toml");
    fs::write(&path, text).expect("a file can be written");
    path
}

fn measure(server: &PostgresServer, direction: &str, more: &str) -> Done {
    let dir = fresh_dir();
    let (url, file) = (server.url(), write(&dir, direction));
    let words = format!("bench relay --url {url} --rival {} {more}", file.display());
    posthouse(&dir, &words)
}

fn check(found: &serde_json::Value, expected: &[(&str, u64)]) {
    for (name, count) in expected {
        assert_eq!(found[*name].as_u64(), Some(*count), "{name} in {found}");
    }
}

#[test]
fn a_rival_is_measured_as_the_relay_is() {
    let server = PostgresServer::start().expect("PostgreSQL starts");
    let whole = [("lost", 0), ("duplicated", 0), ("overtaken", 0), ("unsettled", 0)];

    let found = measure(&server, "asc", "--requests 500 --keys 7 --output json").json();
    check(&found, &[&[("requests", 500), ("keys", 7)], &whole[..]].concat());
    assert_eq!(found["sender"], "small worker", "{found}");
    assert_eq!(found["dead_rows_each"].as_f64(), Some(1.0), "each row is deleted once: {found}");
    for name in ["delivered_per_s", "memory_mib"] {
        assert!(found[name].as_f64().is_some_and(|value| value > 0.0), "{name} in {found}");
    }
    // The system counts processor time in hundredths of a second: it may have seen none.
    for name in ["server_cpu_us", "database_cpu_us"] {
        assert!(found[name].is_number(), "{name} in {found}");
    }

    let words = "--scenario latency --rate 50 --duration 1 --keys 0 --output json";
    let found = measure(&server, "asc", words).json();
    check(&found, &[&[("requests", 150)], &whole[..]].concat());
    assert!(found["latency_us"]["p50"].as_f64().is_some_and(|us| us > 0.0), "{found}");
}

#[test]
fn what_is_wrong_with_a_rival_is_told() {
    let server = PostgresServer::start().expect("PostgreSQL starts");
    let backwards = measure(&server, "desc", "--requests 20 --keys 2 --output json");
    assert_ne!(backwards.code, 0, "{backwards:?}");
    let found = serde_json::from_str(&backwards.out).expect("the figures are told all the same");
    check(&found, &[("lost", 0), ("overtaken", 18)]);

    let strange = measure(&server, "asc", "--scenario blocked");
    assert_eq!(strange.code, 2, "{strange:?}");
    assert!(strange.err.contains("--scenario ordered or latency"), "{strange:?}");

    let gone = measure(&server, "gone", "--requests 20");
    assert!(gone.code != 0 && gone.err.contains("there is nothing for me to do"), "{gone:?}");
}
