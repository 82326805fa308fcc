//! Logging in, heart-beats and goodbyes.

use std::time::Duration;

use posthouse_client::{Client, Error, Message, Options};

use crate::fake::{Fake, failover, soon};

const MS_20: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_login_says_who_comes() {
    let server = Fake::play(
        "accept heart-beat:0,0
         < DISCONNECT receipt:r1
         > RECEIPT receipt-id:r1
         eof",
    )
    .await;
    let address = server.url().replace("//", "//ann:s%3At@");
    let options = Options::new().client_id("desk").login("bob", "x");
    let client = soon(Client::connect_with(&address, options)).await.expect("it connects");
    soon(client.close()).await.expect("nothing is unconfirmed");
    let connect = &server.end().await[0];
    let expected = [
        ("accept-version", "1.2"),
        ("host", "127.0.0.1"),
        ("heart-beat", "10000,10000"),
        ("login", "ann"),
        ("passcode", "s:t"),
        ("client-id", "desk"),
    ];
    for (name, value) in expected {
        assert_eq!(connect.header(name), Some(value), "{name}");
    }
}

/// What comes of `answer` to CONNECT.
async fn check_refused(answer: &str, expected: &str) {
    let server = Fake::play(&format!("accept-only\n{answer}")).await;
    let address = failover(&[&server]);
    let error = soon(Client::connect(&address)).await.expect_err("it is refused");
    let address = server.address.to_string();
    assert_eq!(error.to_string().replace(&address, "ADDRESS"), expected);
    server.end().await;
}

#[tokio::test]
async fn a_refused_login_is_not_tried_again() {
    check_refused(
        "raw ERROR\\nmessage:PH1321 the password is wrong\\n\\n\\0",
        "login refused: PH1321 the password is wrong",
    )
    .await;
}

#[tokio::test]
async fn a_single_server_is_tried_once() {
    let cases = [
        ("close", "the server has closed it"),
        ("raw HTTP/1.1 400\\n\\n\\0", "unknown command"),
        ("> CONNECTED version:1.1", "it does not speak STOMP 1.2"),
        ("> RECEIPT receipt-id:1", "RECEIPT came before CONNECTED"),
    ];
    for (answer, expected) in cases {
        let server = Fake::play(&format!("accept-only\n{answer}")).await;
        let error = soon(Client::connect(&server.url())).await.expect_err("it fails");
        assert!(error.to_string().contains(expected), "{answer}: {error}");
        server.end().await;
    }
}

#[tokio::test]
async fn silence_is_given_up() {
    let server = Fake::play("accept-only\neof").await;
    let options = Options::new().connect_timeout(MS_20);
    let error = soon(Client::connect_with(&server.url(), options)).await.expect_err("it fails");
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().ends_with("no answer within 20ms"), "{error}");
    server.end().await;
}

#[tokio::test]
async fn rounds_are_limited() {
    let server = Fake::play("accept-only\nclose\naccept-only\nclose\naccept-only\nclose").await;
    let address = format!("{}&maxReconnectAttempts=2", failover(&[&server]));
    let error = soon(Client::connect(&address)).await.expect_err("it fails");
    assert!(matches!(error, Error::GaveUp { rounds: 2, .. }), "{error}");
    server.end().await;
}

#[tokio::test]
async fn the_client_beats() {
    let server = Fake::play("accept heart-beat:0,20\nbeat\nbeat\nclose").await;
    let options = Options::new().heart_beat(MS_20, Duration::ZERO);
    let client = soon(Client::connect_with(&server.url(), options)).await.expect("it connects");
    server.end().await;
    drop(client);
}

#[tokio::test]
async fn missing_heart_beats_lead_to_the_next_server() {
    let silent = Fake::play("accept heart-beat:20,0\neof").await;
    let other = Fake::play("accept\n< SEND receipt:s1\n> RECEIPT receipt-id:s1").await;
    let options = Options::new().heart_beat(Duration::ZERO, MS_20);
    // The silent server does not come back, so that the next round finds the other one.
    let address = failover(&[&silent, &other]);
    let client = soon(Client::connect_with(&address, options)).await.expect("it connects");
    silent.end().await;
    soon(client.send(Message::to("/queue/x"))).await.expect("it is confirmed");
    other.end().await;
}

#[tokio::test]
async fn dropping_all_handles_says_goodbye() {
    let server = Fake::play("accept\n< DISCONNECT receipt:r1\n> RECEIPT receipt-id:r1\neof").await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    drop(client);
    server.end().await;
}
