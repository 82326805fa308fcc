//! The client's task: it owns the socket and the engine, and keeps the one fed from the other.
//!
//! The task ends when the client is closed, when all handles are dropped, or when the servers
//! cannot be reached as often as was allowed. Whoever waits for it then is told why.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::connector::Connector;
use crate::engine::Engine;
use crate::error::Error;
use crate::link::Link;
use crate::request::Request;
use crate::shared::{Reply, Shared};

/// How long to wait for the server's answer to DISCONNECT.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests that are carried out before the socket has its turn.
const REQUESTS_PER_TURN: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) engine: Engine,
    pub(crate) connector: Connector,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) closes: mpsc::Receiver<Reply>,
    /// Whether handles were dropped that are to be cleaned up after.
    pub(crate) is_sweep_due: bool,
}

/// How the work on one connection ended.
enum Ended {
    /// As it was asked to.
    Closed(Option<Reply>),
    /// By the other side, or by what lies between.
    Broken(Error),
}

impl Worker {
    /// Works until the client ends, beginning with a connection.
    pub(crate) async fn run(mut self, mut link: Link) {
        loop {
            let reconnected = match self.serve(link).await {
                Ended::Closed(reply) => Err((Error::Closed, reply)),
                Ended::Broken(error) => self.reconnect(error).await,
            };
            match reconnected {
                Ok(next) => link = next,
                Err((error, reply)) => {
                    self.engine.end(&error);
                    drop(reply.map(|reply| reply.send(Ok(()))));
                    return;
                }
            }
        }
    }

    /// Makes the connection again, unless the client is closed meanwhile.
    async fn reconnect(&mut self, error: Error) -> Result<Link, (Error, Option<Reply>)> {
        self.engine.on_broken(&error);
        if self.engine.is_proved() {
            self.connector.reset();
        }
        tokio::select! {
            outcome = self.connector.reconnect(error) => outcome.map_err(|error| (error, None)),
            reply = self.closes.recv() => Err((Error::Closed, reply)),
        }
    }

    /// Works on one connection until it ends.
    async fn serve(&mut self, mut link: Link) -> Ended {
        self.engine.on_connected(&mut link.out);
        loop {
            if let Err(error) = self.fill(&mut link) {
                return Ended::Broken(error);
            }
            let wants_requests = link.has_room() && self.engine.wants_requests();
            let turn = tokio::select! {
                ready = link.ready() => ready.map_err(Error::connection_lost),
                Some(request) = self.requests.recv(), if wants_requests => {
                    self.engine.on_request(request, &mut link.out);
                    Ok(())
                }
                () = self.shared.swept.notified() => {
                    self.is_sweep_due = true;
                    Ok(())
                }
                reply = self.closes.recv() => return self.say_goodbye(link, reply).await,
            };
            let turn = turn.and_then(|()| self.turn(&mut link));
            if let Err(error) = turn {
                return Ended::Broken(error);
            }
        }
    }

    fn turn(&mut self, link: &mut Link) -> Result<(), Error> {
        link.turn(Instant::now(), |frame| self.engine.on_frame(frame))
    }

    /// Appends what is to be resent, and requests that are there already, so that many frames leave
    /// in one write. What was dropped is cleaned up after what was asked for before.
    fn fill(&mut self, link: &mut Link) -> Result<(), Error> {
        while link.has_room() && !self.engine.wants_requests() {
            self.engine.write_next(&mut link.out);
        }
        for _ in 0..REQUESTS_PER_TURN {
            if !link.has_room() || !self.engine.wants_requests() {
                break;
            }
            let Ok(request) = self.requests.try_recv() else {
                if std::mem::take(&mut self.is_sweep_due) {
                    self.engine.sweep(&mut link.out);
                }
                break;
            };
            self.engine.on_request(request, &mut link.out);
        }
        link.flush(Instant::now())
    }

    /// Carries out the requests that came before, and ends the connection in order.
    async fn say_goodbye(&mut self, mut link: Link, reply: Option<Reply>) -> Ended {
        let deadline = Instant::now() + GOODBYE_TIMEOUT;
        self.is_sweep_due = true;
        let goodbye = async {
            loop {
                self.fill(&mut link)?;
                if self.requests.is_empty() && self.engine.wants_requests() {
                    break;
                }
                if !link.has_room() {
                    link.ready().await.map_err(Error::connection_lost)?;
                    self.turn(&mut link)?;
                }
            }
            self.engine.disconnect(&mut link.out);
            link.flush(Instant::now())?;
            while !self.engine.is_disconnected() {
                link.ready().await.map_err(Error::connection_lost)?;
                self.turn(&mut link)?;
            }
            Ok::<(), Error>(())
        };
        tokio::select! {
            // Everything that waits for an answer has been told, so that a break does no harm.
            _ = goodbye => {}
            () = sleep_until(deadline) => {}
        }
        Ended::Closed(reply)
    }
}
