//! HTTP/2 without TLS, by prior knowledge.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::exchange::post;
use super::server::{client, origin};
use crate::{HttpVersion, Origin};

/// Answers with what the request was, and counts connections.
async fn start(calls_max: u32, connections: Arc<Mutex<usize>>) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            *connections.lock().unwrap() += 1;
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(calls_max)
                .serve_connection(TokioIo::new(stream), service_fn(echo));
            tokio::spawn(server);
        }
    });
    Origin { version: HttpVersion::Http2, ..origin(port) }
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes().len()).unwrap_or_default();
    let text = format!("{} {} {body}", head.method, head.uri);
    Ok(Response::new(Full::new(text.into())))
}

#[tokio::test]
async fn calls_share_a_connection() {
    let connections = Arc::default();
    let origin = start(100, Arc::clone(&connections)).await;
    let client = client();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (client, origin) = (client.clone(), origin.clone());
            tokio::spawn(async move { post(&client, &origin).await })
        })
        .collect();
    for call in calls {
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.body, format!("POST {origin}/path?query 5"));
    }
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn calls_that_a_peer_does_not_allow_on_one_connection_get_another() {
    let connections = Arc::default();
    let origin = start(2, Arc::clone(&connections)).await;
    let client = client();
    post(&client, &origin).await.unwrap();
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(client.connect(&origin, until).await.unwrap());
    }
    assert_eq!(*connections.lock().unwrap(), 1);
    post(&client, &origin).await.unwrap();
    assert_eq!(*connections.lock().unwrap(), 2);
}
