//! Takes HTTP connections and answers them. A connection that says nothing, or says it too
//! slowly, is closed, and there are never more of them than a bound.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
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

async fn answer(
    stream: TcpStream,
    router: TowerToHyperService<axum::Router>,
    mut stop: Stop,
    _permit: OwnedSemaphorePermit,
) {
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
