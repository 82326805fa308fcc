//! Requests that go over gRPC: to a server in Python that has compiled the published file, and to a
//! provider of Apache Dubbo, which speaks Triple.

use serde_json::{Value, json};

use super::clock::await_until;
use super::scene::PATIENCE;
use super::stage::Stage;

fn published() -> Stage {
    Stage::new("grpc/receiver.py", |port| {
        format!(
            r#"
url = "grpc://127.0.0.1:{port}"
headers = ["X-Call: {{code}}/{{service}}/{{method}}"]
service = "orders"
service_method = "take"
"#
        )
    })
}

/// Every field comes under the name that the published file gives it, and none that it does not
/// have.
#[test]
fn the_published_service_is_told_everything() {
    let stage = published();
    stage.write("a-1", "");
    stage.await_states(3, 1);
    let call = stage.receiver.tries("a-1").remove(0);
    assert_eq!(call["unknown"], 0, "{call}");
    let request = &call["request"];
    let expect = |name: &str, value: Value| assert_eq!(request[name], value, "{name} in {call}");
    expect("id", "a-1".into());
    expect("code", "ORDER".into());
    expect("service", "orders".into());
    expect("method", "take".into());
    expect("key", "a".into());
    // Numbers of 64 bits are texts in the JSON of protobuf.
    expect("attempt", "1".into());
    expect("sequence", "1".into());
    expect("content_type", "text/plain".into());
    expect("body", "Ym9keSBvZiBhLTE=".into());
    let headers = json!([
        {"name": "colour", "value": "red"},
        {"name": "x-call", "value": "ORDER/orders/take"},
    ]);
    expect("headers", headers);
    for name in ["fence", "not_after_ms", "timeout_ms", "timestamp"] {
        let number = request[name].as_str().and_then(|text| text.parse::<i64>().ok());
        assert!(number > Some(0), "{name} in {call}");
    }
    assert_eq!(call["metadata"]["posthouse-request-id"], "a-1");
    assert_eq!(call["metadata"]["x-call"], "ORDER/orders/take");
    assert_eq!(stage.ended("a-1").0, "7");
}

#[test]
fn the_published_service_puts_off_refuses_and_is_late() {
    let stage = published();
    for method in ["postpone", "unavailable", "slow", "reject", "invalid"] {
        stage.write(&format!("{method}-1"), method);
        stage.write(&format!("{method}-2"), "take");
    }
    stage.await_states(3, 6);
    stage.await_states(2, 2);
    for method in ["postpone", "unavailable", "slow"] {
        assert!(stage.receiver.tries(&format!("{method}-1")).len() >= 2, "{method}");
    }
    assert_eq!(stage.ended("reject-1"), ("-7".into(), "never".into()));
    let invalid = "answered InvalidArgument: no such \u{e9}tat";
    assert_eq!(stage.ended("invalid-1"), ("3".into(), invalid.into()));
    assert!(stage.receiver.tries("reject-2").is_empty());
}

#[test]
fn any_method_takes_a_body_that_is_its_message() {
    let stage = Stage::new("grpc/receiver.py", |port| {
        format!("url = \"grpc://127.0.0.1:{port}/org.example.{{code}}/{{method}}\"\n")
    });
    stage.write_body("a-1", "pay", "x'0a0568656c6c6f'");
    stage.await_states(3, 1);
    let call = stage.receiver.tries("a-1").remove(0);
    assert_eq!(call["path"], "/org.example.ORDER/pay");
    assert_eq!(call["message"], "0a0568656c6c6f");
    assert_eq!(call["metadata"]["colour"], "red");
    assert_eq!(call["metadata"]["webhook-id"], "a-1");
    assert_eq!(stage.ended("a-1").0, "0");
}

#[test]
fn a_dubbo_provider_is_called_by_triple() {
    let stage = Stage::new("grpc/provider.py", |port| {
        format!(
            "url = \"grpc://127.0.0.1:{port}/{{service}}/{{method}}\"\n\
             service = \"org.example.Greeter\"\nservice_method = \"sayHello\"\n"
        )
    });
    stage.write_body("a-1", "", "x'0a03612d31'");
    stage.write_body("a-2", "", "x'0a03612d32'");
    stage.write_body("b-1", "sayGoodbye", "x'0a03622d31'");
    stage.write_body("c-1", "", "x'0a046661696c'");
    stage.await_states(3, 2);
    stage.await_states(2, 1);
    let heard: Vec<Value> =
        stage.receiver.requests().into_iter().map(|call| call["id"].clone()).collect();
    assert_eq!(heard, ["a-1", "a-2"], "each once, and in order");
    assert_eq!(stage.ended("b-1").0, "12");
    await_until("the failure is told", PATIENCE, || stage.ended("c-1").1.contains("answered"));
}

#[test]
fn instances_that_a_discovery_knows_are_called() {
    Stage::new("grpc/receiver.py", |port| Stage::found_in_a_file("grpc", port)).check_found(9);
}
