//! Sends what is in the outbox; with a database alone, only makes the tables.
//!
//! `rival DATABASE [ROUNDS KEYS]`: so many rounds side by side, each of so many keys, and so rows.

use outbox_pattern_processor::outbox_processor::OutboxProcessor;
use outbox_pattern_processor::outbox_resources::OutboxProcessorResources;
use sqlx::postgres::PgPoolOptions;

/// The tables as the crate's documentation describes them, with all of its indexes.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS outbox (
        idempotent_key uuid PRIMARY KEY,
        partition_key uuid NOT NULL,
        destinations jsonb NOT NULL,
        headers jsonb,
        payload text NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        process_after timestamptz NOT NULL DEFAULT now(),
        processed_at timestamptz
    );
    CREATE INDEX IF NOT EXISTS outbox_key ON outbox (partition_key);
    CREATE INDEX IF NOT EXISTS outbox_after ON outbox (process_after);
    CREATE INDEX IF NOT EXISTS outbox_processed ON outbox (processed_at);
    CREATE INDEX IF NOT EXISTS outbox_key_after ON outbox (partition_key, process_after);
    CREATE INDEX IF NOT EXISTS outbox_open ON outbox (partition_key, process_after, attempts)
        WHERE processed_at IS NULL;
    CREATE TABLE IF NOT EXISTS outbox_lock (
        partition_key uuid NOT NULL,
        lock_id uuid NOT NULL,
        processed_at timestamptz,
        processing_until timestamptz NOT NULL DEFAULT now() + interval '30 seconds'
    );
    CREATE UNIQUE INDEX IF NOT EXISTS lock_key ON outbox_lock (partition_key)
        WHERE processed_at IS NULL;
    CREATE INDEX IF NOT EXISTS lock_id ON outbox_lock (lock_id);
    CREATE INDEX IF NOT EXISTS lock_until ON outbox_lock (processing_until)
        WHERE processed_at IS NULL;
    CREATE INDEX IF NOT EXISTS lock_processed ON outbox_lock (processed_at);
    CREATE INDEX IF NOT EXISTS lock_key_until ON outbox_lock (partition_key, processing_until);
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let database = words.first().ok_or("name a database")?;
    let [_, rounds, keys] = words.as_slice() else {
        let pool = PgPoolOptions::new().connect(database).await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        return Ok(());
    };
    let (rounds, keys): (u32, u32) = (rounds.parse()?, keys.parse()?);
    let pool = PgPoolOptions::new().max_connections(rounds * 2).connect(database).await?;
    let resources = OutboxProcessorResources::new(pool, None, None)
        .with_outbox_query_limit(keys)
        .with_outbox_execution_interval_in_seconds(1)
        .with_delete_after_process_successfully(true);
    let tasks = (0..rounds).map(|_| {
        let processor = OutboxProcessor::new(resources.clone());
        tokio::spawn(processor.init_process())
    });
    for round in tasks.collect::<Vec<_>>() {
        round.await??;
    }
    Ok(())
}
