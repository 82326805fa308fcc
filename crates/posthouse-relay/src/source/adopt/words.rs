//! Whether the column of states takes the words that are to be written into it.

use super::mapping::{Adoption, States};
use super::report::Report;
use super::shape::{self, Shape};
use super::quoting;
use crate::source::base::{Dialect, Work};
use crate::source::error::{SourceError, SourceErrorKind};

/// Words that the column of states does not take: those that are none of an enumeration, and those
/// that a condition on that column alone refuses.
pub(super) async fn refuse(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    shape: &Shape,
    report: &mut Report,
) -> Result<(), SourceError> {
    let Some(states) = &adoption.states else { return Ok(()) };
    let Some(column) = shape.columns.get(&states.column) else { return Ok(()) };
    let conditions = conditions(work, dialect, adoption, states).await?;
    for word in states.written() {
        let literal = quoting::literal(dialect, word);
        let value = match dialect {
            Dialect::Postgres => format!("CAST({literal} AS {})", column.whole),
            Dialect::Mysql | Dialect::Sqlite => literal,
        };
        let name = quoting::name(dialect, &states.column);
        for condition in std::iter::once("1 = 1").chain(conditions.iter().map(String::as_str)) {
            let text = format!(
                "SELECT CAST(CASE WHEN {condition} THEN 1 ELSE 0 END AS BIGINT) AS is_taken \
                 FROM (SELECT {value} AS {name}) AS word"
            );
            let is_taken = match work.row(text, Vec::new()).await {
                Ok(row) => row.is_set("is_taken")?,
                Err(error) if error.kind == SourceErrorKind::Unavailable => return Err(error),
                // The condition is about more than this column, or the type has no such word.
                Err(_) => condition != "1 = 1",
            };
            if !is_taken {
                report.refuse(
                    format!("{} does not take the word '{word}'", states.column),
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

/// The conditions of a table. In MariaDB those of two tables may have the same name. SQLite has
/// them nowhere but in the text that has made it.
async fn conditions(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    states: &States,
) -> Result<Vec<String>, SourceError> {
    let text = match dialect {
        Dialect::Sqlite => return Ok(Vec::new()),
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
