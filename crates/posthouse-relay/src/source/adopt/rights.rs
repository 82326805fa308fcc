//! The rights that a feed needs, as statements that give them, and which of them are missing.

use super::mapping::Adoption;
use super::quoting;
use super::side_tables::TABLES;
use crate::source::base::{Dialect, Value, Work};
use crate::source::error::SourceError;
use crate::source::mysql;

/// A right on a table.
pub(super) struct Right {
    table: String,
    /// For MySQL, a column of it.
    any_column: String,
    right: &'static str,
    columns: Vec<String>,
}

impl Right {
    fn new(table: &str, any_column: &str, right: &'static str) -> Right {
        Right { table: table.into(), any_column: any_column.into(), right, columns: Vec::new() }
    }

    /// The statement that gives it.
    pub(super) fn grant(&self, who: &str) -> String {
        let columns = match self.columns.as_slice() {
            [] => String::new(),
            columns => format!(" ({})", columns.join(", ")),
        };
        format!("GRANT {}{columns} ON {} TO {who}", self.right, self.table)
    }
}

/// The user of a connection, as a `GRANT` names it.
pub(super) async fn user(work: &mut Work, dialect: Dialect) -> Result<String, SourceError> {
    match dialect {
        Dialect::Mysql => mysql::prepare::user(work).await,
        Dialect::Sqlite => Ok(String::new()),
        Dialect::Postgres => {
            let text = "SELECT CAST(quote_ident(current_user) AS TEXT) AS who".to_owned();
            work.row(text, Vec::new()).await?.text("who")
        }
    }
}

/// On the adopted table: to read it, and to write the columns that are to be written.
pub(super) fn on_theirs(dialect: Dialect, adoption: &Adoption) -> Vec<Right> {
    let table = quoting::table(dialect, &adoption.table);
    let id = quoting::name(dialect, &adoption.id);
    let mut rights = vec![Right::new(&table, &id, "SELECT")];
    if let Some(states) = &adoption.states {
        let columns = states.written_columns();
        let columns = columns.into_iter().map(|name| quoting::name(dialect, name)).collect();
        rights.push(Right { columns, ..Right::new(&table, &id, "UPDATE") });
    }
    rights
}

/// On our own tables, beside those that every source needs.
pub(super) fn of_feed() -> Vec<Right> {
    let mut rights: Vec<Right> = ["INSERT", "UPDATE"]
        .into_iter()
        .map(|right| Right::new("relay_request", "id", right))
        .collect();
    for table in TABLES {
        let any = match table {
            "relay_feed" => "one",
            "relay_feed_gap" => "first_id",
            _ => "row_id",
        };
        for right in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
            rights.push(Right::new(table, any, right));
        }
    }
    rights
}

/// Every statement that a user of its own needs.
pub(super) fn grants(dialect: Dialect, adoption: &Adoption, who: &str) -> Vec<String> {
    let mut grants = Vec::new();
    if dialect == Dialect::Sqlite {
        return grants;
    }
    if let (Dialect::Postgres, Some(schema)) = (dialect, &adoption.table.schema) {
        let schema = quoting::name(dialect, schema);
        grants.push(format!("GRANT USAGE ON SCHEMA {schema} TO {who}"));
    }
    grants.extend(on_theirs(dialect, adoption).iter().map(|right| right.grant(who)));
    let all = "SELECT, INSERT, UPDATE, DELETE";
    for (table, rights) in [
        ("relay_schema", "SELECT"),
        ("relay_request", "SELECT, INSERT, UPDATE"),
        ("relay_control", "SELECT, UPDATE"),
        ("relay_bucket", all),
        ("relay_node", all),
        ("relay_switch", all),
        ("relay_hold", all),
        ("relay_change", "SELECT, INSERT, DELETE"),
        ("relay_archive", "SELECT"),
        ("relay_retention", "SELECT"),
    ] {
        grants.push(format!("GRANT {rights} ON {table} TO {who}"));
    }
    grants.extend(TABLES.map(|table| format!("GRANT {all} ON {table} TO {who}")));
    grants
}

/// Whether a right is missing.
pub(super) async fn is_missing(
    work: &mut Work,
    dialect: Dialect,
    right: &Right,
) -> Result<bool, SourceError> {
    match dialect {
        Dialect::Sqlite => Ok(false),
        Dialect::Mysql => work.is_denied(&trial(right)).await,
        Dialect::Postgres => {
            let text = "SELECT CAST(CASE WHEN has_table_privilege(to_regclass($1), $2) THEN 1 \
                        WHEN cardinality(CAST($3 AS TEXT[])) = 0 THEN 0 \
                        WHEN EXISTS (SELECT 1 FROM unnest(CAST($3 AS TEXT[])) AS c(name) \
                        WHERE NOT has_column_privilege(to_regclass($1), c.name, $2)) THEN 0 \
                        ELSE 1 END AS BIGINT) AS is_granted";
            let bare = right.columns.iter().map(|name| name.trim_matches('"'));
            let values = vec![right.table.as_str().into(), right.right.into(), Value::texts(bare)];
            Ok(!work.row(text.to_owned(), values).await?.is_set("is_granted")?)
        }
    }
}

/// A statement that needs a right on a table, and changes nothing.
fn trial(right: &Right) -> String {
    let Right { table, any_column, columns, .. } = right;
    let written = if columns.is_empty() { std::slice::from_ref(any_column) } else { columns };
    let changes: Vec<String> = written.iter().map(|name| format!("{name} = {name}")).collect();
    match right.right {
        // The columns that are computed cannot be named.
        "INSERT" if table == "relay_request" => {
            format!("INSERT INTO {table} (code, body) SELECT 'a', 'a' FROM dual WHERE 1 = 0")
        }
        "INSERT" => format!("INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0"),
        "UPDATE" => format!("UPDATE {table} SET {} WHERE 1 = 0", changes.join(", ")),
        "DELETE" => format!("DELETE FROM {table} WHERE 1 = 0"),
        _ => format!("SELECT {any_column} FROM {table} LIMIT 0"),
    }
}
