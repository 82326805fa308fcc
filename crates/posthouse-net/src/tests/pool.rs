//! Connections that are kept, and how many there are.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::exchange::post;
use super::server::Step::{Hold, Read, Write};
use super::server::{Server, client, settings};
use crate::{Client, ClientSettings, Error};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const LAST: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_call_after_call() {
    let server = Server::start(&[&[Read, Write(OK), Read, Write(OK), Read, Write(OK)]]).await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(post(&client, &server.origin).await.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_is_replaced() {
    let server = Server::start(&[&[Read, Write(LAST)]]).await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(post(&client, &server.origin).await.unwrap().status, 200);
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_that_broke_in_a_call_is_not_kept() {
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort";
    let server = Server::start(&[&[Read, Write(short)], &[Read, Write(OK)]]).await;
    let client = client();
    assert_eq!(post(&client, &server.origin).await.unwrap().status, 200);
    assert_eq!(post(&client, &server.origin).await.unwrap().status, 200);
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_nobody_uses_is_closed_before_its_peer_closes_it() {
    let server = Server::start(&[&[Read, Write(OK), Read, Write(OK)]]).await;
    let client = client();
    post(&client, &server.origin).await.unwrap();
    advance(Duration::from_millis(3_000)).await;
    post(&client, &server.origin).await.unwrap();
    assert_eq!(server.connections(), 1);
    advance(Duration::from_millis(4_100)).await;
    post(&client, &server.origin).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_to_one_host_are_bounded() {
    let server = Server::start(&[&[Read, Hold]]).await;
    let settings = ClientSettings { host_calls_max: 2, ..settings() };
    let client = Client::new(settings).unwrap();
    let until = Instant::now() + Duration::from_secs(1);
    let first = client.connect(&server.origin, until).await.unwrap();
    let _second = client.connect(&server.origin, until).await.unwrap();
    let third = client.connect(&server.origin, until).await;
    assert!(matches!(third, Err(Error::Busy { .. })));
    drop(first);
    let until = Instant::now() + Duration::from_secs(1);
    assert!(client.connect(&server.origin, until).await.is_ok());
}
