//! The wait for news.
//!
//! Being woken is a hint. Whoever waits looks by itself now and then, so a lost hint costs time and
//! nothing else; therefore every error counts as a hint, after a pause that keeps a dead database
//! from being asked in a circle. What is listened with is kept between waits, so that nothing that
//! comes in between is missed.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgListener;
use sqlx::{Database, MySql, MySqlPool, PgPool, Pool, Sqlite, SqlitePool};
use tokio::sync::Mutex;

use crate::source::limits::{MYSQL_WATCH, SQLITE_WATCH};

/// What is listened for.
const NEWS: &str = "posthouse_relay";

/// What writers to PostgreSQL may say in the transaction in which they write, if they like.
pub(crate) const NOTIFY: &str = "NOTIFY posthouse_relay";

const PAUSE: Duration = Duration::from_secs(1);

/// A listener of PostgreSQL, once there is one.
pub(super) type Ear = Mutex<Option<PgListener>>;

/// A connection to SQLite and the version of the file that it has seen, once there is one.
pub(super) type Eye = Mutex<Option<(PoolConnection<Sqlite>, i64)>>;

/// A connection to MySQL or MariaDB, the highest id and the control version that it has seen, once
/// there is one.
pub(super) type Sight = Mutex<Option<(PoolConnection<MySql>, Marks)>>;

/// What changes when somebody has written a request, or an operator has done something.
type Marks = (Option<i64>, Option<i64>);

/// Waits for news until the pool is closed. A pool that is closed stays so, which is no news, and
/// no reason to ask in a circle.
pub(super) async fn unless_closed<D: Database>(pool: &Pool<D>, news: impl Future<Output = ()>) {
    if pool.close_event().do_until(news).await.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
}

pub(super) async fn postgres(pool: &PgPool, ear: &Ear) {
    let mut ear = ear.lock().await;
    let woken = match ear.as_mut() {
        Some(listener) => listener.recv().await.map(|_| ()),
        None => listen(pool).await.map(|listener| *ear = Some(listener)),
    };
    if woken.is_err() {
        *ear = None;
        tokio::time::sleep(PAUSE).await;
    }
}

/// What was notified before this is not heard of, so that to have begun to listen is news by
/// itself.
async fn listen(pool: &PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(NEWS).await?;
    Ok(listener)
}

pub(super) async fn sqlite(pool: &SqlitePool, eye: &Eye) {
    let mut eye = eye.lock().await;
    if watch(pool, &mut eye).await.is_err() {
        *eye = None;
        tokio::time::sleep(PAUSE).await;
    }
}

/// The version that a connection sees changes whenever another connection has committed
/// (sqlite.org/pragma.html#pragma_data_version).
async fn watch(
    pool: &SqlitePool,
    eye: &mut Option<(PoolConnection<Sqlite>, i64)>,
) -> Result<(), sqlx::Error> {
    let Some((connection, seen)) = eye else {
        let mut connection = pool.acquire().await?;
        let version = version_of(&mut connection).await?;
        *eye = Some((connection, version));
        return Ok(());
    };
    loop {
        tokio::time::sleep(SQLITE_WATCH).await;
        let version = version_of(connection).await?;
        if version != *seen {
            *seen = version;
            return Ok(());
        }
    }
}

async fn version_of(connection: &mut PoolConnection<Sqlite>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut **connection).await
}

pub(super) async fn mysql(pool: &MySqlPool, sight: &Sight) {
    let mut sight = sight.lock().await;
    if look(pool, &mut sight).await.is_err() {
        *sight = None;
        tokio::time::sleep(PAUSE).await;
    }
}

/// There is nothing that tells of news, so both marks are looked at again and again, each of which
/// is one step in an index.
async fn look(
    pool: &MySqlPool,
    sight: &mut Option<(PoolConnection<MySql>, Marks)>,
) -> Result<(), sqlx::Error> {
    let Some((connection, seen)) = sight else {
        let mut connection = pool.acquire().await?;
        let marks = marks_of(&mut connection).await?;
        *sight = Some((connection, marks));
        return Ok(());
    };
    loop {
        tokio::time::sleep(MYSQL_WATCH).await;
        let marks = marks_of(connection).await?;
        if marks != *seen {
            *seen = marks;
            return Ok(());
        }
    }
}

async fn marks_of(connection: &mut PoolConnection<MySql>) -> Result<Marks, sqlx::Error> {
    let text = "SELECT (SELECT max(id) FROM relay_request), \
                (SELECT version FROM relay_control WHERE one = 1)";
    sqlx::query_as(text).fetch_one(&mut **connection).await
}
