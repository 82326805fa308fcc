//! From one server to the next: what is done again and what is not.

use posthouse_client::{Ack, Client, Error, Message, Options, Subscribe};

use crate::fake::{Fake, failover, soon};

fn message(body: &'static str) -> Message {
    Message::to("/queue/x").body(body)
}

#[tokio::test]
async fn unconfirmed_messages_are_resent_with_their_numbers() {
    let first = Fake::play(
        "accept
         < SEND receipt:s1 | a
         < SEND receipt:s2 | b
         < SEND receipt:s3 | c
         > RECEIPT receipt-id:s2
         wait",
    )
    .await;
    let second = Fake::play(
        "accept
         < SEND receipt:s1 posthouse-seq:1 | a
         < SEND receipt:s3 posthouse-seq:3 | c
         > RECEIPT receipt-id:s1
         > RECEIPT receipt-id:s3
         < SEND receipt:s4 posthouse-seq:4 | d
         > RECEIPT receipt-id:s4",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&first, &second]))).await.expect("it connects");
    let mut confirmations = Vec::new();
    for body in ["a", "b", "c"] {
        confirmations.push(soon(client.send_nowait(message(body))).await.expect("there is room"));
    }
    soon(confirmations.remove(1)).await.expect("it is confirmed");
    first.go();
    for confirmation in confirmations {
        soon(confirmation).await.expect("it is resent and confirmed");
    }
    soon(client.send(message("d"))).await.expect("it is confirmed");
    let (first, second) = (first.end().await, second.end().await);
    for (before, after) in [(1, 1), (3, 2)] {
        let producer = second[after].header("posthouse-producer");
        assert_eq!(producer, first[before].header("posthouse-producer"));
    }
}

#[tokio::test]
async fn subscriptions_are_restored() {
    let first = Fake::play(
        "accept
         < SUBSCRIBE id:1 destination:/topic/t receipt:r1 activemq.subscriptionName:desk
         > RECEIPT receipt-id:r1
         < SUBSCRIBE id:2 destination:/queue/x receipt:r2
         > RECEIPT receipt-id:r2
         < UNSUBSCRIBE id:2
         wait",
    )
    .await;
    let second = Fake::play(
        "accept
         < SUBSCRIBE id:1 destination:/topic/t selector:n>5 activemq.subscriptionName:desk
         > RECEIPT receipt-id:r3
         > MESSAGE subscription:1 message-id:m ack:1-1 destination:/topic/t | again
         < ACK id:1-1",
    )
    .await;
    let options = Options::new().client_id("me");
    let address = failover(&[&first, &second]);
    let client = soon(Client::connect_with(&address, options)).await.expect("it connects");
    let durable = Subscribe::to("/topic/t").durable("desk").selector("n>5");
    let mut durable = soon(client.subscribe(durable)).await.expect("it is accepted");
    drop(soon(client.subscribe(Subscribe::to("/queue/x"))).await.expect("it is accepted"));
    first.go();
    let delivery = soon(durable.next()).await.expect("it goes on").expect("it is a message");
    assert_eq!(&delivery.body()[..], b"again");
    first.end().await;
    assert_eq!(second.end().await[0].header("client-id"), Some("me"));
}

#[tokio::test]
async fn deliveries_of_the_old_connection_are_stale() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:m ack:1-1 destination:/queue/x | a
         > MESSAGE subscription:1 message-id:n ack:1-2 destination:/queue/x | b
         wait
         close
         accept
         < SUBSCRIBE id:1 receipt:r2
         > RECEIPT receipt-id:r2
         > MESSAGE subscription:1 message-id:m ack:1-1 destination:/queue/x redelivered:true | a
         < ACK id:1-1 receipt:r3
         > RECEIPT receipt-id:r3",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual);
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    let old = soon(messages.next()).await.expect("it goes on").expect("it is a message");
    assert!(!old.is_redelivered());
    server.go();
    // The second delivery of the old connection is dropped, so that this is the first again.
    let again = loop {
        let delivery = soon(messages.next()).await.expect("it goes on").expect("it is a message");
        if delivery.is_redelivered() {
            break delivery;
        }
    };
    assert_eq!(again.message_id(), "m");
    let error = soon(old.ack()).await.expect_err("it is stale");
    assert!(matches!(error, Error::Stale), "{error}");
    soon(again.ack_confirmed()).await.expect("it is confirmed");
    server.end().await;
}

#[tokio::test]
async fn half_a_frame_is_nothing() {
    let first = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         raw MESSAGE\\nsubscription:1\\nmessage-id:m\\nack:1-1\\ncontent-length:100\\n\\nhalf
         close",
    )
    .await;
    let second = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r2
         > RECEIPT receipt-id:r2
         raw MESSAGE\\nsubscription:1\\nmess
         raw age-id:m\\nack:1-1\\n\\nwh
         raw ole\\0
         < ACK id:1-1",
    )
    .await;
    let client = soon(Client::connect(&failover(&[&first, &second]))).await.expect("it connects");
    let mut messages =
        soon(client.subscribe(Subscribe::to("/queue/x"))).await.expect("it is accepted");
    let delivery = soon(messages.next()).await.expect("it goes on").expect("it is a message");
    assert_eq!(delivery.text(), Ok("whole"));
    first.end().await;
    second.end().await;
}

#[tokio::test]
async fn a_single_connection_that_breaks_ends_the_client() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         < SEND receipt:s1
         close",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let mut messages =
        soon(client.subscribe(Subscribe::to("/queue/x"))).await.expect("it is accepted");
    let error = soon(client.send(message("a"))).await.expect_err("nobody can tell");
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    let error = soon(messages.next()).await.expect("the end is told").expect_err("it ended");
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert!(soon(messages.next()).await.is_none());
    soon(client.send(message("b"))).await.expect_err("it has ended");
    soon(client.close()).await.expect_err("it has ended");
    server.end().await;
}
