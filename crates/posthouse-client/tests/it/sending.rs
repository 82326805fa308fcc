//! Messages, receipts and the window.

use std::future::{Future, ready};

use posthouse_client::{Client, Error, Message, Options};

use crate::fake::{Fake, failover, soon};

/// Asserts that a future waits.
async fn waits(future: impl Future) {
    tokio::select! {
        biased;
        _ = future => panic!("it does not wait"),
        () = ready(()) => {}
    }
}

fn message(body: &'static str) -> Message {
    Message::to("/queue/x").body(body)
}

#[tokio::test]
async fn a_persistent_message_is_numbered_and_confirmed() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1 destination:/queue/x persistent:true posthouse-seq:1 colour:red | a
         > RECEIPT receipt-id:s1
         < SEND receipt:s2 posthouse-seq:2 | b
         > RECEIPT receipt-id:s2",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    soon(client.send(message("a").header("colour", "red"))).await.expect("it is confirmed");
    soon(client.send(message("b"))).await.expect("it is confirmed");
    let frames = server.end().await;
    let producer = |at: usize| frames[at].header("posthouse-producer").expect("it is named");
    assert_eq!(producer(1), producer(2));
    assert_eq!(producer(1).len(), 32);
    assert!(producer(1).bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[tokio::test]
async fn a_message_that_is_not_persistent_has_no_number() {
    let server = Fake::play(
        "accept
         < SEND receipt:- persistent:- posthouse-seq:- posthouse-producer:- | a
         < SEND receipt:r1 persistent:- posthouse-seq:- | b
         > RECEIPT receipt-id:r1
         < SEND receipt:r2 | c
         close",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let volatile = |body| message(body).persistent(false);
    let confirmation = soon(client.send_nowait(volatile("a"))).await.expect("it is on its way");
    soon(confirmation).await.expect("nothing is known of it");
    soon(client.send(volatile("b"))).await.expect("it is confirmed");
    let error = soon(client.send(volatile("c"))).await.expect_err("nobody can tell");
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    server.end().await;
}

#[tokio::test]
async fn the_window_spans_from_the_oldest_unconfirmed() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1 | a
         < SEND receipt:s2 | b
         > RECEIPT receipt-id:s2
         wait
         > RECEIPT receipt-id:s1
         < SEND receipt:s3 | c
         > RECEIPT receipt-id:s3",
    )
    .await;
    let options = Options::new().window(2);
    let client = soon(Client::connect_with(&server.url(), options)).await.expect("it connects");
    let first = soon(client.send_nowait(message("a"))).await.expect("there is room");
    let second = soon(client.send_nowait(message("b"))).await.expect("there is room");
    soon(second).await.expect("it is confirmed");
    waits(client.send_nowait(message("c"))).await;
    server.go();
    soon(first).await.expect("it is confirmed");
    soon(client.send(message("c"))).await.expect("it is confirmed");
    server.end().await;
}

#[tokio::test]
async fn a_refused_message_fails_alone() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1 | a
         < SEND receipt:s2 | b
         raw ERROR\\nmessage:PH1204 /queue/x is full\\nreceipt-id:s1\\n\\nWait.\\0
         close
         accept
         < SEND receipt:s2 posthouse-seq:2 | b
         > RECEIPT receipt-id:s2",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let first = soon(client.send_nowait(message("a"))).await.expect("there is room");
    let second = soon(client.send_nowait(message("b"))).await.expect("there is room");
    let error = soon(first).await.expect_err("it is refused");
    assert_eq!(error.to_string(), "refused: PH1204 /queue/x is full\nWait.");
    assert_eq!((error.code(), error.is_retryable()), (Some("PH1204"), true));
    soon(second).await.expect("it is resent and confirmed");
    server.end().await;
}

#[tokio::test]
async fn a_flush_tells_what_nobody_heard() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1 | a
         > ERROR message:PH1206 receipt-id:s1
         close
         accept",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    drop(soon(client.send_nowait(message("a"))).await.expect("there is room"));
    let error = soon(client.flush()).await.expect_err("it was refused");
    assert_eq!(error.code(), Some("PH1206"));
    soon(client.flush()).await.expect("it is told once");
    server.end().await;
}

#[tokio::test]
async fn large_bodies_pass() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1
         > RECEIPT receipt-id:s1",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let body = vec![7; 8 << 20];
    soon(client.send(Message::to("/queue/x").body(body))).await.expect("it is confirmed");
    server.end().await;
}

#[tokio::test]
async fn closing_waits_for_what_is_unconfirmed() {
    let server = Fake::play(
        "accept
         < SEND receipt:s1 | a
         close
         accept
         < SEND receipt:s1 | a
         > RECEIPT receipt-id:s1
         < DISCONNECT receipt:r1
         > RECEIPT receipt-id:r1
         eof",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let confirmation = soon(client.send_nowait(message("a"))).await.expect("there is room");
    let other = client.clone();
    soon(client.close()).await.expect("all is confirmed");
    soon(confirmation).await.expect("it is confirmed");
    let error = soon(other.send(message("b"))).await.expect_err("it is closed");
    assert!(matches!(error, Error::Closed), "{error}");
    server.end().await;
}
