//! What the handles of a client and its task have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::address::Server;
use crate::error::Error;
use crate::options::{Options, WINDOW_BYTES_MAX};
use crate::request::Request;

/// Bytes that one permit of the window's memory stands for.
const PERMIT_BYTES: usize = 1 << 10;

/// Where an answer goes to.
pub(crate) type Reply = oneshot::Sender<Result<(), Error>>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    /// One permit for each request that waits for the server's confirmation.
    count: Arc<Semaphore>,
    /// Memory for messages, in units of [`PERMIT_BYTES`].
    memory: Arc<Semaphore>,
    /// Tells the task that handles were dropped.
    pub(crate) swept: Notify,
    connection: AtomicU64,
    last_transaction: AtomicU64,
    end: OnceLock<Error>,
    unheard: Mutex<Option<Error>>,
    server: Mutex<Option<Server>>,
}

/// Room for one request among those that are not confirmed.
#[derive(Debug)]
pub(crate) struct Permits {
    /// Given back when all earlier requests are confirmed too.
    pub(crate) count: Option<OwnedSemaphorePermit>,
    /// Given back when the message is not needed any more.
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

impl Shared {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            count: Arc::new(Semaphore::new(options.window)),
            memory: Arc::new(Semaphore::new(WINDOW_BYTES_MAX / PERMIT_BYTES)),
            options,
            swept: Notify::new(),
            connection: AtomicU64::new(0),
            last_transaction: AtomicU64::new(0),
            end: OnceLock::new(),
            unheard: Mutex::new(None),
            server: Mutex::new(None),
        }
    }

    /// Waits for room in the window.
    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.count).acquire_owned().await.map_err(|_| self.end())
    }

    /// Waits for memory for a message.
    pub(crate) async fn memory(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let units = bytes.div_ceil(PERMIT_BYTES).clamp(1, WINDOW_BYTES_MAX / PERMIT_BYTES);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        Arc::clone(&self.memory).acquire_many_owned(units).await.map_err(|_| self.end())
    }

    /// Waits until nothing is unconfirmed.
    ///
    /// # Errors
    /// Why the client has ended, or the first refusal that nobody else was told of.
    pub(crate) async fn flush(&self) -> Result<(), Error> {
        let all = u32::try_from(self.options.window).unwrap_or(u32::MAX);
        drop(self.count.acquire_many(all).await.map_err(|_| self.end())?);
        lock(&self.unheard).take().map_or(Ok(()), Err)
    }

    /// Remembers a failure for the next flush. The first one is what explains the others.
    pub(crate) fn note_unheard(&self, error: Error) {
        lock(&self.unheard).get_or_insert(error);
    }

    /// The number of the connection, counted from 1; 0 when there is none.
    pub(crate) fn connection(&self) -> u64 {
        self.connection.load(Ordering::Acquire)
    }

    pub(crate) fn set_connection(&self, number: u64) {
        self.connection.store(number, Ordering::Release);
    }

    /// A number for a transaction, never used before.
    pub(crate) fn next_transaction(&self) -> u64 {
        self.last_transaction.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The server of the last connection.
    pub(crate) fn server(&self) -> Option<Server> {
        lock(&self.server).clone()
    }

    pub(crate) fn set_server(&self, server: Server) {
        *lock(&self.server) = Some(server);
    }

    /// Why the client has ended.
    pub(crate) fn end(&self) -> Error {
        self.end.get().cloned().unwrap_or(Error::Closed)
    }

    /// Ends the client: whoever waits, or comes later, is told why.
    pub(crate) fn set_end(&self, error: Error) {
        // Only the first end is the reason.
        let _ = self.end.set(error);
        self.set_connection(0);
        self.count.close();
        self.memory.close();
    }
}

/// Nothing panics under these locks, and what they guard is whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What every handle holds: while there is one, the client lives.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) closes: mpsc::Sender<Reply>,
}

impl Handle {
    /// Hands a request to the task.
    pub(crate) async fn request(&self, request: Request) -> Result<(), Error> {
        self.requests.send(request).await.map_err(|_| self.shared.end())
    }

    /// Hands a request to the task and waits for its answer.
    pub(crate) async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.request(request(reply)).await?;
        self.answer(answer).await
    }

    /// Waits for an answer.
    pub(crate) async fn answer(
        &self,
        answer: oneshot::Receiver<Result<(), Error>>,
    ) -> Result<(), Error> {
        answer.await.unwrap_or_else(|_| Err(self.shared.end()))
    }
}
