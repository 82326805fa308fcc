//! A bench on any database that has an address.

use super::{Bench, must};
use crate::source::base::{Base, Dialect, Door, Options};
use crate::source::{AnySource, CommitOrder, SourceError, connect, schema};

/// See the module.
pub struct SqlBench {
    url: String,
    raw: Base,
}

impl SqlBench {
    /// On a database that holds nothing of value: its tables are dropped.
    ///
    /// # Panics
    /// If the address is not one.
    pub fn new(url: &str) -> SqlBench {
        SqlBench { url: url.to_owned(), raw: must(Base::open(url, &Options::default())) }
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Closes what it uses itself.
    pub async fn close(&self) {
        self.raw.close().await;
    }
}

const TABLES: [&str; 8] = [
    "relay_request",
    "relay_control",
    "relay_bucket",
    "relay_node",
    "relay_switch",
    "relay_hold",
    "relay_change",
    "relay_schema",
];

impl Bench for SqlBench {
    type Source = AnySource;

    async fn renew(&self) {
        must(schema::init(&self.url).await);
        let mut text = String::new();
        for table in TABLES {
            text.push_str(&format!("DROP TABLE {table};"));
        }
        self.sql(&text).await;
        must(schema::init(&self.url).await);
    }

    async fn complete(&self) -> Result<(), SourceError> {
        schema::init(&self.url).await
    }

    fn open_in(&self, order: CommitOrder) -> AnySource {
        must(connect(&self.url, Options { region: "here".into(), order, ..Options::default() }))
    }

    async fn sql(&self, text: &str) {
        let mut work = must(self.raw.single(Door::Work).await);
        must(work.script(text).await);
        work.done();
    }

    async fn ints(&self, text: &str) -> Vec<i64> {
        let mut work = must(self.raw.single(Door::Work).await);
        let cast = match self.raw.dialect() {
            Dialect::Postgres | Dialect::Sqlite => "SELECT CAST(n AS BIGINT) AS n FROM",
        };
        let rows = must(work.rows(format!("{cast} ({text}) AS asked"), Vec::new()).await);
        work.done();
        rows.iter().map(|row| must(row.int("n"))).collect()
    }
}
