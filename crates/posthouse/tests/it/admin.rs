//! The admin API from outside: who gets in, and what the doors look like.

use serde_json::Value;

use crate::command::{http, posthouse};
use crate::server::Server;

const LOCAL: &str = "Host: localhost";
const JSON: &str = "Content-Type: application/json";

fn body(answer: &str) -> Value {
    let text = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn health_and_metrics_are_there_for_whoever_watches() {
    let server = Server::start(&[]);
    for (path, word) in [
        ("/livez", "ok"),
        ("/readyz", "ready"),
        ("/metrics", "posthouse_build_info{version="),
        ("/api/openapi.json", "\"openapi\":\"3.1"),
    ] {
        let (status, answer) = http(server.http(), &format!("GET {path}"), &[LOCAL], "");
        assert!(status == 200 && answer.contains(word), "{path}: {answer}");
    }
}

#[test]
fn a_request_without_login_is_told_what_to_do() {
    let server = Server::start(&[]);
    let (status, answer) = http(server.http(), "GET /api/v1/queues", &[LOCAL], "");
    assert_eq!(status, 401, "{answer}");
    assert!(answer.contains("content-type: application/problem+json"), "{answer}");
    assert_eq!(body(&answer)["code"], "PH1320");
    assert_eq!(body(&answer)["help"], "posthouse explain PH1320");
}

#[test]
fn foreign_hosts_and_pages_are_kept_out() {
    let server = Server::start(&[]);
    let port = server.http().port();
    let own = format!("Host: 127.0.0.1:{port}");
    let own_page = format!("Origin: http://127.0.0.1:{port}");
    let check = |lines: &[&str], expected: u16| {
        let (status, answer) = http(server.http(), "GET /livez", lines, "");
        assert_eq!(status, expected, "{lines:?}: {answer}");
    };
    check(&[&own], 200);
    check(&[&own, &own_page], 200);
    check(&["Host: rebound.example"], 403);
    check(&[], 403);
    check(&[&own, "Origin: http://rebound.example"], 403);
    check(&[&own, "Origin: null"], 403);
}

#[test]
fn a_password_buys_a_token() {
    let server = Server::start(&[]);
    let reset = posthouse(&server.data_dir(), "user reset -o json").json();
    let password = reset["password"].as_str().expect("a password");
    let login = |password: &str| {
        let credentials = serde_json::json!({ "name": "admin", "password": password });
        let request = "POST /api/v1/login";
        http(server.http(), request, &[LOCAL, JSON], &credentials.to_string())
    };
    let (status, answer) = login(password);
    assert_eq!(status, 200, "{answer}");
    let login_answer = body(&answer);
    let token = login_answer["token"].as_str().expect("a token");
    let bearer = format!("Authorization: Bearer {token}");
    let (status, answer) = http(server.http(), "GET /api/v1/node", &[LOCAL, &bearer], "");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(body(&answer)["name"], "posthouse");
    assert_eq!(login("guess").0, 401);
    for (name, password) in [("admin", "admin"), ("admin", ""), ("guest", "guest"), ("", "")] {
        let credentials = serde_json::json!({ "name": name, "password": password }).to_string();
        let answer = http(server.http(), "POST /api/v1/login", &[LOCAL, JSON], &credentials);
        assert_eq!(answer.0, 401, "{name}: {answer:?}");
    }
}

#[test]
fn requests_that_make_no_sense_are_told_why() {
    let server = Server::start(&[]);
    let token = std::fs::read_to_string(server.data_dir().join("admin.token")).expect("a token");
    let bearer = format!("Authorization: Bearer {token}");
    for (request, status, code) in [
        ("GET /api/v1/queues?page=0", 400, "PH1326"),
        ("GET /api/v1/queues?colour=red", 400, "PH1326"),
        ("GET /api/v1/queues/a..b", 400, "PH1201"),
        ("GET /api/v1/queues/a.*", 400, "PH1202"),
        ("GET /api/v1/queues/nothing", 404, "PH1203"),
        ("GET /api/v1/queues/nothing/messages?cursor=x", 400, "PH1326"),
        ("DELETE /api/v1/subscriptions/a/b", 404, "PH1210"),
        ("GET /api/v1/nothing", 404, "PH1325"),
        ("PUT /api/v1/queues", 405, "PH1327"),
    ] {
        let (found, answer) = http(server.http(), request, &[LOCAL, &bearer], "");
        assert_eq!(found, status, "{request}: {answer}");
        assert_eq!(body(&answer)["code"], code, "{request}");
    }
    let (status, answer) = http(server.http(), "POST /api/v1/login", &[LOCAL, JSON], "{");
    assert_eq!((status, body(&answer)["code"].as_str()), (400, Some("PH1326")));
}
