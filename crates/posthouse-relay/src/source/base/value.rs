//! What goes into statements: one list of values for every dialect.

use serde_json::Value as Json;
use sqlx::mysql::MySqlArguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Error};

use super::words::Place;

/// A value that a statement names by its number.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A number.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list of numbers. SQLite gets it as a JSON array, MySQL and MariaDB as so many values.
    Ints(Vec<Option<i64>>),
    /// A list of texts; in the same way.
    Texts(Vec<Option<String>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(Some(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(Some(value.to_owned()))
    }
}

impl Value {
    /// A list of numbers.
    pub(crate) fn ints(values: impl IntoIterator<Item = i64>) -> Value {
        Value::Ints(values.into_iter().map(Some).collect())
    }

    /// A list of texts.
    pub(crate) fn texts(values: impl IntoIterator<Item = impl Into<String>>) -> Value {
        Value::Texts(values.into_iter().map(|text| Some(text.into())).collect())
    }

    /// The elements of a list, as JSON; a single value is a list of one.
    fn elements(self) -> Vec<Json> {
        match self {
            Value::Ints(values) => values.into_iter().map(Json::from).collect(),
            Value::Texts(values) => values.into_iter().map(Json::from).collect(),
            Value::Int(value) => vec![Json::from(value)],
            Value::Text(value) => vec![Json::from(value)],
            Value::Bytes(_) => Vec::new(),
        }
    }
}

/// Columns of equal length, as one JSON array of rows.
pub(crate) fn rows_as_json(columns: Vec<Value>) -> Value {
    let mut rows: Vec<Vec<Json>> = Vec::new();
    for column in columns {
        for (at, element) in column.elements().into_iter().enumerate() {
            match rows.get_mut(at) {
                Some(row) => row.push(element),
                None => rows.push(vec![element]),
            }
        }
    }
    Value::Text(Some(Json::from(rows).to_string()))
}

/// Values for PostgreSQL.
pub(crate) fn for_postgres(values: Vec<Value>) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            Value::Ints(values) => arguments.add(values),
            Value::Texts(values) => arguments.add(values),
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}

/// Values for MySQL and MariaDB, one for each place.
pub(super) fn for_mysql(values: &[Value], places: &[Place]) -> Result<MySqlArguments, Error> {
    let mut arguments = MySqlArguments::default();
    for place in places {
        let added = match values.get(place.value) {
            Some(Value::Int(value)) => arguments.add(*value),
            Some(Value::Text(value)) => arguments.add(value.as_deref()),
            Some(Value::Bytes(value)) => arguments.add(value.as_slice()),
            Some(Value::Ints(values)) => {
                arguments.add(values.get(place.element).copied().flatten())
            }
            Some(Value::Texts(values)) => {
                arguments.add(values.get(place.element).and_then(|text| text.as_deref()))
            }
            None => {
                return Err(Error::Encode("a statement names a value that is not there".into()));
            }
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}

/// Values for SQLite.
pub(crate) fn for_sqlite(values: Vec<Value>) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Int(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value),
            list => arguments.add(Json::from(list.elements()).to_string()),
        };
        added.map_err(Error::Encode)?;
    }
    Ok(arguments)
}
