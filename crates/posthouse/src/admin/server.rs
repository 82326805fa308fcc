//! Takes HTTP connections and answers them. A connection that says nothing, or says it too
//! slowly, is closed, and there are never more of them than a bound.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::{Admin, routes};
use crate::stop::Stop;

/// HTTP connections at the same time; others wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How long a request's head may take.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long to wait after the system refused to give another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// When the year 10000 begins, in seconds since 1970.
const SECONDS_OF_YEAR_10000: u64 = 253_402_300_800;

/// What clients hear while the clock is set to a time without a date. It is written by hand, for
/// nothing that knows dates can do it.
const CLOCK_ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 64\r\n\
    Content-Type: text/plain\r\nConnection: close\r\n\r\n\
    The clock of this machine is before 1970 or after 9999; set it.\n";

/// Answers requests on `listeners` until `stop` says so, then finishes what is being answered.
pub(crate) async fn serve(admin: Arc<Admin>, listeners: Vec<TcpListener>, stop: Stop) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(admin.clone(), listener, permits.clone(), stop.clone()));
    }
    accepting.join_all().await;
}

async fn accept(admin: Arc<Admin>, listener: TcpListener, permits: Arc<Semaphore>, mut stop: Stop) {
    let router = TowerToHyperService::new(routes::router(&admin));
    let mut answering = JoinSet::new();
    loop {
        while answering.try_join_next().is_some() {}
        tokio::select! {
            () = stop.stopped() => break,
            accepted = next(&listener, &permits) => {
                if let Some((stream, permit)) = accepted {
                    answering.spawn(answer(stream, router.clone(), stop.clone(), permit));
                }
            }
        }
    }
    answering.join_all().await;
}

async fn next(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "could not accept an HTTP connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Whether HTTP has a date for a time (RFC 9110, section 5.6.7). The library writes one into each
/// answer and breaks off at any other time.
fn has_http_date(now: SystemTime) -> bool {
    let since = now.duration_since(UNIX_EPOCH);
    since.is_ok_and(|since| since.as_secs() < SECONDS_OF_YEAR_10000)
}

async fn answer(
    mut stream: TcpStream,
    router: TowerToHyperService<axum::Router>,
    mut stop: Stop,
    _permit: OwnedSemaphorePermit,
) {
    if !has_http_date(SystemTime::now()) {
        tracing::error!("the system clock is set to a year that HTTP does not know; set it");
        // Whoever has gone already needs no answer.
        let _ = stream.write_all(CLOCK_ANSWER).await;
        return;
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX);
    builder.max_buf_size(HEAD_BYTES_MAX);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), router));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{CLOCK_ANSWER, SECONDS_OF_YEAR_10000, has_http_date};

    #[test]
    fn a_clock_outside_of_what_http_knows_is_noticed() {
        let second = Duration::from_secs(1);
        let end = UNIX_EPOCH + Duration::from_secs(SECONDS_OF_YEAR_10000);
        let cases =
            [(UNIX_EPOCH - second, false), (UNIX_EPOCH, true), (end - second, true), (end, false)];
        for (now, expected) in cases {
            assert_eq!(has_http_date(now), expected, "{now:?}");
        }
    }

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(CLOCK_ANSWER).expect("it is ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
