//! The connections by address: one for each, made when it is needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use posthouse_net::limits::CONNECT_MS_MAX;
use posthouse_net::{Client, Origin, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, timeout_at};

use super::call::{Orders, Place};
use super::driver::{Driver, next_event};
use super::lost::Lost;
use super::protocol::{Event, Protocol, Session, Terms};
use crate::courier::limits::ADDRESSES_KEPT_MAX;

/// See the module.
pub(super) struct Lines<P> {
    protocol: P,
    client: Client,
    by_address: Mutex<HashMap<Origin, Arc<Address>>>,
}

/// One address.
#[derive(Default)]
struct Address {
    /// Held while a connection is made, so that only one is.
    opening: tokio::sync::Mutex<()>,
    line: Mutex<Option<Line>>,
}

/// A connection that runs.
#[derive(Clone)]
struct Line {
    orders: Orders,
    permits: Arc<Semaphore>,
}

impl<P: Protocol> Lines<P> {
    pub(super) fn new(protocol: P, client: Client) -> Lines<P> {
        Lines { protocol, client, by_address: Mutex::default() }
    }

    /// A place for one request on the connection to `origin`, which is made if there is none.
    /// Nothing is sent.
    pub(super) async fn place(&self, origin: &Origin, until: Instant) -> Result<Place, Lost> {
        let address = self.address(origin);
        loop {
            let Line { orders, permits } = self.line(&address, origin, until).await?;
            let permit = timeout_at(until, permits.acquire_owned()).await;
            match permit.map_err(|_| Lost::Busy)? {
                Ok(permit) => return Ok(Place { orders, permit }),
                // The connection has ended while it was waited for: another one is made.
                Err(_) => continue,
            }
        }
    }

    /// Addresses that nobody is connected to are forgotten when there are many.
    fn address(&self, origin: &Origin) -> Arc<Address> {
        let mut known = lock(&self.by_address);
        if let Some(address) = known.get(origin) {
            return address.clone();
        }
        if known.len() >= ADDRESSES_KEPT_MAX {
            known.retain(|_, address| address.running().is_some());
        }
        known.entry(origin.clone()).or_default().clone()
    }

    async fn line(&self, address: &Address, origin: &Origin, until: Instant) -> Result<Line, Lost> {
        if let Some(line) = address.running() {
            return Ok(line);
        }
        let _turn = timeout_at(until, address.opening.lock()).await.map_err(|_| Lost::Busy)?;
        if let Some(line) = address.running() {
            return Ok(line);
        }
        let line = self.open(origin, until).await?;
        *lock(&address.line) = Some(line.clone());
        Ok(line)
    }

    async fn open(&self, origin: &Origin, until: Instant) -> Result<Line, Lost> {
        let until = until.min(Instant::now() + Duration::from_millis(CONNECT_MS_MAX));
        let mut stream = self.client.dial(origin, until).await?;
        let mut session = self.protocol.begin();
        let mut input = BytesMut::new();
        let greeted = timeout_at(until, greet(&mut stream, &mut session, &mut input)).await;
        let late = |_| Err("it said nothing in time".to_owned());
        let terms = greeted.unwrap_or_else(late).map_err(|reason| Lost::Greeting { reason })?;
        let permits = Arc::new(Semaphore::new(terms.requests_max.clamp(1, Semaphore::MAX_PERMITS)));
        let (orders, receiver) = Orders::new();
        let driver = Driver::new(stream, session, input, terms, receiver, permits.clone());
        tokio::spawn(driver.run());
        Ok(Line { orders, permits })
    }
}

impl Address {
    fn running(&self) -> Option<Line> {
        lock(&self.line).clone().filter(|line| !line.orders.is_closed())
    }
}

/// Says what is said first, and waits until requests may be written.
async fn greet<S: Session>(
    stream: &mut Stream,
    session: &mut S,
    input: &mut BytesMut,
) -> Result<Terms, String> {
    let mut out = BytesMut::new();
    session.open(&mut out);
    stream.write_all(&out).await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    loop {
        match next_event(session, input)? {
            Some(Event::Ready(terms)) => return Ok(terms),
            Some(Event::Leaving { .. }) => return Err("it takes no requests".into()),
            Some(Event::Answer { .. }) => return Err("it answered before it was asked".into()),
            Some(Event::Alive) => {}
            None => match stream.read_buf(input).await {
                Ok(0) => return Err("it closed the connection".into()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            },
        }
    }
}

/// What these locks guard is whole after every statement, even if a thread panicked with one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
