//! Making one connection: resolve, judge, connect to what was judged, shake hands.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::{Error, chain};
use crate::limits::{ADDRESSES_TRIED_MAX, ANSWER_HEAD_BYTES_MAX, PING_MS, PONG_MS_MAX};
use crate::origin::{HttpVersion, Origin};
use crate::pool::lock;
use crate::reach::Reach;
use crate::resolve::Resolve;
use crate::tls::Connectors;

/// Writes requests with the whole body in memory.
pub(crate) type Http1Sender = http1::SendRequest<Full<Bytes>>;

/// Writes many requests at a time.
#[derive(Clone)]
pub(crate) struct Http2Sender {
    sender: http2::SendRequest<Full<Bytes>>,
    calls_max: Arc<dyn Fn() -> usize + Send + Sync>,
}

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of its own for a protocol that is not HTTP, with or without TLS. Dropping it closes
/// it.
pub type Stream = Box<dyn Duplex>;

/// A fresh connection.
pub(crate) enum Opened {
    /// For one call at a time.
    Http1(Http1Sender),
    /// For many.
    Http2(Http2Sender),
}

/// Makes connections. The only place that opens a socket.
pub(crate) struct Connector {
    /// Where connections may go.
    pub(crate) guard: Reach,
    /// Where names lead.
    pub(crate) resolver: Arc<dyn Resolve>,
    /// Whom to trust.
    pub(crate) tls: Connectors,
}

impl Http2Sender {
    /// As hyper has it.
    pub(crate) fn try_send_request(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>>> {
        self.sender.try_send_request(request)
    }

    /// Whether requests are still taken.
    pub(crate) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// How many calls the peer allows at the same time, as far as it has said so.
    pub(crate) fn calls_max(&self) -> usize {
        (self.calls_max)()
    }
}

impl Connector {
    /// A connection to `origin`, made before `until`.
    pub(crate) async fn open(&self, origin: &Origin, until: Instant) -> Result<Opened, Error> {
        let late = |_| Error::ConnectTimeout { origin: origin.to_string() };
        let stream = self.reach(origin, until).await?;
        timeout_at(until, self.shake_hands(origin, stream)).await.map_err(late)?
    }

    /// A bare stream to `origin`, made before `until`, for a protocol of its own.
    pub(crate) async fn dial(&self, origin: &Origin, until: Instant) -> Result<Stream, Error> {
        let late = |_| Error::ConnectTimeout { origin: origin.to_string() };
        let stream = self.reach(origin, until).await?;
        if !origin.is_tls {
            return Ok(Box::new(stream));
        }
        let secured = secure(origin, self.tls.offering_nothing(), stream);
        Ok(Box::new(timeout_at(until, secured).await.map_err(late)??))
    }

    /// Connects to an address of `origin` that was judged.
    async fn reach(&self, origin: &Origin, until: Instant) -> Result<TcpStream, Error> {
        let late = |_| Error::ConnectTimeout { origin: origin.to_string() };
        let addresses = timeout_at(until, self.addresses(origin)).await.map_err(late)??;
        connect_any(origin, &addresses, until).await
    }

    /// The addresses of `origin`, all judged.
    async fn addresses(&self, origin: &Origin) -> Result<Vec<IpAddr>, Error> {
        let addresses = match origin.address() {
            Some(address) => vec![address],
            None => self.resolve(origin).await?,
        };
        self.guard.check(&origin.host, origin.port, &addresses)?;
        Ok(addresses)
    }

    async fn resolve(&self, origin: &Origin) -> Result<Vec<IpAddr>, Error> {
        self.guard.check_name(&origin.host, origin.port)?;
        let host = origin.host.to_string();
        match self.resolver.resolve(&origin.host).await {
            Ok(addresses) if addresses.is_empty() => {
                Err(Error::Unresolved { host, reason: "the name has no address".into() })
            }
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(Error::Unresolved { host, reason: error.to_string() }),
        }
    }

    async fn shake_hands(&self, origin: &Origin, stream: TcpStream) -> Result<Opened, Error> {
        if !origin.is_tls {
            let is_http2 = origin.version == HttpVersion::Http2;
            return begin(origin, TokioIo::new(stream), is_http2).await;
        }
        let stream = secure(origin, self.tls.offering(origin.version), stream).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        if origin.version == HttpVersion::Http2 && !is_http2 {
            let reason = "the server does not speak HTTP/2".into();
            return Err(Error::Tls { origin: origin.to_string(), reason });
        }
        begin(origin, TokioIo::new(stream), is_http2).await
    }
}

/// Shakes hands for TLS with whoever has a certificate for the host.
async fn secure(
    origin: &Origin,
    connector: Result<&TlsConnector, &'static str>,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Error> {
    let broken = |reason: String| Error::Tls { origin: origin.to_string(), reason };
    let connector = connector.map_err(|why| broken(why.into()))?;
    let name = ServerName::try_from(origin.tls_name().trim_end_matches('.').to_owned());
    let name = name.map_err(|error| broken(error.to_string()))?;
    connector.connect(name, stream).await.map_err(|error| broken(error.to_string()))
}

/// Connects to the first address that answers. Each gets an equal part of the time that is left.
async fn connect_any(
    origin: &Origin,
    addresses: &[IpAddr],
    until: Instant,
) -> Result<TcpStream, Error> {
    let mut last = Error::ConnectTimeout { origin: origin.to_string() };
    let tried = addresses.len().min(ADDRESSES_TRIED_MAX);
    for (nth, address) in addresses.iter().take(tried).enumerate() {
        let now = Instant::now();
        let left = u32::try_from(tried - nth).unwrap_or(1);
        let part = now + until.saturating_duration_since(now) / left;
        match timeout_at(part, connect(SocketAddr::new(*address, origin.port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => {
                let reason = format!("{address}: {error}");
                last = Error::Unreachable { origin: origin.to_string(), reason };
            }
            Err(_) => last = Error::ConnectTimeout { origin: origin.to_string() },
        }
    }
    Err(last)
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Begins HTTP on a stream, and starts the task that drives it until it is closed.
async fn begin<T>(origin: &Origin, stream: T, is_http2: bool) -> Result<Opened, Error>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let unreachable = |error: hyper::Error| Error::Unreachable {
        origin: origin.to_string(),
        reason: chain(&error),
    };
    if is_http2 {
        return begin_http2(stream).await.map_err(unreachable);
    }
    let mut builder = http1::Builder::new();
    builder.max_header_size(ANSWER_HEAD_BYTES_MAX).max_buf_size(2 * ANSWER_HEAD_BYTES_MAX);
    let (sender, connection) = builder.handshake(stream).await.map_err(unreachable)?;
    tokio::spawn(connection);
    Ok(Opened::Http1(sender))
}

/// Only the connection itself knows what the peer allows by now, so its driver shares it.
async fn begin_http2<T>(stream: T) -> hyper::Result<Opened>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let head_bytes_max = u32::try_from(ANSWER_HEAD_BYTES_MAX).unwrap_or(u32::MAX);
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(head_bytes_max)
        .keep_alive_interval(Duration::from_millis(PING_MS))
        .keep_alive_timeout(Duration::from_millis(PONG_MS_MAX));
    let (sender, connection) = builder.handshake(stream).await?;
    let connection = Arc::new(Mutex::new(Box::pin(connection)));
    let seen = Arc::downgrade(&connection);
    let calls_max = Arc::new(move || {
        seen.upgrade().map_or(0, |connection| lock(&connection).current_max_send_streams())
    });
    tokio::spawn(poll_fn(move |context| lock(&connection).as_mut().poll(context)));
    Ok(Opened::Http2(Http2Sender { sender, calls_max }))
}
