//! A server over HTTP/2 that answers every call in the same way, and remembers what it was sent.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// What a server answers.
#[derive(Clone, Copy)]
pub(super) enum Reply {
    /// A message and a status, with these trailers besides.
    Message(&'static [u8], &'static str, &'static [(&'static str, &'static str)]),
    /// A status in the headers, and nothing else.
    Bare(&'static [(&'static str, &'static str)]),
    /// Something that is not gRPC, with this status of HTTP.
    Http(u16),
    /// So many bytes, and a status behind them.
    Long(usize),
    /// Nothing, ever.
    Hold,
    /// Closes the connection in the middle of the call.
    Close,
}

/// A call as it came.
pub(super) struct Call {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) connection: usize,
}

pub(super) struct Server {
    pub(super) port: u16,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    pub(super) async fn start(reply: Reply) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let seen = calls.clone();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let seen = seen.clone();
                let closing = Arc::new(tokio::sync::Notify::new());
                let close = closing.clone();
                let service = service_fn(move |request| {
                    answer(request, reply, connection, seen.clone(), close.clone())
                });
                let server = http2::Builder::new(TokioExecutor::new());
                let served = server.serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move {
                    tokio::select! {
                        _ = served => {}
                        () = closing.notified() => {}
                    }
                });
            }
        });
        Server { port, calls }
    }

    /// The calls so far.
    pub(super) fn calls(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }
}

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    reply: Reply,
    connection: usize,
    seen: Arc<Mutex<Vec<Call>>>,
    close: Arc<tokio::sync::Notify>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path().to_owned();
    seen.lock().unwrap().push(Call { path, headers: head.headers, body, connection });
    Ok(match reply {
        Reply::Message(message, status, more) => with_trailers(framed(message), status, more),
        Reply::Long(bytes) => with_trailers(framed(&vec![0; bytes]), "0", &[]),
        Reply::Bare(headers) => {
            let mut response = grpc(Full::default().boxed());
            *response.headers_mut() = map(headers);
            response.headers_mut().insert("content-type", value("application/grpc"));
            response
        }
        Reply::Http(status) => {
            let mut response = Response::new(Full::from("<html>").boxed());
            *response.status_mut() = status.try_into().unwrap();
            response
        }
        Reply::Hold => std::future::pending().await,
        Reply::Close => {
            close.notify_one();
            std::future::pending().await
        }
    })
}

fn grpc(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", value("application/grpc"));
    response
}

fn with_trailers(
    body: Vec<u8>,
    status: &'static str,
    more: &[(&'static str, &'static str)],
) -> Response<Body> {
    let mut trailers = map(more);
    trailers.insert("grpc-status", value(status));
    let trailers = std::future::ready(Some(Ok(trailers)));
    grpc(Full::from(body).with_trailers(trailers).boxed())
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = headers.iter().map(|(name, text)| (HeaderName::from_static(name), value(text)));
    pairs.collect()
}

fn value(text: &'static str) -> HeaderValue {
    HeaderValue::from_static(text)
}
