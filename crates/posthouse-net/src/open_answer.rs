//! An answer that is read piece by piece: one that never ends, or one that is longer than what the
//! answers of receivers may be.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, chain};
use crate::exchange::{Connection, Sender, explain, for_http1, for_http2};

/// An answer whose body is still to come. Dropping it closes its connection, unless other calls
/// share that.
pub struct OpenAnswer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    connection: Connection,
}

impl Connection {
    /// Writes `request` as [`exchange`](Connection::exchange) does, and waits for the head of the
    /// answer until `until`.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(
        mut self,
        request: Request<Bytes>,
        until: Instant,
    ) -> Result<OpenAnswer, Error> {
        let is_reused = self.is_reused;
        let late = |_| Error::Timeout;
        let sent = match &mut self.sender {
            Sender::Sole(sender) => {
                let sent = sender.try_send_request(for_http1(request, &self.origin));
                timeout_at(until, sent).await.map_err(late)?
            }
            Sender::Shared(sender, _) => {
                let sent = sender.try_send_request(for_http2(request));
                timeout_at(until, sent).await.map_err(late)?
            }
        };
        let response: Response<Incoming> = sent.map_err(|error| explain(error, is_reused))?;
        let (head, body) = response.into_parts();
        Ok(OpenAnswer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            connection: self,
        })
    }
}

impl OpenAnswer {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// That the connection broke, or that nothing came before `until`.
    pub async fn piece(&mut self, until: Instant) -> Result<Option<Bytes>, Error> {
        loop {
            let frame = timeout_at(until, self.body.frame()).await.map_err(|_| Error::Timeout)?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| Error::Broken { reason: chain(&error) })?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// All that is left, and the connection kept for the next call.
    ///
    /// # Errors
    /// As [`piece`](OpenAnswer::piece), and that there are more than `bytes_max` bytes.
    pub async fn whole(mut self, bytes_max: usize, until: Instant) -> Result<Bytes, Error> {
        let mut bytes = BytesMut::new();
        while let Some(piece) = self.piece(until).await? {
            if bytes.len() + piece.len() > bytes_max {
                let reason = format!("it is longer than {bytes_max} bytes");
                return Err(Error::Malformed { reason });
            }
            bytes.extend_from_slice(&piece);
        }
        let Connection { sender, host, .. } = self.connection;
        if let Sender::Sole(sender) = sender {
            host.keep_idle(sender);
        }
        Ok(bytes.freeze())
    }
}
