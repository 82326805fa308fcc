//! SQLite: pools and their settings.
//!
//! One file has one writer at a time, whoever it is; there are several connections so that reads
//! need not wait for it.

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use super::{Door, Options, unreachable, wake};
use crate::source::error::SourceError;
use crate::source::limits::{ACQUIRE_MAX, SQLITE_BUSY_MAX};

/// The pools of one file.
pub(crate) struct Pools {
    work: SqlitePool,
    round: SqlitePool,
    wake: SqlitePool,
    eye: wake::Eye,
    target: SqliteConnectOptions,
}

impl Pools {
    pub(super) fn open(target: SqliteConnectOptions, options: &Options) -> Pools {
        let target = target.busy_timeout(SQLITE_BUSY_MAX);
        Pools {
            work: pool(options.connections_max.max(1), &target),
            round: pool(1, &target),
            wake: pool(1, &target),
            eye: wake::Eye::default(),
            target,
        }
    }

    pub(super) async fn take(&self, door: Door) -> Result<PoolConnection<Sqlite>, SourceError> {
        let pool = match door {
            Door::Work => &self.work,
            Door::Round => &self.round,
        };
        pool.acquire().await.map_err(|error| unreachable::sqlite(&self.target, &error))
    }

    pub(super) async fn wake(&self) {
        let news = Box::pin(wake::sqlite(&self.wake, &self.eye));
        wake::unless_closed(&self.wake, news).await;
    }

    pub(super) async fn close(&self) {
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
