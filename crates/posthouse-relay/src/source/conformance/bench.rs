//! A bench on any database that has an address.

use super::{Bench, foreign, must};
use crate::source::base::{Base, Dialect, Door, Options};
use crate::source::retention::Retention;
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

const TABLES: [&str; 10] = [
    "relay_request",
    "relay_control",
    "relay_bucket",
    "relay_node",
    "relay_switch",
    "relay_hold",
    "relay_change",
    "relay_schema",
    "relay_archive",
    "relay_retention",
];

/// What MySQL and MariaDB say otherwise: indexes belong to tables, a length is one in bytes, and
/// columns that are computed from a column go with it.
fn in_words_of(dialect: Dialect, text: &str) -> String {
    if dialect != Dialect::Mysql {
        return text.to_owned();
    }
    let mut text = text.replace(" length(", " char_length(").replace(
        "DROP COLUMN key_seq",
        "DROP COLUMN number_key, DROP COLUMN open_key, DROP COLUMN key_seq",
    );
    text = text.replace("ANALYZE relay", "ANALYZE TABLE relay");
    for index in ["open", "slot", "key_seq", "key_open"] {
        let drop = format!("DROP INDEX relay_request_{index}");
        text = text.replace(&drop, &format!("{drop} ON relay_request"));
    }
    text
}

impl Bench for SqlBench {
    type Source = AnySource;

    async fn renew(&self) {
        if self.raw.dialect() == Dialect::Sqlite {
            // The file must be there.
            must(schema::init(&self.url).await);
        }
        let mut text = String::new();
        for table in TABLES {
            text.push_str(&format!("DROP TABLE IF EXISTS {table};"));
        }
        self.sql(&text).await;
        must(schema::init(&self.url).await);
    }

    async fn complete(&self) -> Result<(), SourceError> {
        schema::init(&self.url).await
    }

    fn open_with(&self, order: CommitOrder, retention: Retention) -> AnySource {
        let options = Options { region: "here".into(), order, retention, ..Options::default() };
        must(connect(&self.url, options))
    }

    async fn sql(&self, text: &str) {
        let mut work = must(self.raw.single(Door::Work).await);
        must(work.script(&in_words_of(self.raw.dialect(), text)).await);
        work.done();
    }

    async fn take(&self, patience_ms: i64) -> Option<(i64, i64)> {
        foreign::take(&self.raw, patience_ms).await
    }

    async fn finish(&self, id: i64, until_ms: i64) -> bool {
        foreign::end(&self.raw, "finish", &[(":id", id), (":until", until_ms)]).await
    }

    async fn give_back(&self, id: i64, until_ms: i64, due_ms: i64) -> bool {
        let values = [(":id", id), (":until", until_ms), (":due", due_ms)];
        foreign::end(&self.raw, "give back", &values).await
    }

    async fn ints(&self, text: &str) -> Vec<i64> {
        let mut work = must(self.raw.single(Door::Work).await);
        let text = in_words_of(self.raw.dialect(), text);
        let text = format!("SELECT CAST(n AS BIGINT) AS n FROM ({text}) AS asked");
        let rows = must(work.rows(text, Vec::new()).await);
        work.done();
        rows.iter().map(|row| must(row.int("n"))).collect()
    }
}
