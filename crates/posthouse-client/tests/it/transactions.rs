//! All or nothing, also when the connection breaks.

use posthouse_client::{Ack, Client, Error, Message, Subscribe};

use crate::fake::{Fake, failover, soon};

fn message(body: &'static str) -> Message {
    Message::to("/queue/x").body(body)
}

#[tokio::test]
async fn a_commit_takes_sends_and_acknowledgements() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         < BEGIN transaction:1
         < ACK id:1-1 transaction:1
         < SEND transaction:1 persistent:true posthouse-seq:- receipt:r2 | b
         < COMMIT transaction:1 receipt:r3
         > RECEIPT receipt-id:r2
         > RECEIPT receipt-id:r3",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual);
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    let delivery = soon(messages.next()).await.expect("it goes on").expect("it is a message");
    let mut transaction = soon(client.begin()).await.expect("it begins");
    soon(transaction.ack(delivery)).await.expect("it is on its way");
    soon(transaction.send(message("b"))).await.expect("it is on its way");
    soon(transaction.commit()).await.expect("it happens");
    server.end().await;
}

#[tokio::test]
async fn an_abort_gives_the_deliveries_back() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         < BEGIN transaction:1
         < ACK id:1-1 transaction:1
         < ABORT transaction:1 receipt:r2
         > RECEIPT receipt-id:r2
         < NACK id:1-1 requeue:true transaction:-
         < BEGIN transaction:2
         < ABORT transaction:2 receipt:-",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual);
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    let delivery = soon(messages.next()).await.expect("it goes on").expect("it is a message");
    let mut transaction = soon(client.begin()).await.expect("it begins");
    soon(transaction.ack(delivery)).await.expect("it is on its way");
    for delivery in soon(transaction.abort()).await.expect("nothing happens") {
        soon(delivery.requeue()).await.expect("it is on its way");
    }
    drop(soon(client.begin()).await.expect("it begins"));
    server.end().await;
}

#[tokio::test]
async fn a_break_loses_an_open_transaction() {
    let server = Fake::play(
        "accept
         < BEGIN transaction:1
         < SEND transaction:1 | a
         close
         accept
         < SEND receipt:s1 transaction:- | after
         > RECEIPT receipt-id:s1
         < BEGIN transaction:2
         < COMMIT transaction:2 receipt:r2
         > RECEIPT receipt-id:r2",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let mut transaction = soon(client.begin()).await.expect("it begins");
    soon(transaction.send(message("a"))).await.expect("it is on its way");
    soon(client.send(message("after"))).await.expect("it is confirmed by the next connection");
    let error = soon(transaction.commit()).await.expect_err("it is lost");
    assert!(matches!(error, Error::TransactionLost), "{error}");
    assert!(error.is_retryable());
    let again = soon(client.begin()).await.expect("it begins");
    soon(again.commit()).await.expect("it happens");
    server.end().await;
}

#[tokio::test]
async fn a_break_during_the_commit_is_told() {
    let server = Fake::play(
        "accept
         < BEGIN transaction:1
         < COMMIT transaction:1 receipt:r1
         close
         accept",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let transaction = soon(client.begin()).await.expect("it begins");
    let error = soon(transaction.commit()).await.expect_err("nobody can tell");
    assert!(matches!(error, Error::CommitUnknown), "{error}");
    assert!(!error.is_retryable());
    server.end().await;
}

#[tokio::test]
async fn a_refused_part_refuses_the_whole() {
    let server = Fake::play(
        "accept
         < BEGIN transaction:1
         < SEND transaction:1 receipt:r1 | a
         > ERROR message:PH1212 receipt-id:r1
         close
         accept
         < SEND receipt:s1 | after
         > RECEIPT receipt-id:s1",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let mut transaction = soon(client.begin()).await.expect("it begins");
    soon(transaction.send(message("a"))).await.expect("it is on its way");
    soon(client.send(message("after"))).await.expect("it is confirmed");
    let error = soon(transaction.commit()).await.expect_err("it is refused");
    assert_eq!(error.code(), Some("PH1212"));
    server.end().await;
}
