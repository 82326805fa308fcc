//! SQLite: pools and their settings.
//!
//! One file has one writer at a time, whoever it is; there are several connections so that reads
//! need not wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use super::file::Watch;
use super::{Door, Options, unreachable, wake};
use crate::source::error::SourceError;
use crate::source::limits::{ACQUIRE_MAX, SQLITE_BUSY_MAX};

/// The pools of one database, of whichever file stands at its path.
pub(crate) struct Pools {
    target: SqliteConnectOptions,
    connections_max: u32,
    file: Watch,
    open: Mutex<Arc<Open>>,
}

/// The pools of one file.
struct Open {
    work: SqlitePool,
    round: SqlitePool,
    wake: SqlitePool,
    eye: wake::Eye,
}

impl Pools {
    pub(super) fn open(target: SqliteConnectOptions, options: &Options) -> Pools {
        let target = target.busy_timeout(SQLITE_BUSY_MAX);
        let connections_max = options.connections_max.max(1);
        let file = Watch::new(target.get_filename());
        let open = Mutex::new(Arc::new(Open::new(connections_max, &target)));
        Pools { target, connections_max, file, open }
    }

    fn now_open(&self) -> Arc<Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn take(&self, door: Door) -> Result<PoolConnection<Sqlite>, SourceError> {
        self.file.look(door == Door::Round)?;
        let open = self.now_open();
        let pool = match door {
            Door::Work => &open.work,
            Door::Round => &open.round,
        };
        pool.acquire().await.map_err(|error| unreachable::sqlite(&self.target, &error))
    }

    /// Lets go of a file that was replaced, if a round knows of that.
    pub(super) async fn adopt(&self) -> Result<(), SourceError> {
        if self.file.take_replaced() {
            let new = Arc::new(Open::new(self.connections_max, &self.target));
            let old = std::mem::replace(
                &mut *self.open.lock().unwrap_or_else(PoisonError::into_inner),
                new,
            );
            old.close().await;
        }
        self.file.look(true)
    }

    /// The log lies beside the file. Looking at it opens neither.
    pub(super) fn log_bytes(&self) -> Option<u64> {
        let mut log = self.target.get_filename().as_os_str().to_owned();
        log.push("-wal");
        std::fs::metadata(log).ok().map(|found| found.len())
    }

    pub(super) async fn wake(&self) {
        let open = self.now_open();
        let news = Box::pin(wake::sqlite(&open.wake, &open.eye));
        wake::unless_closed(&open.wake, news).await;
    }

    pub(super) async fn close(&self) {
        self.now_open().close().await;
    }
}

impl Open {
    fn new(connections_max: u32, target: &SqliteConnectOptions) -> Open {
        Open {
            work: pool(connections_max, target),
            round: pool(1, target),
            wake: pool(1, target),
            eye: wake::Eye::default(),
        }
    }

    async fn close(&self) {
        // Whoever waits for news leaves, and only then is the connection free that they waited
        // with.
        let closing = self.wake.close();
        *self.eye.lock().await = None;
        closing.await;
        self.work.close().await;
        self.round.close().await;
    }
}

fn pool(connections_max: u32, target: &SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_MAX)
        .test_before_acquire(false)
        .connect_lazy_with(target.clone())
}
