//! Answers of all kinds, and what becomes of them.

use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use tokio::time::Instant;

use super::resolver::Names;
use super::server::Step::{Hold, Read, Write, WriteOn};
use super::server::{Server, Step, client, settings};
use crate::limits::ANSWER_BODY_KEPT_BYTES_MAX;
use crate::{Answer, Client, Error, HttpVersion, Origin, Sent};

pub(super) async fn post(client: &Client, origin: &Origin) -> Result<Answer, Error> {
    send(client, origin, Bytes::from_static(b"hello")).await
}

async fn send(client: &Client, origin: &Origin, body: Bytes) -> Result<Answer, Error> {
    let until = Instant::now() + Duration::from_secs(20);
    let connection = client.connect(origin, until).await?;
    let mut request = Request::new(body);
    *request.method_mut() = hyper::Method::POST;
    *request.uri_mut() = format!("{origin}/path?query").parse().unwrap();
    connection.exchange(request, ANSWER_BODY_KEPT_BYTES_MAX, until).await
}

/// Says the status, the length of what was kept of the body and how it ended; or the error.
async fn check(script: &[Step], expected: &str) {
    let server = Server::start(&[script]).await;
    let answer = post(&client(), &server.origin).await;
    let shown = match &answer {
        Ok(answer) => format!("{} {} {:?}", answer.status, answer.body.len(), answer.body_end),
        Err(error) => format!("{:?} {error}", error.sent()),
    };
    assert!(shown.starts_with(expected), "{shown}\ninstead of\n{expected}");
    assert_eq!(server.connections(), 1, "nothing is sent twice");
}

#[tokio::test]
async fn answers_are_read_within_bounds() {
    check(&[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")], "200 2 Complete").await;
    check(&[Read, Write("HTTP/1.1 204 No Content\r\n\r\n")], "204 0 Complete").await;
    check(&[Read, Write("HTTP/1.1 200 OK\r\n\r\nuntil the end")], "200 13 Complete").await;
    let redirect =
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    check(&[Read, Write(redirect)], "302 0 Complete").await;
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    check(&[Read, Write(early)], "200 0 Complete").await;
}

#[tokio::test]
async fn bodies_that_lie_or_never_end_cost_only_their_connection() {
    let lies = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort";
    check(&[Read, Write(lies)], "200 5 Broken").await;
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
    check(&[Read, Write(endless), WriteOn("more and more ")], "200 4096 Cut").await;
    let chunked = "HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n";
    check(&[Read, Write(chunked), WriteOn("4\r\nmore\r\n")], "500 4096 Cut").await;
    check(&[Read, Write(chunked), Write("zz\r\n")], "500 0 Broken").await;
}

#[tokio::test]
async fn what_is_no_answer_leaves_the_result_unknown() {
    check(&[Read], "Unknown the connection broke before the answer came").await;
    check(&[Read, Write("HTTP/1.1 200")], "Unknown the connection broke").await;
    check(&[Read, Write("220 mail.example ESMTP\r\n")], "Unknown what came back is not").await;
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    check(&[Read, Write(two)], "Unknown what came back is not").await;
    let endless = [Read, Write("HTTP/1.1 200 OK\r\n"), WriteOn("x-more: and more and more\r\n")];
    check(&endless, "Unknown what came back is not").await;
    let line = [Read, Write("HTTP/1.1 200 "), WriteOn("very very long ")];
    check(&line, "Unknown what came back is not").await;
}

#[tokio::test]
async fn a_server_that_closes_at_once_gets_nothing_twice() {
    let server = Server::start(&[&[]]).await;
    let error = post(&client(), &server.origin).await.unwrap_err();
    let is_expected = matches!(error, Error::Broken { .. } | Error::Stale { is_reused: false });
    assert!(is_expected, "{error:?}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_deadline() {
    check(&[Read, Hold], "Unknown no answer in time").await;
    check(&[Read, Write("HTTP/1.1 200 OK\r\n"), Hold], "Unknown no answer in time").await;
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    check(&[Read, Write(half), Hold], "200 4 Broken").await;
}

#[tokio::test]
async fn the_request_is_written_as_http_demands() {
    let server =
        Server::start(&[&[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]).await;
    post(&client(), &server.origin).await.unwrap();
    let host = server.origin.to_string().replace("http://", "host: ");
    let expected = format!("POST /path?query HTTP/1.1\r\n{host}\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn an_empty_body_says_so() {
    let server =
        Server::start(&[&[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]).await;
    send(&client(), &server.origin, Bytes::new()).await.unwrap();
    let sent = server.requests().concat();
    assert!(sent.ends_with("\r\ncontent-length: 0\r\n\r\n"), "{sent}");
}

/// The server is on 127.0.0.1 whatever the name says.
async fn check_guard(addresses: &str, expected: Result<u16, &str>) {
    let server =
        Server::start(&[&[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]).await;
    let resolver = std::sync::Arc::new(Names::one("api.internal", addresses));
    let client = Client::new(crate::ClientSettings { resolver, ..settings() }).unwrap();
    let origin = Origin { host: "api.internal".into(), ..server.origin.clone() };
    let answer = post(&client, &origin).await;
    let shown = answer.map(|answer| answer.status).map_err(|error| {
        assert_eq!(error.sent(), Sent::No);
        error.to_string()
    });
    match (shown, expected) {
        (Ok(status), Ok(expected)) => assert_eq!(status, expected),
        (Err(shown), Err(expected)) => assert!(shown.contains(expected), "{shown}"),
        (shown, _) => panic!("{addresses}: {shown:?}"),
    }
    let host = format!("host: api.internal:{}\r\n", origin.port);
    assert!(server.requests().iter().all(|request| request.contains(&host)));
    assert_eq!(server.connections(), usize::from(expected.is_ok()));
}

#[tokio::test]
async fn names_are_resolved_once_judged_and_kept_to() {
    check_guard("127.0.0.1", Ok(200)).await;
    check_guard("127.0.0.1 127.0.0.2", Err("leads to 127.0.0.2")).await;
    check_guard("127.0.0.1 8.8.8.8", Err("leads to 8.8.8.8")).await;
    check_guard("::1", Err("leads to ::1")).await;
    check_guard("::ffff:10.0.0.1", Err("leads to ::ffff:10.0.0.1")).await;
    check_guard("169.254.169.254", Err("add its network if it should")).await;
    check_guard("0.0.0.0", Err("never called")).await;
    check_guard("", Err("has no address")).await;
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let cases = [
        (super::server::origin(port), "cannot be reached"),
        (Origin { host: "10.0.0.1".into(), ..super::server::origin(port) }, "add its network"),
        (
            Origin { host: "nowhere.example".into(), ..super::server::origin(port) },
            "cannot be resol",
        ),
    ];
    for (origin, expected) in cases {
        let resolver = std::sync::Arc::new(Names::default());
        let client = Client::new(crate::ClientSettings { resolver, ..settings() }).unwrap();
        let error = post(&client, &origin).await.unwrap_err();
        assert_eq!(error.sent(), Sent::No);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn versions_keep_apart() {
    let server =
        Server::start(&[&[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]).await;
    let origin = Origin { version: HttpVersion::Http2, ..server.origin.clone() };
    let answer = post(&client(), &origin).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(server.requests().iter().all(|request| !request.contains("POST")));
}
