//! Names and words of others, as parts of statements. Nothing of theirs is a part in any other way.

use super::mapping::{Adoption, TableName};
use crate::source::base::Dialect;

/// A name in the quotes of a dialect.
pub(super) fn name(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
    }
}

/// A table in the quotes of a dialect.
pub(super) fn table(dialect: Dialect, table: &TableName) -> String {
    let own = name(dialect, &table.name);
    match &table.schema {
        Some(schema) => format!("{}.{own}", name(dialect, schema)),
        None => own,
    }
}

/// A text as a literal.
pub(super) fn literal(dialect: Dialect, text: &str) -> String {
    let text = text.replace('\'', "''");
    match dialect {
        Dialect::Postgres | Dialect::Sqlite => format!("'{text}'"),
        Dialect::Mysql => format!("'{}'", text.replace('\\', "\\\\")),
    }
}

/// A column of the adopted table, which is called `u` in every statement.
pub(super) fn column(dialect: Dialect, column: &str) -> String {
    format!("u.{}", name(dialect, column))
}

/// The condition that a row is a request.
pub(super) fn condition(adoption: &Adoption) -> String {
    match &adoption.condition {
        Some(condition) => format!("({condition})"),
        None => "1 = 1".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, literal, name};

    #[test]
    fn quotes_are_those_of_the_dialect() {
        assert_eq!(name(Dialect::Postgres, "Order Events"), "\"Order Events\"");
        assert_eq!(name(Dialect::Mysql, "order"), "`order`");
        assert_eq!(literal(Dialect::Sqlite, "it's\\"), "'it''s\\'");
        assert_eq!(literal(Dialect::Mysql, "it's\\"), "'it''s\\\\'");
    }
}
