//! Somebody else who takes requests from a table: with the statements that `docs/relay.md` has for
//! them.

use super::must;
use crate::source::base::{Base, Dialect, Door, Record};

const MANUAL: &str = include_str!("../../../../../docs/relay.md");

/// The statements for a purpose, with their values in place.
pub(in crate::source) fn statements(
    dialect: Dialect,
    purpose: &str,
    values: &[(&str, i64)],
) -> Vec<String> {
    let database = match dialect {
        Dialect::Postgres => "PostgreSQL",
        Dialect::Mysql => "MySQL",
        Dialect::Sqlite => "SQLite",
    };
    let head = format!("```sql\n-- {database}: {purpose}\n");
    let (_, rest) = MANUAL.split_once(&head).expect("the manual has it");
    let (block, _) = rest.split_once("```").expect("it has an end");
    let mut text = block.replace("'ORDER.CHECK'", "'a'");
    for (name, value) in values {
        text = text.replace(name, &value.to_string());
    }
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Takes a request, if one is free: its id, and until when it may be kept.
pub(super) async fn take(base: &Base, patience_ms: i64) -> Option<(i64, i64)> {
    let mut work = must(base.single(Door::Work).await);
    let (mut id, mut until_ms): (Option<i64>, Option<i64>) = (None, None);
    for text in statements(base.dialect(), "take", &[(":patience", patience_ms)]) {
        let begins_with = |word: &str| text.starts_with(word);
        let is_of_one = text.contains(":id");
        if is_of_one && id.is_none() {
            continue;
        }
        let text = text.replace(":id", &id.unwrap_or_default().to_string());
        if begins_with("SELECT") || text.contains("RETURNING") {
            let rows = must(work.rows(text.clone(), Vec::new()).await);
            let int = |row: &Record, name: &str| must(row.maybe_int(name));
            let Some(row) = rows.first() else { continue };
            if !is_of_one {
                id = int(row, "id");
            }
            if text.contains("RETURNING") || is_of_one {
                until_ms = int(row, "due_at");
            }
        } else {
            must(work.script(&text).await);
        }
    }
    work.done();
    id.zip(until_ms)
}

/// Finishes a request or gives it back; whether it was still theirs.
pub(super) async fn end(base: &Base, purpose: &str, values: &[(&str, i64)]) -> bool {
    let mut work = must(base.single(Door::Work).await);
    let mut changed = 0;
    for text in statements(base.dialect(), purpose, values) {
        changed += must(work.change(text, Vec::new()).await);
    }
    work.done();
    changed == 1
}
