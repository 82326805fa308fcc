//! Whether the column of states takes the words that are to be written into it.
//!
//! A word may be none of an enumeration, or against a condition of the table. What a condition says
//! of other columns, too, cannot be known before there is a row.

use super::made_by;
use super::mapping::{Adoption, States};
use super::quoting;
use super::report::Report;
use super::shape::{self, Column, Shape};
use crate::source::base::{Dialect, Work};
use crate::source::error::{SourceError, SourceErrorKind};
use crate::source::limits::CONDITION_CHARS_SHOWN_MAX;

/// Notes the words that the column does not take.
pub(super) async fn refuse(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    shape: &Shape,
    report: &mut Report,
) -> Result<(), SourceError> {
    let Some(states) = &adoption.states else { return Ok(()) };
    let Some(column) = shape.columns.get(&states.column) else { return Ok(()) };
    let conditions = conditions(work, dialect, adoption, states, shape).await?;
    let place = Place { dialect, name: &states.column, column, shape };
    for word in states.written() {
        for condition in std::iter::once(None).chain(conditions.iter().map(Some)) {
            if !takes(work, &place, word, condition).await? {
                report.refuse(
                    problem(&states.column, word, condition),
                    format!(
                        "choose one that its type {} and its conditions allow, or change these",
                        column.whole
                    ),
                );
                break;
            }
        }
    }
    Ok(())
}

fn problem(column: &str, word: &str, condition: Option<&String>) -> String {
    let Some(condition) = condition else {
        return format!("{column} does not take the word '{word}'");
    };
    let on_one_line = condition.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = on_one_line.chars().take(CONDITION_CHARS_SHOWN_MAX).collect();
    let more = if shown.len() < on_one_line.len() { " ..." } else { "" };
    format!("{column} does not take the word '{word}', by the condition {shown}{more}")
}

/// Where words are to be written.
struct Place<'a> {
    dialect: Dialect,
    name: &'a str,
    column: &'a Column,
    shape: &'a Shape,
}

/// Whether the column takes a word; by a condition, or by its type alone. What a condition is about
/// beyond this column makes it one that the database cannot answer, and it is let pass.
async fn takes(
    work: &mut Work,
    place: &Place<'_>,
    word: &str,
    condition: Option<&String>,
) -> Result<bool, SourceError> {
    let asked = match place.dialect {
        Dialect::Sqlite => is_stored(work, place, word, condition).await,
        Dialect::Postgres | Dialect::Mysql => fulfils(work, place, word, condition).await,
    };
    match asked {
        Err(error) if is_passing(error.kind) => Err(error),
        Err(_) => Ok(condition.is_some()),
        Ok(is_taken) => Ok(is_taken),
    }
}

fn is_passing(kind: SourceErrorKind) -> bool {
    matches!(kind, SourceErrorKind::Unavailable | SourceErrorKind::Conflict)
}

/// Has the database look at the condition with the word in the place of the column. One that is
/// neither true nor false is fulfilled.
async fn fulfils(
    work: &mut Work,
    place: &Place<'_>,
    word: &str,
    condition: Option<&String>,
) -> Result<bool, SourceError> {
    let literal = quoting::literal(place.dialect, word);
    let value = match place.dialect {
        Dialect::Postgres => format!("CAST({literal} AS {})", place.column.whole),
        Dialect::Mysql | Dialect::Sqlite => literal,
    };
    let text = format!(
        "SELECT CAST(CASE WHEN NOT ({}) THEN 0 ELSE 1 END AS BIGINT) AS is_taken \
         FROM (SELECT {value} AS {}) AS word",
        condition.map_or("1 = 1", String::as_str),
        quoting::name(place.dialect, place.name)
    );
    work.row(text, Vec::new()).await?.is_set("is_taken")
}

/// Has SQLite store the word in a table of this connection alone, whose only column is declared as
/// the one of states: what a word becomes there, and what it is equal to, goes by the declaration.
async fn is_stored(
    work: &mut Work,
    place: &Place<'_>,
    word: &str,
    condition: Option<&String>,
) -> Result<bool, SourceError> {
    const GONE: &str = "DROP TABLE IF EXISTS temp.relay_word";
    let collation = place.column.loose_collation.as_ref();
    let is_strict = made_by::is_strict(&place.shape.made_by);
    let made = format!(
        "CREATE TEMP TABLE relay_word ({} {}{}{}){}",
        quoting::name(place.dialect, place.name),
        declared(&place.column.whole, is_strict),
        collation.map_or_else(String::new, |name| format!(" COLLATE {name}")),
        condition.map_or_else(String::new, |condition| format!(", CHECK ({condition})")),
        if is_strict { " STRICT" } else { "" },
    );
    let literal = quoting::literal(place.dialect, word);
    let stored = format!("INSERT INTO temp.relay_word VALUES ({literal})");
    work.script(GONE).await?;
    work.script(&made).await?;
    let is_stored = match work.script(&stored).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == SourceErrorKind::Refused => Ok(false),
        Err(error) => Err(error),
    };
    work.script(GONE).await?;
    is_stored
}

/// A type that stores values as a declared one does, by the rules of SQLite
/// (<https://sqlite.org/datatype3.html>, section 3.1).
fn declared(kind: &str, is_strict: bool) -> &'static str {
    let kind = kind.to_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    match kind.as_str() {
        "ANY" if is_strict => "ANY",
        _ if has(&["INT"]) => "INTEGER",
        _ if has(&["CHAR", "CLOB", "TEXT"]) => "TEXT",
        "" => "BLOB",
        _ if has(&["BLOB"]) => "BLOB",
        _ if has(&["REAL", "FLOA", "DOUB"]) => "REAL",
        _ => "NUMERIC",
    }
}

/// The conditions of a table that are about the column of states; in SQLite, where a name in quotes
/// that is none of a column is a text, about no other one. In MariaDB those of two tables may have
/// the same name.
async fn conditions(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    states: &States,
    shape: &Shape,
) -> Result<Vec<String>, SourceError> {
    let text = match dialect {
        Dialect::Sqlite => {
            let all = made_by::conditions(&shape.made_by).into_iter();
            let own = all.filter(|one| one.is_of(&states.column, shape.columns.keys()));
            return Ok(own.map(|one| one.text).collect());
        }
        Dialect::Postgres => {
            "SELECT CAST(pg_get_expr(conbin, conrelid) AS TEXT) AS clause FROM pg_constraint \
             WHERE conrelid = to_regclass($1) AND contype = 'c'"
        }
        Dialect::Mysql => {
            "SELECT CAST(k.check_clause AS TEXT) AS clause \
             FROM information_schema.check_constraints AS k \
             JOIN information_schema.table_constraints AS t \
             ON t.constraint_schema = k.constraint_schema \
             AND t.constraint_name = k.constraint_name \
             /*M!100600 AND t.table_name = k.table_name */ WHERE t.table_name = $1 \
             AND t.constraint_type = 'CHECK' AND t.table_schema = coalesce($2, database())"
        }
    };
    let rows = work.rows(text.to_owned(), shape::names(dialect, &adoption.table)).await?;
    let clauses = rows.iter().map(|row| row.text("clause")).collect::<Result<Vec<_>, _>>()?;
    Ok(clauses.into_iter().filter(|clause| clause.contains(&states.column)).collect())
}
