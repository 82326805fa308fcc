//! Requests that go over the frame protocol, to a receiver in Python that is slow, out of order,
//! wrong, or gone.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::clock::await_until;
use super::scene::PATIENCE;
use super::stage::Stage;
use crate::server::fresh_dir;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn stage() -> Stage {
    let key = fresh_dir().join("key");
    fs::write(&key, KEY).expect("a file can be written");
    Stage::new("frame/receiver.py", |port| {
        format!(
            r#"
url = "frame://127.0.0.1:{port}"
headers = ["X-Call: {{code}}/{{service}}/{{method}}"]
service = "orders"
service_method = "take"
signing_keys = ["{}"]
"#,
            key.display()
        )
    })
}

#[test]
fn requests_arrive_with_everything_that_the_page_promises() {
    let stage = stage();
    stage.write("a-1", "");
    stage.await_states(3, 1);
    let call = stage.receiver.tries("a-1").remove(0);
    let expect = |name: &str, value: Value| assert_eq!(call[name], value, "{name} in {call}");
    expect("code", "ORDER".into());
    expect("key", "a".into());
    expect("service", "orders".into());
    expect("method", "take".into());
    expect("attempt", 1.into());
    expect("sequence", 1.into());
    expect("content_type", "text/plain".into());
    expect("body", "body of a-1".into());
    expect("signed", true.into());
    let headers = [["colour", "red"], ["x-call", "ORDER/orders/take"]];
    expect("headers", serde_json::json!(headers));
    assert!(call["fence"].as_i64() > Some(0) && call["not_after_ms"].as_i64() > Some(0), "{call}");
    assert!(call["timeout_ms"].as_i64().is_some_and(|ms| (1..=1_000).contains(&ms)), "{call}");
    assert_eq!(stage.ended("a-1").0, "7");
}

#[test]
fn a_receiver_that_misbehaves_is_tried_again_in_order() {
    let stage = stage();
    let twice = ["close", "half", "garble", "strange", "silent", "postpone", "leave"];
    for method in twice {
        for (nth, method_now) in ["take", method, "take"].into_iter().enumerate() {
            stage.write(&format!("{method}-{nth}"), method_now);
        }
    }
    stage.write("fail-1", "fail");
    stage.await_states(3, 22);
    for method in twice {
        let tries = stage.receiver.tries(&format!("{method}-1"));
        assert!(tries.len() >= 2, "{method}: {tries:?}");
        let of_key = |call: &Value| call["key"] == *method;
        let sequences = stage.receiver.requests().into_iter().filter(of_key);
        let sequences: Vec<i64> = sequences.filter_map(|call| call["sequence"].as_i64()).collect();
        assert!(sequences.is_sorted(), "{method}: {sequences:?}");
    }
    assert!(stage.receiver.tries("fail-1").len() >= 3);
}

/// What it has not taken goes to its next connection in the same try, and what it has is answered.
#[test]
fn a_receiver_that_leaves_loses_nothing_and_costs_no_try() {
    let stage = stage();
    stage.write("slow-1", "slow");
    await_until("it works", PATIENCE, || !stage.receiver.tries("slow-1").is_empty());
    stage.write("leave-1", "leave");
    stage.await_states(3, 2);
    let tries = |id: &str| {
        let tries = stage.receiver.tries(id).into_iter();
        tries.filter_map(|call| call["attempt"].as_i64()).collect::<Vec<_>>()
    };
    assert_eq!((tries("slow-1"), tries("leave-1")), (vec![1], vec![1, 1]));
}

#[test]
fn many_requests_share_one_connection() {
    let stage = stage();
    for nth in 0..5 {
        stage.write(&format!("r{nth}-1"), "reorder");
        stage.write(&format!("s{nth}-1"), "slow");
    }
    stage.await_states(3, 10);
    let requests = stage.receiver.requests();
    assert_eq!(requests.len(), 10, "each goes once: {requests:?}");
    let connections: BTreeSet<i64> =
        requests.iter().filter_map(|call| call["connection"].as_i64()).collect();
    assert_eq!(connections.len(), 1, "{requests:?}");
}

#[test]
fn what_is_rejected_holds_its_business_id() {
    let stage = stage();
    stage.write("k-1", "reject");
    stage.write("k-2", "take");
    stage.write("other-1", "take");
    stage.await_states(2, 1);
    stage.await_states(3, 1);
    assert_eq!(stage.ended("k-1"), ("-404".into(), "no such order".into()));
    assert!(stage.receiver.tries("k-2").is_empty());
}

#[test]
fn instances_that_a_discovery_knows_are_called() {
    Stage::new("frame/receiver.py", |port| Stage::found_in_a_file("frame", port)).check_found(9);
}
