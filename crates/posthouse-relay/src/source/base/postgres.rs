//! PostgreSQL: pools and their settings.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres};

use super::{Door, Options, unreachable, wake};
use crate::source::error::SourceError;
use crate::source::limits::{ACQUIRE_MAX, IDLE_MS_MAX, LOCK_MS_MAX, STATEMENT_MS_MAX};

/// The pools of one database.
pub(crate) struct Pools {
    work: PgPool,
    round: PgPool,
    wake: PgPool,
    ear: wake::Ear,
    target: PgConnectOptions,
}

impl Pools {
    pub(super) fn open(target: PgConnectOptions, options: &Options) -> Pools {
        let target = with_settings(target.application_name(&options.application));
        Pools {
            work: pool(options.connections_max.max(1), &target),
            round: pool(1, &target),
            wake: pool(1, &target),
            ear: wake::Ear::default(),
            target,
        }
    }

    pub(super) async fn take(&self, door: Door) -> Result<PoolConnection<Postgres>, SourceError> {
        let pool = match door {
            Door::Work => &self.work,
            Door::Round => &self.round,
        };
        match pool.acquire().await {
            Ok(connection) => Ok(connection),
            Err(error) => Err(unreachable::postgres(&self.target, error).await),
        }
    }

    pub(super) async fn wake(&self) {
        let news = Box::pin(wake::postgres(&self.wake, &self.ear));
        wake::unless_closed(&self.wake, news).await;
    }

    pub(super) async fn close(&self) {
        // Whoever waits for news leaves, and only then is the connection free that they waited
        // with.
        let closing = self.wake.close();
        *self.ear.lock().await = None;
        closing.await;
        self.work.close().await;
        self.round.close().await;
    }
}

/// A relay's statements all have an index to go by, and which one is best does not depend on
/// values. A planner that guesses from stale statistics must not choose to read a whole table of
/// finished requests instead.
fn with_settings(target: PgConnectOptions) -> PgConnectOptions {
    target.options([
        ("statement_timeout", STATEMENT_MS_MAX.to_string()),
        ("lock_timeout", LOCK_MS_MAX.to_string()),
        ("idle_in_transaction_session_timeout", IDLE_MS_MAX.to_string()),
        ("enable_seqscan", "off".to_owned()),
        ("enable_bitmapscan", "off".to_owned()),
        ("jit", "off".to_owned()),
    ])
}

fn pool(connections_max: u32, target: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_MAX)
        .test_before_acquire(false)
        .connect_lazy_with(target.clone())
}
