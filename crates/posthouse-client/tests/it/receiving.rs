//! Subscriptions, acknowledgements and browsing.

use posthouse_client::{Ack, Client, Delivery, Error, Subscribe, Subscription};

use crate::fake::{Fake, soon};

async fn next(messages: &mut Subscription) -> Delivery {
    soon(messages.next()).await.expect("it goes on").expect("it is a message")
}

#[tokio::test]
async fn every_verdict_has_its_frame() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 ack:client-individual activemq.prefetchSize:4 x:y receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         > MESSAGE subscription:1 message-id:2 ack:1-2 destination:/queue/x | b
         > MESSAGE subscription:1 message-id:3 ack:1-3 destination:/queue/x | c
         > MESSAGE subscription:1 message-id:4 ack:1-4 destination:/queue/x k:v | d
         < ACK id:1-1 receipt:- requeue:-
         < NACK id:1-2 receipt:- requeue:-
         < NACK id:1-3 receipt:- requeue:true
         < ACK id:1-4 receipt:r2
         > RECEIPT receipt-id:r2",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual).prefetch(4).header("x", "y");
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    soon(next(&mut messages).await.ack()).await.expect("it is on its way");
    soon(next(&mut messages).await.nack()).await.expect("it is on its way");
    soon(next(&mut messages).await.requeue()).await.expect("it is on its way");
    let last = next(&mut messages).await;
    assert_eq!((last.destination(), last.header("k")), ("/queue/x", Some("v")));
    soon(last.ack_confirmed()).await.expect("it is confirmed");
    server.end().await;
}

#[tokio::test]
async fn automatic_acknowledgements_follow_the_program() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 ack:client-individual receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         > MESSAGE subscription:1 message-id:2 ack:1-2 destination:/queue/x | b
         < ACK id:1-1
         < UNSUBSCRIBE id:1
         > MESSAGE subscription:1 message-id:3 ack:1-3 destination:/queue/x | late
         < DISCONNECT receipt:r2
         > RECEIPT receipt-id:r2",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let mut messages =
        soon(client.subscribe(Subscribe::to("/queue/x"))).await.expect("it is accepted");
    next(&mut messages).await;
    drop(messages);
    soon(client.close()).await.expect("nothing is unconfirmed");
    server.end().await;
}

#[tokio::test]
async fn deliveries_end_with_their_subscription() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         < UNSUBSCRIBE id:1
         < DISCONNECT receipt:r2
         > RECEIPT receipt-id:r2",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual);
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    let delivery = next(&mut messages).await;
    drop(messages);
    let error = soon(delivery.ack_confirmed()).await.expect_err("it went back");
    assert!(matches!(error, Error::Stale), "{error}");
    soon(client.close()).await.expect("nothing is unconfirmed");
    server.end().await;
}

#[tokio::test]
async fn a_subscription_can_be_refused() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 receipt:r1
         > ERROR message:PH1207 receipt-id:r1
         close",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").selector("a =");
    let error = soon(client.subscribe(subscribe)).await.expect_err("it is refused");
    assert_eq!(error.code(), Some("PH1207"));
    server.end().await;
}

#[tokio::test]
async fn mistakes_are_found_before_they_are_sent() {
    let server = Fake::play("accept\nwait").await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let cases = [
        (Subscribe::to("/topic/t").durable("d"), "choose one with Options::client_id"),
        (Subscribe::to("/topic/t").prefetch(0), "choose from 1 to 100000"),
        (Subscribe::to("/topic/t").header("id", "x"), "\"id\" is set by the client"),
        (Subscribe::to("/topic/\0"), "holds a NUL"),
    ];
    for (subscribe, expected) in cases {
        let error = soon(client.subscribe(subscribe)).await.expect_err("it is wrong");
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    server.go();
    server.end().await;
}

#[tokio::test]
async fn a_server_that_ignores_the_prefetch_is_left() {
    let server = Fake::play(
        "accept
         < SUBSCRIBE id:1 activemq.prefetchSize:1 receipt:r1
         > RECEIPT receipt-id:r1
         > MESSAGE subscription:1 message-id:1 ack:1-1 destination:/queue/x | a
         > MESSAGE subscription:1 message-id:2 ack:1-2 destination:/queue/x | b
         eof",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let subscribe = Subscribe::to("/queue/x").ack(Ack::Individual).prefetch(1);
    let mut messages = soon(client.subscribe(subscribe)).await.expect("it is accepted");
    server.end().await;
    let end = loop {
        match soon(messages.next()).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the reason is told"),
        }
    };
    assert!(end.to_string().ends_with("more messages than the prefetch allows"), "{end}");
}

#[tokio::test]
async fn a_durable_subscription_can_be_deleted() {
    let server = Fake::play(
        "accept
         < UNSUBSCRIBE activemq.subscriptionName:desk receipt:r1
         > RECEIPT receipt-id:r1",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    soon(client.delete_subscription("desk")).await.expect("it is confirmed");
    server.end().await;
}

#[tokio::test]
async fn browsing_shows_everything_and_ends() {
    let server = Fake::play(
        "accept
         accept
         < SUBSCRIBE destination:/queue/x browser:true ack:auto selector:n=1
         > MESSAGE subscription:1 message-id:1 destination:/queue/x | a
         > MESSAGE subscription:1 message-id:2 destination:/queue/x | b
         > MESSAGE subscription:1 browser:end message-id: destination:
         eof",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let look = Subscribe::to("/queue/x").selector("n=1");
    let mut browse = soon(client.browse(look)).await.expect("it is accepted");
    let mut bodies = Vec::new();
    while let Some(received) = soon(browse.next()).await {
        bodies.push(received.expect("it is a message").body().clone());
    }
    assert_eq!(bodies, ["a", "b"]);
    drop(browse);
    server.end().await;
}
