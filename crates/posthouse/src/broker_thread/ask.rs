//! What the rest of the process may ask of the broker thread. Answers are plain copies: sorting
//! and formatting happen where they are asked for, so that a big listing never delays messages.

use std::net::SocketAddr;

use posthouse_core::broker::view::{
    BrokerStats, BrowseCursor, BrowsePage, DestinationStats, SubscriptionStats,
};
use posthouse_core::destination::DestinationName;
use posthouse_core::ids::{DestinationId, SubscriptionId};
use posthouse_core::refusal::Refusal;
use posthouse_core::selector::Selector;
use posthouse_wire::stomp::session::SessionInfo;
use tokio::sync::{mpsc, oneshot};

use crate::config::LimitsConfig;

/// Things that one answer lists: so much is copied out between two turns, and no more.
pub(super) const PAGE: usize = 256;

/// Questions that may wait at the same time; whoever comes then waits.
const ASKS_MAX: usize = 64;

/// Where an answer goes. Nobody may be there any more, which is no harm.
pub(crate) type Reply<T> = oneshot::Sender<T>;

/// Everything that can be asked.
#[derive(Debug)]
pub(crate) enum Ask {
    /// The node in figures.
    Overview(Reply<Overview>),
    /// The destinations after this one, a page of them.
    Destinations(Option<DestinationId>, Reply<Vec<DestinationStats>>),
    /// One destination.
    Destination(DestinationName, Reply<Option<DestinationStats>>),
    /// The durable subscriptions after this one, a page of them.
    Subscriptions(Option<SubscriptionId>, Reply<Vec<SubscriptionStats>>),
    /// The messaging connections from this slot on, a page of them, and where to go on.
    Connections(u32, Reply<ConnectionPage>),
    /// A look into a queue.
    Browse(Box<Browse>, Reply<Result<BrowsePage, Refusal>>),
    /// To change something; answers how many messages it was about.
    Act(Action, Reply<Result<u64, Refusal>>),
    /// To be told when everything that was changed so far is durable.
    Settled(Reply<()>),
    /// To keep other limits from now on.
    Limit(LimitsConfig),
}

/// A look into a queue.
#[derive(Debug)]
pub(crate) struct Browse {
    /// Which queue.
    pub(crate) queue: DestinationName,
    /// Where to begin.
    pub(crate) from: BrowseCursor,
    /// Messages at most.
    pub(crate) limit: usize,
    /// Which messages.
    pub(crate) selector: Option<Selector>,
}

/// A look whose messages have to be loaded first, and who waits for it.
pub(super) type ParkedBrowse = (Box<Browse>, Reply<Result<BrowsePage, Refusal>>);

/// A page of connections, and the slot to go on with.
pub(crate) type ConnectionPage = (Vec<ConnectionInfo>, Option<u32>);

/// A change that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Drop messages of a queue that nobody is working on.
    Purge {
        /// Which queue.
        queue: DestinationName,
        /// Messages at most, up to [`BATCH_MAX`](posthouse_core::limits::BATCH_MAX).
        limit: u64,
    },
    /// Move messages of a dead-letter queue back.
    Redrive {
        /// Which queue.
        queue: DestinationName,
        /// Messages at most, up to [`BATCH_MAX`](posthouse_core::limits::BATCH_MAX).
        limit: u64,
    },
    /// Remove a destination with its messages.
    RemoveDestination(DestinationName),
    /// Remove a durable subscription with its messages.
    RemoveSubscription {
        /// The client's name.
        client: Box<str>,
        /// The subscription's name.
        name: Box<str>,
    },
}

/// The node in figures.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overview {
    /// What the broker counts.
    pub(crate) broker: BrokerStats,
    /// What the connections count.
    pub(crate) connections: ConnectionTotals,
}

/// All connections together. All but `open` only grow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ConnectionTotals {
    /// Connections at the moment.
    pub(crate) open: u64,
    /// Connections that were ever taken.
    pub(crate) opened: u64,
    /// Connections that were refused by a limit.
    pub(crate) refused: u64,
    /// Bytes that came in.
    pub(crate) bytes_in: u64,
    /// Bytes that went out.
    pub(crate) bytes_out: u64,
}

/// One messaging connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionInfo {
    /// Counts connections from 1.
    pub(crate) id: u64,
    /// The peer.
    pub(crate) address: SocketAddr,
    /// When it came, in wall milliseconds.
    pub(crate) connected_ms: u64,
    /// Bytes that came in.
    pub(crate) bytes_in: u64,
    /// Bytes that went out.
    pub(crate) bytes_out: u64,
    /// Bytes that wait to be written.
    pub(crate) output_bytes: usize,
    /// What its session says.
    pub(crate) session: SessionInfo,
}

/// The broker thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Asks the broker thread.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    asks: mpsc::Sender<Ask>,
}

/// A way to ask, and where the questions arrive.
pub(crate) fn channel() -> (Asker, mpsc::Receiver<Ask>) {
    let (asks, receiver) = mpsc::channel(ASKS_MAX);
    (Asker { asks }, receiver)
}

impl Asker {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`Stopped`] when nobody will answer any more.
    pub(crate) async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(ask(reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// Every destination, by id.
    ///
    /// # Errors
    /// [`Stopped`] when nobody will answer any more.
    pub(crate) async fn destinations(&self) -> Result<Vec<DestinationStats>, Stopped> {
        let mut all: Vec<DestinationStats> = Vec::new();
        loop {
            let after = all.last().map(|stats| stats.id);
            let page = self.ask(|reply| Ask::Destinations(after, reply)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Every durable subscription, by id.
    ///
    /// # Errors
    /// [`Stopped`] when nobody will answer any more.
    pub(crate) async fn subscriptions(&self) -> Result<Vec<SubscriptionStats>, Stopped> {
        let mut all: Vec<SubscriptionStats> = Vec::new();
        loop {
            let after = all.last().map(|stats| stats.id);
            let page = self.ask(|reply| Ask::Subscriptions(after, reply)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Every messaging connection.
    ///
    /// # Errors
    /// [`Stopped`] when nobody will answer any more.
    pub(crate) async fn connections(&self) -> Result<Vec<ConnectionInfo>, Stopped> {
        let mut all = Vec::new();
        let mut from = Some(0);
        while let Some(slot) = from {
            let (page, next) = self.ask(|reply| Ask::Connections(slot, reply)).await?;
            all.extend(page);
            from = next;
        }
        Ok(all)
    }

    /// Says that other limits hold.
    ///
    /// # Errors
    /// [`Stopped`] when nobody listens any more.
    pub(crate) async fn limit(&self, limits: LimitsConfig) -> Result<(), Stopped> {
        self.asks.send(Ask::Limit(limits)).await.map_err(|_| Stopped)
    }
}
