//! The second step of a call: write the request, read the answer, within bounds.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use hyper::{Request, Response, Uri, Version};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::connect::{Http1Sender, Http2Sender};
use crate::error::{Error, chain};
use crate::limits::ANSWER_BODY_READ_BYTES_MAX;
use crate::origin::Origin;
use crate::pool::Host;

/// A connection that is ready for one request. Dropping it before or during the exchange closes
/// it, unless other calls share it.
pub struct Connection {
    pub(crate) sender: Sender,
    pub(crate) is_reused: bool,
    pub(crate) origin: Origin,
    pub(crate) host: Arc<Host>,
    pub(crate) _permit: OwnedSemaphorePermit,
}

/// Writes the request.
pub(crate) enum Sender {
    /// HTTP/1.1: this call has the connection for itself.
    Sole(Http1Sender),
    /// HTTP/2: with the mark of this call.
    Shared(Http2Sender, Arc<()>),
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body, as much as was asked for.
    pub body: Bytes,
    /// How the body ended.
    pub body_end: BodyEnd,
    /// The headers behind the body, if there are any.
    pub trailers: Option<HeaderMap>,
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// As it should, and all that was asked for was kept.
    Complete,
    /// It is longer than what is kept.
    Cut,
    /// The connection broke, or time was up, in the middle.
    Broken,
}

impl Connection {
    /// Writes `request`, whose URL is absolute and of this connection's origin, and waits for the
    /// answer until `until`. Keeps at most `body_bytes_max` bytes of its body, and reads no more
    /// than that or [`ANSWER_BODY_READ_BYTES_MAX`], whichever is more. The request is written once,
    /// whatever happens.
    ///
    /// # Errors
    /// Why there is no answer. After [`Error::Stale`] nothing was sent; the others leave open
    /// whether the request was handled. Once a status has come there is no error any more.
    pub async fn exchange(
        self,
        request: Request<Bytes>,
        body_bytes_max: usize,
        until: Instant,
    ) -> Result<Answer, Error> {
        let Connection { sender, is_reused, origin, host, _permit } = self;
        let late = |_| Error::Timeout;
        match sender {
            Sender::Sole(mut sender) => {
                let sent = sender.try_send_request(for_http1(request, &origin));
                let sent = timeout_at(until, sent).await.map_err(late)?;
                let response = sent.map_err(|error| explain(error, is_reused))?;
                let (answer, is_drained) = receive(response, body_bytes_max, until).await;
                if is_drained {
                    host.keep_idle(sender);
                }
                Ok(answer)
            }
            Sender::Shared(mut sender, _call) => {
                let sent = Box::pin(sender.try_send_request(for_http2(request)));
                let sent = timeout_at(until, sent).await.map_err(late)?;
                let response = sent.map_err(|error| explain(error, is_reused))?;
                Ok(receive(response, body_bytes_max, until).await.0)
            }
        }
    }
}

/// HTTP/1.1 has the path in its first line and the host in a header (RFC 9112, section 3.2.1). An
/// empty body says so, because some servers ask for a length with every POST (RFC 9110, section
/// 8.6), and hyper leaves it out.
pub(crate) fn for_http1(request: Request<Bytes>, origin: &Origin) -> Request<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    if let Ok(host) = HeaderValue::try_from(origin.authority()) {
        head.headers.insert(HOST, host);
    }
    if body.is_empty() {
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let path = head.uri.into_parts().path_and_query;
    head.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    Request::from_parts(head, Full::new(body))
}

/// HTTP/2 takes the host from the URL (RFC 9113, section 8.3.1).
pub(crate) fn for_http2(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    head.version = Version::HTTP_2;
    head.headers.remove(HOST);
    Request::from_parts(head, Full::new(body))
}

/// The request comes back from the driver only if it has not begun to write it.
pub(crate) fn explain(failed: TrySendError<Request<Full<Bytes>>>, is_reused: bool) -> Error {
    if failed.message().is_some() {
        return Error::Stale { is_reused };
    }
    let error = failed.into_error();
    let reason = chain(&error);
    if error.is_parse() { Error::Malformed { reason } } else { Error::Broken { reason } }
}

/// Reads the body within bounds; says whether the connection is good for another call.
async fn receive(
    response: Response<Incoming>,
    kept_bytes_max: usize,
    until: Instant,
) -> (Answer, bool) {
    let (head, mut body) = response.into_parts();
    let mut kept = Kept { body: BytesMut::new(), trailers: None, bytes_max: kept_bytes_max };
    let ended = timeout_at(until, kept.read(&mut body)).await;
    let (body_end, is_drained) = ended.unwrap_or((BodyEnd::Broken, false));
    let (status, headers) = (head.status.as_u16(), head.headers);
    let (body, trailers) = (kept.body.freeze(), kept.trailers);
    (Answer { status, headers, body, body_end, trailers }, is_drained)
}

/// What is kept of an answer while it is read.
struct Kept {
    body: BytesMut,
    trailers: Option<HeaderMap>,
    bytes_max: usize,
}

impl Kept {
    /// Whoever keeps more than is usually read has more read.
    async fn read(&mut self, body: &mut Incoming) -> (BodyEnd, bool) {
        let read_bytes_max = self.bytes_max.max(ANSWER_BODY_READ_BYTES_MAX);
        let mut read_bytes = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return (BodyEnd::Broken, false) };
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok();
                    continue;
                }
            };
            read_bytes += data.len();
            let wanted = self.bytes_max.saturating_sub(self.body.len()).min(data.len());
            self.body.extend_from_slice(data.get(..wanted).unwrap_or_default());
            if read_bytes > read_bytes_max {
                return (BodyEnd::Cut, false);
            }
        }
        let is_cut = read_bytes > self.body.len();
        (if is_cut { BodyEnd::Cut } else { BodyEnd::Complete }, true)
    }
}
