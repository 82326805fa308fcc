//! SQLite: pools and their settings.
//!
//! One file has one writer at a time, whoever it is; there are several connections so that reads
//! need not wait for it.

use std::str::FromStr;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Sqlite, SqlitePool};

use super::{Door, Options, wake};
use crate::source::error::SourceError;
use crate::source::limits::{ACQUIRE_MAX, SQLITE_BUSY_MAX};

/// The pools of one file.
pub(crate) struct Pools {
    work: SqlitePool,
    round: SqlitePool,
    wake: SqlitePool,
    eye: wake::Eye,
}

impl Pools {
    pub(super) fn open(url: &str, options: &Options) -> Result<Pools, SourceError> {
        let target =
            SqliteConnectOptions::from_str(url).map_err(|error| SourceError::from_sqlx(&error))?;
        let target = target.busy_timeout(SQLITE_BUSY_MAX);
        Ok(Pools {
            work: pool(options.connections_max.max(1), &target),
            round: pool(1, &target),
            wake: pool(1, &target),
            eye: wake::Eye::default(),
        })
    }

    pub(super) async fn take(&self, door: Door) -> Result<PoolConnection<Sqlite>, SourceError> {
        let pool = match door {
            Door::Work => &self.work,
            Door::Round => &self.round,
        };
        pool.acquire().await.map_err(|error| SourceError::from_sqlx(&error))
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
