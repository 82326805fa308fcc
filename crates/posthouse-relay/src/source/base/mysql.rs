//! MySQL and MariaDB: pools and their settings.
//!
//! One set of settings does for both: what only one of them knows stands in a comment that the
//! other does not read. A server of MariaDB reads what is marked with an M, and leaves out what is
//! marked with a version of MySQL.

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Executor as _, MySql, MySqlPool};

use super::{Door, Options, unreachable, wake};
use crate::source::error::SourceError;
use crate::source::limits::ACQUIRE_MAX;

/// What a connection is set to before its first use. The mode is that of the relay, whatever that
/// of the server is: numbers and texts that do not fit are refused, and an id of 0 is one. A
/// connection that is in nobody's use may be idle for hours; a transaction may not, see [`BEGIN`].
/// One statement may run for seven seconds and wait for a lock for four. Lists of values are looked
/// up as they are, and a walk over the keys of numbered requests may be long.
pub(super) const SETTINGS: &str = "\
    SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,\
    NO_AUTO_VALUE_ON_ZERO,PIPES_AS_CONCAT', autocommit = 1, wait_timeout = 28800, \
    innodb_lock_wait_timeout = 4 \
    /*M!100600 , max_statement_time = 7, max_recursive_iterations = 100000, \
    in_predicate_conversion_threshold = 0 */\
    /*!80017 , max_execution_time = 7000, cte_max_recursion_depth = 100000 */; \
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Begins a transaction that writes. A connection that says nothing for three seconds ends now: a
/// node that was stopped in the middle of a round must not stop the others for longer.
pub(super) const BEGIN: &str = "SET SESSION wait_timeout = 3; START TRANSACTION";

/// Begins a transaction that sees one state of everything.
pub(super) const BEGIN_READING: &str = "\
    SET SESSION wait_timeout = 3; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
    START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Ends a transaction with effect.
pub(super) const COMMIT: &str = "COMMIT; SET SESSION wait_timeout = 28800";

/// Ends a transaction without effect.
pub(super) const UNDO: &str = "ROLLBACK; SET SESSION wait_timeout = 28800";

/// The pools of one database.
pub(crate) struct Pools {
    work: MySqlPool,
    round: MySqlPool,
    wake: MySqlPool,
    sight: wake::Sight,
    target: MySqlConnectOptions,
}

impl Pools {
    pub(super) fn open(target: MySqlConnectOptions, options: &Options) -> Pools {
        // The settings above say all of it, in one go.
        let target = target.charset("utf8mb4").pipes_as_concat(false).no_engine_substitution(false);
        Pools {
            work: pool(options.connections_max.max(1), &target),
            round: pool(1, &target),
            wake: pool(1, &target),
            sight: wake::Sight::default(),
            target,
        }
    }

    pub(super) async fn take(&self, door: Door) -> Result<PoolConnection<MySql>, SourceError> {
        let pool = match door {
            Door::Work => &self.work,
            Door::Round => &self.round,
        };
        match pool.acquire().await {
            Ok(connection) => Ok(connection),
            Err(error) => Err(unreachable::mysql(&self.target, error).await),
        }
    }

    pub(super) async fn wake(&self) {
        let news = Box::pin(wake::mysql(&self.wake, &self.sight));
        wake::unless_closed(&self.wake, news).await;
    }

    pub(super) async fn close(&self) {
        // Whoever waits for news leaves, and only then is the connection free that they waited
        // with.
        let closing = self.wake.close();
        *self.sight.lock().await = None;
        closing.await;
        self.work.close().await;
        self.round.close().await;
    }
}

fn pool(connections_max: u32, target: &MySqlConnectOptions) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_MAX)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(sqlx::raw_sql(SETTINGS)).await.map(drop) })
        })
        .connect_lazy_with(target.clone())
}
