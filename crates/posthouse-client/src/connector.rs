//! From a list of servers to a connection: rounds over the list, with pauses between them.

use std::sync::Arc;

use fastrand::Rng;
use tokio::time::sleep;

use crate::address::{Address, Server};
use crate::backoff::Backoff;
use crate::error::Error;
use crate::link::Link;
use crate::login::log_in;
use crate::servers::Servers;
use crate::shared::Shared;

/// See the module.
#[derive(Debug)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
    servers: Servers,
    backoff: Backoff,
    random: Rng,
}

impl Connector {
    /// A connector that has tried nothing.
    pub(crate) fn new(shared: Arc<Shared>, address: Address, seed: u64) -> Self {
        Self {
            shared,
            servers: Servers::new(address.servers, address.is_random),
            backoff: Backoff::new(address.reconnect),
            random: Rng::with_seed(seed),
        }
    }

    /// Makes the first connection; its first round begins at once.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when one round was allowed, else [`Error::GaveUp`];
    /// [`Error::LoginRefused`], [`Error::Protocol`].
    pub(crate) async fn connect(&mut self) -> Result<Link, Error> {
        match self.try_all().await {
            Ok(link) => Ok(link),
            Err(error) => self.reconnect(error).await,
        }
    }

    /// The last connection has proved to work.
    pub(crate) fn reset(&mut self) {
        self.backoff.reset();
    }

    /// Tries round after round, with a pause before each, after `error` has happened. A refused
    /// login is final, unless its reason may pass.
    ///
    /// # Errors
    /// As [`Connector::connect`].
    pub(crate) async fn reconnect(&mut self, mut error: Error) -> Result<Link, Error> {
        loop {
            if matches!(&error, Error::LoginRefused(refusal) if !refusal.is_retryable()) {
                return Err(error);
            }
            let Some(pause) = self.backoff.next_delay(&mut self.random) else {
                return Err(self.give_up(error));
            };
            sleep(pause).await;
            match self.try_all().await {
                Ok(link) => return Ok(link),
                Err(next) => error = next,
            }
        }
    }

    fn give_up(&self, error: Error) -> Error {
        match self.backoff.rounds() {
            0 => error,
            rounds => Error::GaveUp { rounds, last: Arc::new(error) },
        }
    }

    /// Tries every server once; the last failure is told.
    async fn try_all(&mut self) -> Result<Link, Error> {
        self.servers.begin_round(&mut self.random);
        let mut result = Err(Error::Closed);
        while let Some(server) = self.servers.next_server() {
            result = self.try_one(server).await;
            if result.is_ok() {
                break;
            }
        }
        result
    }

    async fn try_one(&mut self, server: Server) -> Result<Link, Error> {
        let link = log_in(&server, &self.shared.options).await?;
        self.shared.set_server(server);
        Ok(link)
    }
}
