//! One call over a connection of `posthouse-net`, as tonic wants to have it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::WithTrailers;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Request, Response, Uri};
use posthouse_net::{Answer, BodyEnd, Connection, Error};
use tokio::time::Instant;
use tonic::body::Body;

use crate::courier::limits::{GRPC_MESSAGE_BYTES_MAX, GRPC_REPLY_BYTES_MAX};

/// A whole answer as a body.
type Whole = WithTrailers<Full<Bytes>, std::future::Ready<Option<Result<HeaderMap, Never>>>>;

/// What cannot happen.
type Never = std::convert::Infallible;

/// A connection, good for one call.
pub(super) struct Channel {
    connection: Option<Connection>,
    /// Scheme and authority.
    base: String,
    until: Instant,
}

impl Channel {
    pub(super) fn new(connection: Connection, base: String, until: Instant) -> Channel {
        Channel { connection: Some(connection), base, until }
    }
}

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<Whole>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Whole>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connection = self.connection.take();
        let url = format!("{}{}", self.base, request.uri().path());
        let until = self.until;
        Box::pin(async move {
            let connection = connection.ok_or(Error::Stale { is_reused: true })?;
            let (mut head, body) = request.into_parts();
            head.uri = Uri::try_from(url).map_err(|_| wrong("it has no path"))?;
            let request = Request::from_parts(head, collect(body).await?);
            connection.exchange(request, GRPC_REPLY_BYTES_MAX, until).await.and_then(whole)
        })
    }
}

/// A message is in memory already, and is the whole body.
async fn collect(body: Body) -> Result<Bytes, Error> {
    let body = Limited::new(body, GRPC_MESSAGE_BYTES_MAX).collect().await;
    match body {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(wrong("the message is too long")),
        Err(_) => Err(wrong("the message cannot be put together")),
    }
}

fn wrong(problem: &'static str) -> Error {
    Error::Url { problem }
}

/// Without its end an answer has no status.
fn whole(answer: Answer) -> Result<Response<Whole>, Error> {
    let reason = match answer.body_end {
        BodyEnd::Complete => None,
        BodyEnd::Cut => Some(format!("it is longer than {GRPC_REPLY_BYTES_MAX} bytes")),
        BodyEnd::Broken => Some("it broke off".to_owned()),
    };
    if let Some(reason) = reason {
        return Err(Error::Broken { reason });
    }
    let body = if is_grpc(&answer) { answer.body } else { Bytes::new() };
    let trailers = std::future::ready(answer.trailers.map(Ok));
    let mut response = Response::new(Full::new(body).with_trailers(trailers));
    *response.status_mut() = answer.status.try_into().unwrap_or_default();
    *response.headers_mut() = answer.headers;
    Ok(response)
}

/// What a proxy answers in the server's place is no message; its status of HTTP is translated then
/// (gRPC over HTTP/2, "HTTP2 Transport Mapping").
fn is_grpc(answer: &Answer) -> bool {
    let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.starts_with("application/grpc"))
}
