//! What stands in the catalogue of a database about a table of somebody else's.

use std::collections::BTreeMap;

use super::made_by;
use super::mapping::TableName;
use super::quoting;
use crate::source::base::{Dialect, Record, Value, Work};
use crate::source::error::SourceError;

/// A table as it was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// What it is: `table`, or what else in words.
    pub(super) kind: String,
    /// Its columns.
    pub(super) columns: BTreeMap<String, Column>,
    /// Its indexes.
    pub(super) indexes: Vec<Index>,
    /// Triggers that fire when a row is changed.
    pub(super) triggers: Vec<String>,
    /// The text that has made it, in SQLite; else empty.
    pub(super) made_by: String,
}

/// A column as it was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Its type, without lengths, in small letters.
    pub(super) kind: String,
    /// Its type in full.
    pub(super) whole: String,
    pub(super) is_nullable: bool,
    /// How many letters it takes, if that has an end.
    pub(super) chars_max: Option<i64>,
    /// How its texts are compared, where different ones may be equal.
    pub(super) loose_collation: Option<String>,
    /// Whether the database gives it a value by itself.
    pub(super) is_assigned: bool,
}

/// An index as it was found.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) is_unique: bool,
    /// The condition of an index on some of the rows.
    pub(super) predicate: Option<String>,
    pub(super) columns: Vec<String>,
}

impl Shape {
    /// An index by which a row is found by its id, and which allows each id once.
    pub(super) fn id_index(&self, id: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| {
            index.is_unique && index.predicate.is_none() && index.columns == [id.to_owned()]
        })
    }

    /// An index by which rows in a state are found in the order of their ids.
    pub(super) fn state_index(&self, state: &str, id: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| match &index.predicate {
            Some(predicate) => {
                predicate.contains(state) && index.columns.first().is_some_and(|first| first == id)
            }
            None => index.columns.iter().map(String::as_str).take(2).eq([state, id]),
        })
    }
}

impl Column {
    /// Whether it holds whole numbers.
    pub(super) fn is_whole_number(&self) -> bool {
        let kind = self.kind.split(' ').next().unwrap_or_default();
        ["smallint", "integer", "bigint", "int", "mediumint", "tinyint"].contains(&kind)
            || (kind.contains("int") && !kind.contains("point") && !kind.contains("interval"))
    }
}

/// Looks a table up; `None` if there is none.
pub(super) async fn find(
    work: &mut Work,
    dialect: Dialect,
    table: &TableName,
) -> Result<Option<Shape>, SourceError> {
    let values = names(dialect, table);
    let kinds = work.rows(kind_text(dialect).to_owned(), values.clone()).await?;
    let Some(kind) = kinds.first() else { return Ok(None) };
    let mut shape = Shape { kind: kind.text("kind")?, ..Shape::default() };
    for row in work.rows(columns_text(dialect).to_owned(), values.clone()).await? {
        shape.columns.insert(row.text("name")?, column_of(&row)?);
    }
    for row in work.rows(indexes_text(dialect).to_owned(), values.clone()).await? {
        shape.indexes.push(index_of(&row)?);
    }
    for row in work.rows(triggers_text(dialect).to_owned(), values.clone()).await? {
        if dialect != Dialect::Sqlite || made_by::is_of_update(&row.text("sql")?) {
            shape.triggers.push(row.text("name")?);
        }
    }
    if dialect == Dialect::Sqlite {
        shape.made_by = kind.maybe_text("sql")?.unwrap_or_default();
        complete_sqlite(&mut shape);
    }
    Ok(Some(shape))
}

/// The values of every text below.
pub(super) fn names(dialect: Dialect, table: &TableName) -> Vec<Value> {
    let schema = Value::Text(table.schema.clone());
    match dialect {
        Dialect::Postgres => vec![quoting::table(dialect, table).as_str().into()],
        Dialect::Mysql | Dialect::Sqlite => vec![table.name.as_str().into(), schema],
    }
}

fn column_of(row: &Record) -> Result<Column, SourceError> {
    Ok(Column {
        kind: row.text("type")?.to_lowercase(),
        whole: row.text("whole")?,
        is_nullable: row.is_set("nullable")?,
        chars_max: row.maybe_int("chars")?,
        loose_collation: row.maybe_text("collation")?,
        is_assigned: row.is_set("assigned")?,
    })
}

fn index_of(row: &Record) -> Result<Index, SourceError> {
    let columns = row.maybe_text("columns")?.unwrap_or_default();
    Ok(Index {
        name: row.text("name")?,
        is_unique: row.is_set("is_unique")?,
        predicate: row.maybe_text("predicate")?,
        columns: columns.lines().map(str::to_owned).collect(),
    })
}

/// The primary key of SQLite, if it is one number, is the table itself and has no index. How a
/// column compares stands in nothing but the statement that has made the table.
fn complete_sqlite(shape: &mut Shape) {
    let keys: Vec<String> = shape
        .columns
        .iter()
        .filter(|(_, column)| column.is_assigned && column.kind == "integer")
        .map(|(name, _)| name.clone())
        .collect();
    if let ([key], true) = (keys.as_slice(), shape.kind == "table") {
        let columns = vec![key.clone()];
        shape.indexes.push(Index {
            name: String::new(),
            is_unique: true,
            predicate: None,
            columns,
        });
    }
    let made_by = shape.made_by.to_lowercase();
    for (name, column) in &mut shape.columns {
        let of_column = made_by.split(['(', ',']).map(str::trim).find(|part| {
            part.trim_start_matches(['"', '`', '[']).starts_with(&name.to_lowercase())
        });
        let is_loose = |word: &&str| of_column.is_some_and(|part| part.contains(*word));
        let found = ["collate nocase", "collate rtrim"].into_iter().find(is_loose);
        column.loose_collation = found.map(|word| word.replace("collate ", ""));
    }
}

fn kind_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT CAST(CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' \
             WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
             WHEN 'f' THEN 'foreign table' ELSE 'thing of another kind' END AS TEXT) AS kind \
             FROM pg_class WHERE oid = to_regclass($1)"
        }
        Dialect::Mysql => {
            "SELECT CAST(CASE WHEN table_type <> 'BASE TABLE' THEN 'view' \
             WHEN engine <> 'InnoDB' THEN concat('table of the engine ', engine) \
             ELSE 'table' END AS TEXT) AS kind FROM information_schema.tables \
             WHERE table_name = $1 AND table_schema = coalesce($2, database())"
        }
        Dialect::Sqlite => {
            "SELECT type AS kind, sql AS sql FROM sqlite_schema WHERE name = $1 \
             AND type IN ('table', 'view') AND coalesce($2, 'main') = 'main'"
        }
    }
}

fn columns_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT CAST(a.attname AS TEXT) AS name, \
             CAST(format_type(a.atttypid, NULL) AS TEXT) AS type, \
             CAST(format_type(a.atttypid, a.atttypmod) AS TEXT) AS whole, \
             CAST(CASE WHEN a.attnotnull THEN 0 ELSE 1 END AS BIGINT) AS nullable, \
             CAST(CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 \
             THEN a.atttypmod - 4 END AS BIGINT) AS chars, \
             CAST(CASE WHEN t.typname = 'citext' THEN 'citext' \
             WHEN NOT c.collisdeterministic THEN c.collname END AS TEXT) AS collation, \
             CAST(CASE WHEN a.attidentity <> '' OR a.atthasdef THEN 1 ELSE 0 END AS BIGINT) \
             AS assigned FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid \
             LEFT JOIN pg_collation AS c ON c.oid = a.attcollation \
             WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped"
        }
        Dialect::Mysql => {
            "SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS type, \
             CAST(column_type AS TEXT) AS whole, \
             CAST(CASE WHEN is_nullable = 'YES' THEN 1 ELSE 0 END AS BIGINT) AS nullable, \
             CAST(character_maximum_length AS BIGINT) AS chars, \
             CAST(CASE WHEN collation_name NOT LIKE '%\\_bin' AND collation_name <> 'binary' \
             THEN collation_name END AS TEXT) AS collation, \
             CAST(CASE WHEN extra LIKE '%auto_increment%' THEN 1 ELSE 0 END AS BIGINT) AS assigned \
             FROM information_schema.columns \
             WHERE table_name = $1 AND table_schema = coalesce($2, database())"
        }
        Dialect::Sqlite => {
            "SELECT name AS name, lower(type) AS type, type AS whole, \
             CASE WHEN \"notnull\" = 1 OR (pk > 0 AND lower(type) = 'integer') THEN 0 ELSE 1 END \
             AS nullable, CAST(NULL AS INTEGER) AS chars, CAST(NULL AS TEXT) AS collation, \
             CASE WHEN pk > 0 THEN 1 ELSE 0 END AS assigned \
             FROM pragma_table_xinfo($1, coalesce($2, 'main'))"
        }
    }
}

fn indexes_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT CAST(c.relname AS TEXT) AS name, \
             CAST(CASE WHEN i.indisunique THEN 1 ELSE 0 END AS BIGINT) AS is_unique, \
             CAST(pg_get_expr(i.indpred, i.indrelid) AS TEXT) AS predicate, \
             CAST(array_to_string(ARRAY(SELECT coalesce(a.attname, '(expression)') \
             FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, at) \
             LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
             AND k.attnum > 0 WHERE k.at <= i.indnkeyatts ORDER BY k.at), chr(10)) AS TEXT) \
             AS columns FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
             WHERE i.indrelid = to_regclass($1) AND i.indisvalid ORDER BY c.relname"
        }
        Dialect::Mysql => {
            "SELECT CAST(index_name AS TEXT) AS name, \
             CAST(min(CASE WHEN non_unique = 0 THEN 1 ELSE 0 END) AS BIGINT) AS is_unique, \
             CAST(NULL AS TEXT) AS predicate, \
             CAST(group_concat(column_name ORDER BY seq_in_index SEPARATOR '\n') AS TEXT) \
             AS columns FROM information_schema.statistics \
             WHERE table_name = $1 AND table_schema = coalesce($2, database()) \
             GROUP BY index_name ORDER BY index_name = 'PRIMARY' DESC, index_name"
        }
        Dialect::Sqlite => {
            "SELECT l.name AS name, l.\"unique\" AS is_unique, \
             CASE WHEN l.partial = 1 THEN (SELECT sql FROM sqlite_schema AS s \
             WHERE s.type = 'index' AND s.name = l.name) END AS predicate, \
             (SELECT group_concat(coalesce(i.name, '(expression)'), char(10)) \
             FROM pragma_index_info(l.name, coalesce($2, 'main')) AS i) AS columns \
             FROM pragma_index_list($1, coalesce($2, 'main')) AS l"
        }
    }
}

fn triggers_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "SELECT CAST(tgname AS TEXT) AS name FROM pg_trigger \
             WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgtype & 16 <> 0"
        }
        Dialect::Mysql => {
            "SELECT CAST(trigger_name AS TEXT) AS name FROM information_schema.triggers \
             WHERE event_object_table = $1 AND event_object_schema = coalesce($2, database()) \
             AND event_manipulation = 'UPDATE'"
        }
        Dialect::Sqlite => {
            "SELECT name AS name, sql AS sql FROM sqlite_schema WHERE type = 'trigger' \
             AND tbl_name = $1 AND coalesce($2, 'main') = 'main'"
        }
    }
}
