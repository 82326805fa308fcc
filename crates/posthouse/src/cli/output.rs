//! Data on standard output: as a table for people, and as JSON, JSON lines or CSV for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::failure::Failure;

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// Comma-separated values with a heading.
    Csv,
}

/// A column: its heading and the field that it shows, dotted where it lies inside another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column(pub(crate) &'static str, pub(crate) &'static str);

/// Writes many rows. An empty table says `hint` to whoever is watching instead.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn rows(
    format: Format,
    columns: &[Column],
    rows: &[Value],
    hint: &str,
) -> Result<(), Failure> {
    let text = match format {
        Format::Table if rows.is_empty() => {
            eprintln!("{hint}");
            String::new()
        }
        Format::Table => table(columns, rows),
        Format::Json => format!("{:#}\n", Value::from(rows.to_vec())),
        Format::Jsonl => rows.iter().map(|row| format!("{row}\n")).collect(),
        Format::Csv => csv(columns, rows)?,
    };
    write(text.as_bytes())
}

/// Writes one thing.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn single(format: Format, columns: &[Column], value: &Value) -> Result<(), Failure> {
    match format {
        Format::Table => {
            let mut table = plain_table();
            for Column(title, field) in columns {
                table.add_row([(*title).to_owned(), cell(value, field)]);
            }
            write(lines(&table).as_bytes())
        }
        Format::Json => write(format!("{value:#}\n").as_bytes()),
        Format::Jsonl | Format::Csv => rows(format, columns, std::slice::from_ref(value), ""),
    }
}

/// Writes to standard output. Whoever stops reading has seen enough.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::unexpected(format!("the output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

fn table(columns: &[Column], rows: &[Value]) -> String {
    let mut table = plain_table();
    table.set_header(columns.iter().map(|Column(title, _)| title.to_uppercase()));
    for row in rows {
        table.add_row(columns.iter().map(|Column(_, field)| cell(row, field).replace('\n', " ")));
    }
    lines(&table)
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim())).collect()
}

fn csv(columns: &[Column], rows: &[Value]) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::unexpected(error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|c| c.1)).map_err(|error| failed(&error))?;
    for row in rows {
        let cells = columns.iter().map(|Column(_, field)| text(field_of(row, field)));
        writer.write_record(cells).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// A cell is one line, whatever its text would like to look like.
fn cell(row: &Value, field: &str) -> String {
    printable(&text(field_of(row, field))).replace('\n', "\\n")
}

/// The same text without what could steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let safe = |letter: char| match letter {
        '\n' | '\t' => letter.to_string(),
        _ if letter.is_control() => letter.escape_default().to_string(),
        _ => letter.to_string(),
    };
    text.chars().map(safe).collect()
}

fn field_of<'a>(row: &'a Value, field: &str) -> &'a Value {
    field.split('.').fold(row, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Column, csv, table};

    const COLUMNS: [Column; 2] = [Column("name", "name"), Column("enqueued", "counters.enqueued")];

    #[test]
    fn rows_become_tables_and_csv() {
        let rows = [
            json!({"name": "orders", "counters": {"enqueued": 12}}),
            json!({"name": "a,\"b\"\u{1b}[2J", "counters": {}}),
        ];
        let expected = "NAME            ENQUEUED\norders          12\na,\"b\"\\u{1b}[2J\n";
        assert_eq!(table(&COLUMNS, &rows), expected);
        let expected = "name,counters.enqueued\norders,12\n\"a,\"\"b\"\"\u{1b}[2J\",\n";
        assert_eq!(csv(&COLUMNS, &rows).expect("it is text"), expected);
    }
}
