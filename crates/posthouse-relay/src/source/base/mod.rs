//! Access to a database, the same for every dialect: pools, transactions, statements.
//!
//! There are three ways in, each with connections of its own, so that none can starve another: work
//! (reads and settlements), rounds (leases), and the wait for news. A transaction that is not
//! brought to its end closes its connection instead of giving it back: nobody knows in what state
//! it is, and asking could take as long as the network likes.

mod address;
mod dialect;
mod file;
mod mysql;
mod options;
mod postgres;
mod record;
mod sqlite;
mod unreachable;
mod value;
mod wake;
mod words;
mod work;

pub use dialect::Dialect;
pub(crate) use dialect::Kind;
pub use options::{CommitOrder, Options};
pub(crate) use record::Record;
pub(crate) use value::Value;
pub(crate) use wake::NOTIFY;
pub(crate) use work::Work;

use crate::source::error::SourceError;
pub(crate) use address::{Address, read as read_address};

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Reads, settlements, operators, questions.
    Work,
    /// Rounds.
    Round,
}

/// The pools of one database. The list is closed; `connect` builds them.
pub(crate) enum Base {
    /// PostgreSQL.
    Postgres(postgres::Pools),
    /// MySQL or MariaDB.
    Mysql(mysql::Pools),
    /// SQLite.
    Sqlite(sqlite::Pools),
}

impl Base {
    /// Opens pools, without connecting yet. What an address begins with says which they are.
    pub(crate) fn open(url: &str, options: &Options) -> Result<Base, SourceError> {
        Ok(match address::read(url)? {
            Address::Postgres(target) => Base::Postgres(postgres::Pools::open(target, options)),
            Address::Mysql(target) => Base::Mysql(mysql::Pools::open(target, options)),
            Address::Sqlite(target) => Base::Sqlite(sqlite::Pools::open(target, options)),
        })
    }

    /// Whether an address can be read. Opens nothing.
    pub(crate) fn check(url: &str) -> Result<(), SourceError> {
        address::read(url).map(drop)
    }

    /// The dialect of what is at an address.
    pub(crate) fn dialect_at(url: &str) -> Result<Dialect, SourceError> {
        Ok(match address::read(url)? {
            Address::Postgres(_) => Dialect::Postgres,
            Address::Mysql(_) => Dialect::Mysql,
            Address::Sqlite(_) => Dialect::Sqlite,
        })
    }

    /// The dialect of its statements.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Base::Postgres(_) => Dialect::Postgres,
            Base::Mysql(_) => Dialect::Mysql,
            Base::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Has a file that was put in the place of another one opened from now on, if a round has been
    /// told of it. To be called before anything else is asked of a source that is looked at anew.
    pub(crate) async fn adopt(&self) -> Result<(), SourceError> {
        match self {
            Base::Postgres(_) | Base::Mysql(_) => Ok(()),
            Base::Sqlite(pools) => pools.adopt().await,
        }
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self, door: Door) -> Result<Work, SourceError> {
        self.begin(door, self.dialect().begin()).await
    }

    /// Begins a transaction that sees one state of everything.
    pub(crate) async fn view(&self) -> Result<Work, SourceError> {
        self.begin(Door::Work, self.dialect().begin_reading()).await
    }

    async fn begin(&self, door: Door, statement: &'static str) -> Result<Work, SourceError> {
        let mut work = self.single(door).await?;
        work.script(statement).await?;
        Ok(work)
    }

    /// For single statements, each a transaction of its own.
    pub(crate) async fn single(&self, door: Door) -> Result<Work, SourceError> {
        match self {
            Base::Postgres(pools) => pools.take(door).await.map(Work::postgres),
            Base::Mysql(pools) => pools.take(door).await.map(Work::mysql),
            Base::Sqlite(pools) => pools.take(door).await.map(Work::sqlite),
        }
    }

    /// Bytes of the log that writes go to before they reach the file, where there is one.
    pub(crate) fn log_bytes(&self) -> Option<u64> {
        match self {
            Base::Postgres(_) | Base::Mysql(_) => None,
            Base::Sqlite(pools) => pools.log_bytes(),
        }
    }

    /// Waits until there may be something new.
    pub(crate) async fn wake(&self) {
        match self {
            Base::Postgres(pools) => pools.wake().await,
            Base::Mysql(pools) => pools.wake().await,
            Base::Sqlite(pools) => pools.wake().await,
        }
    }

    /// Closes every connection, and waits for that.
    pub(crate) async fn close(&self) {
        match self {
            Base::Postgres(pools) => pools.close().await,
            Base::Mysql(pools) => pools.close().await,
            Base::Sqlite(pools) => pools.close().await,
        }
    }
}
