//! The client: settings, and the first step of a call.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::connect::{Connector, Opened, Stream};
use crate::error::Error;
use crate::exchange::{Connection, Sender};
use crate::limits::{CONNECT_MS_MAX, HOST_CALLS_MAX, IDLE_MS_MAX};
use crate::origin::{HttpVersion, Origin};
use crate::pool::{Host, Pool};
use crate::reach::{Reach, Refusal};
use crate::resolve::{Resolve, SystemResolver};
use crate::tls::{Connectors, TlsError, TlsSettings};

/// What a client may do, and how patient it is.
#[derive(Clone)]
pub struct ClientSettings {
    /// Where calls may go. The default is nowhere.
    pub reach: Reach,
    /// Whom to trust.
    pub tls: TlsSettings,
    /// Where names lead.
    pub resolver: Arc<dyn Resolve>,
    /// How long making a connection may take, in milliseconds.
    pub connect_ms_max: u64,
    /// How long a connection is kept without a call, in milliseconds.
    pub idle_ms_max: u64,
    /// Calls to one origin at the same time, and so connections to it.
    pub host_calls_max: usize,
}

impl Default for ClientSettings {
    fn default() -> ClientSettings {
        ClientSettings {
            reach: Reach::default(),
            tls: TlsSettings::default(),
            resolver: Arc::new(SystemResolver::default()),
            connect_ms_max: CONNECT_MS_MAX,
            idle_ms_max: IDLE_MS_MAX,
            host_calls_max: HOST_CALLS_MAX,
        }
    }
}

/// Makes calls, and keeps connections for the next ones. Copies share everything; couriers that
/// share one share its bounds too.
#[derive(Clone)]
pub struct Client {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    connect_max: Duration,
}

impl Client {
    /// A client without connections.
    ///
    /// # Errors
    /// If a file that the TLS settings name cannot be used.
    pub fn new(settings: ClientSettings) -> Result<Client, TlsError> {
        let tls = Connectors::new(&settings.tls)?;
        let connector = Connector { guard: settings.reach, resolver: settings.resolver, tls };
        let idle_max = Duration::from_millis(settings.idle_ms_max);
        Ok(Client {
            connector: Arc::new(connector),
            pool: Pool::new(idle_max, settings.host_calls_max.max(1)),
            connect_max: Duration::from_millis(settings.connect_ms_max),
        })
    }

    /// Whether the guard could let a call to `origin` out, as far as can be said without resolving
    /// its name.
    ///
    /// # Errors
    /// Why it never will.
    pub fn check(&self, origin: &Origin) -> Result<(), Refusal> {
        let guard = &self.connector.guard;
        match origin.address() {
            Some(address) => guard.check(&origin.host, origin.port, &[address]),
            None => guard.check_name(&origin.host, origin.port),
        }
    }

    /// A connection on which the next request can be written at once. Needs a tokio runtime.
    ///
    /// # Errors
    /// Why there is none before `until`. Nothing was sent.
    pub async fn connect(&self, origin: &Origin, until: Instant) -> Result<Connection, Error> {
        let busy = || Error::Busy { origin: origin.to_string() };
        let host = self.pool.host(origin).ok_or_else(busy)?;
        let permit = timeout_at(until, host.permits.clone().acquire_owned()).await;
        let permit = permit.ok().and_then(Result::ok).ok_or_else(busy)?;
        let (sender, is_reused) = match kept(&host, until).await {
            Some(sender) => (sender, true),
            // In a box: every call would carry the room for a handshake about otherwise.
            None => Box::pin(self.open(&host, origin, until)).await?,
        };
        Ok(Connection { sender, is_reused, origin: origin.clone(), host, _permit: permit })
    }

    /// A fresh connection for a protocol that is not HTTP. It is the caller's: nothing is kept or
    /// counted here. Needs a tokio runtime.
    ///
    /// # Errors
    /// Why there is none before `until`. Nothing was sent.
    pub async fn dial(&self, origin: &Origin, until: Instant) -> Result<Stream, Error> {
        self.connector.dial(origin, until.min(Instant::now() + self.connect_max)).await
    }

    /// A new connection; or one that somebody else has made in the meantime, if it can be shared.
    async fn open(
        &self,
        host: &Host,
        origin: &Origin,
        until: Instant,
    ) -> Result<(Sender, bool), Error> {
        let until = until.min(Instant::now() + self.connect_max);
        let late = |_| Error::ConnectTimeout { origin: origin.to_string() };
        let will_share = host.is_shared() || origin.version == HttpVersion::Http2;
        let _turn = match will_share {
            true => Some(timeout_at(until, host.opening.lock()).await.map_err(late)?),
            false => None,
        };
        if let Some((sender, call)) = host.share() {
            return Ok((Sender::Shared(sender, call), true));
        }
        Ok(match self.connector.open(origin, until).await? {
            Opened::Http1(sender) => (Sender::Sole(sender), false),
            Opened::Http2(sender) => {
                let call = host.keep_shared(sender.clone());
                (Sender::Shared(sender, call), false)
            }
        })
    }
}

/// A connection that is there already and ready for a request.
async fn kept(host: &Host, until: Instant) -> Option<Sender> {
    if let Some((sender, call)) = host.share() {
        return Some(Sender::Shared(sender, call));
    }
    while let Some(mut sender) = host.take_idle() {
        if let Ok(Ok(())) = timeout_at(until, sender.ready()).await {
            return Some(Sender::Sole(sender));
        }
    }
    None
}
