//! How the request table itself does, as the database tells it.
//!
//! What a database does not tell, or tells only to others than the relay's user, is left out: none
//! of it is needed to relay.

use super::base::{Base, Dialect, Record, Work};
use super::error::SourceError;
use super::look::{Answer, TableState};

/// See [`Query::Table`](super::look::Query::Table).
pub(super) async fn table(base: &Base, work: &mut Work) -> Result<Answer, SourceError> {
    let mut state = match base.dialect() {
        Dialect::Postgres => postgres(work).await?,
        Dialect::Mysql => mysql(work).await?,
        Dialect::Sqlite => TableState::default(),
    };
    state.log_bytes = base.log_bytes();
    Ok(Answer::Table(state))
}

/// The row counts are those of the statistics, which follow some seconds later. Other users'
/// transactions are shown to members of `pg_read_all_stats` only; prepared ones to everybody.
async fn postgres(work: &mut Work) -> Result<TableState, SourceError> {
    let text = "SELECT CAST(s.n_live_tup AS BIGINT) AS live, CAST(s.n_dead_tup AS BIGINT) AS dead, \
                CAST(floor(extract(epoch FROM clock_timestamp() - least(\
                (SELECT min(xact_start) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()), \
                (SELECT min(prepared) FROM pg_prepared_xacts \
                WHERE database = current_database()))) * 1000) AS BIGINT) AS oldest_ms \
                FROM (SELECT 1) AS one LEFT JOIN pg_stat_all_tables AS s \
                ON s.relid = to_regclass('relay_request')";
    let row = work.row(text.to_owned(), Vec::new()).await?;
    Ok(TableState {
        live_rows: count(&row, "live")?,
        dead_rows: count(&row, "dead")?,
        // Nothing is open: that is known, too.
        oldest_transaction_ms: Some(count(&row, "oldest_ms")?.unwrap_or(0)),
        log_bytes: None,
    })
}

/// The row count is an estimate. Transactions are shown to users with the right `PROCESS` only.
async fn mysql(work: &mut Work) -> Result<TableState, SourceError> {
    let text = "SELECT CAST(coalesce(table_rows, 0) AS SIGNED) AS live \
                FROM information_schema.tables \
                WHERE table_schema = database() AND table_name = 'relay_request'";
    let row = work.row(text.to_owned(), Vec::new()).await?;
    let text = "SELECT CAST(coalesce(timestampdiff(MICROSECOND, min(trx_started), now(6)), 0) \
                DIV 1000 AS SIGNED) AS oldest_ms FROM information_schema.innodb_trx \
                WHERE trx_mysql_thread_id <> connection_id()";
    let oldest = work.row(text.to_owned(), Vec::new()).await.ok();
    let oldest = oldest.map(|row| count(&row, "oldest_ms")).transpose()?.flatten();
    Ok(TableState {
        live_rows: count(&row, "live")?,
        oldest_transaction_ms: oldest,
        ..TableState::default()
    })
}

fn count(row: &Record, column: &str) -> Result<Option<u64>, SourceError> {
    Ok(row.maybe_int(column)?.map(|number| u64::try_from(number).unwrap_or(0)))
}
