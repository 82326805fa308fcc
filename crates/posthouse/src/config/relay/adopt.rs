//! The table of somebody else's that a source is fed from.

use std::collections::BTreeMap;

use posthouse_relay::source::CommitOrder;
use posthouse_relay::source::adopt::{
    Adoption, MAPPABLE, Mapped, Start, States, TableName, check_identifier, check_sql,
};

use super::DURATION_MS_MAX;
use crate::codes::Code;
use crate::config::raw::{Setting, Table, Value};
use crate::config::report::{Mistake, Report};
use crate::config::suggestion::nearest;
use crate::config::table::TableReader;

/// For how long late rows are waited for when nothing is said, in milliseconds.
const LATE_MS: u64 = 86_400_000;

const KEYS: [&str; 8] = ["table", "id", "where", "states", "columns", "zone", "start", "late"];

const STATE_KEYS: [&str; 11] = [
    "column",
    "ready",
    "taken",
    "done",
    "failed",
    "expired",
    "rejected",
    "cancelled",
    "ended_at",
    "error",
    "attempts",
];

const MAPPED_KEYS: [&str; 2] = ["value", "sql"];

/// Reads it, if there is one; what is wrong goes to `report`.
pub(super) fn read(source: &Table, order: CommitOrder, report: &mut Report) -> Option<Adoption> {
    let setting = source.settings.get("adopt")?;
    let table = entries(setting, "adopt", &KEYS, report)?;
    let states = table.settings.get("states").and_then(|setting| states(setting, report));
    let columns = table.settings.get("columns").map(|setting| columns(setting, report));
    let mut reader = TableReader::new(&table, report);
    let name = reader.name("table", "an adopted table");
    let id = reader.name("id", "an adopted table");
    let condition = sql(&mut reader, "where");
    let zone = reader.text("zone");
    if let Some(problem) = zone.as_deref().and_then(|zone| check_sql(zone).err()) {
        reader.refuse("zone", &problem, "write the name of a time zone, or an offset");
    }
    let start = start(&mut reader);
    let late_ms = reader.duration("late", LATE_MS, 0..=DURATION_MS_MAX);
    if order == CommitOrder::Xid {
        let message = "`adopt`: settle = \"xid\" goes by the transactions that write into \
                       relay_request, which are those of the feed and not of your writers";
        let help = "leave settle out, or map key_seq and write settle = \"key_seq\"";
        mistake(report, setting, message.to_owned(), help);
    }
    let (table, id) = (table_name(setting, &name?, report)?, id?);
    if let Err(problem) = check_identifier(&id) {
        mistake(report, setting, format!("`id`: {problem}"), "write the name of a column");
    }
    let columns = columns.unwrap_or_default();
    Some(Adoption { table, id, condition, states, columns, zone, start, late_ms })
}

fn mistake(report: &mut Report, setting: &Setting, message: String, help: &str) {
    let mistake = Mistake::at(Code::ValueInvalid, &setting.place, message, help.to_owned());
    report.mistakes.push(mistake);
}

fn table_name(setting: &Setting, name: &str, report: &mut Report) -> Option<TableName> {
    match TableName::parse(name) {
        Ok(name) => Some(name),
        Err(problem) => {
            let help = "write table = \"outbox\" or table = \"shop.outbox\"";
            mistake(report, setting, format!("`table`: {problem}"), help);
            None
        }
    }
}

/// A table inside a table, of which only some keys are known.
fn entries(
    setting: &Setting,
    what: &str,
    keys: &'static [&'static str],
    report: &mut Report,
) -> Option<Table> {
    let Value::Table(entries) = &setting.value else {
        mistake(report, setting, format!("`{what}` is a table"), "write { name = value, ... }");
        return None;
    };
    let mut settings = BTreeMap::new();
    for (name, entry) in entries {
        match keys.iter().find(|key| **key == name) {
            Some(key) => _ = settings.insert(*key, entry.clone()),
            None => {
                let help = match nearest(name, keys.iter().copied()) {
                    Some(found) => format!("did you mean `{found}`?"),
                    None => format!("the keys are {}", keys.join(", ")),
                };
                let message = format!("unknown key `{name}` in `{what}`");
                report.mistakes.push(Mistake::at(Code::KeyUnknown, &entry.place, message, help));
            }
        }
    }
    Some(Table { place: setting.place.clone(), settings })
}

fn sql(reader: &mut TableReader<'_>, key: &str) -> Option<String> {
    let text = reader.text(key)?;
    if let Err(problem) = check_sql(&text) {
        reader.refuse(key, &problem, "write one condition or expression of SQL");
    }
    Some(text)
}

fn states(setting: &Setting, report: &mut Report) -> Option<States> {
    let table = entries(setting, "states", &STATE_KEYS, report)?;
    let mut reader = TableReader::new(&table, report);
    let column = reader.name("column", "`states`");
    let ready = reader.name("ready", "`states`");
    let taken = reader.name("taken", "`states`");
    if ready.is_some() && ready == taken {
        let help = "a row that was taken must not look like one that is to be taken";
        reader.refuse("taken", "it is the same word as `ready`", help);
    }
    for key in &STATE_KEYS[1..8] {
        sql(&mut reader, key);
    }
    for key in ["column", "ended_at", "error", "attempts"] {
        let problem = reader.text(key).and_then(|name| check_identifier(&name).err());
        if let Some(problem) = problem {
            reader.refuse(key, &problem, "write the name of a column");
        }
    }
    Some(States {
        column: column?,
        ready: ready?,
        taken: taken?,
        done: reader.text("done"),
        failed: reader.text("failed"),
        expired: reader.text("expired"),
        rejected: reader.text("rejected"),
        cancelled: reader.text("cancelled"),
        ended_at: reader.text("ended_at"),
        error: reader.text("error"),
        attempts: reader.text("attempts"),
    })
}

fn columns(setting: &Setting, report: &mut Report) -> BTreeMap<String, Mapped> {
    let Some(table) = entries(setting, "columns", &MAPPABLE, report) else {
        return BTreeMap::new();
    };
    let mut columns = BTreeMap::new();
    for (name, entry) in &table.settings {
        if let Some(mapped) = mapped(name, entry, report) {
            columns.insert((*name).to_owned(), mapped);
        }
    }
    columns
}

fn mapped(name: &str, setting: &Setting, report: &mut Report) -> Option<Mapped> {
    if let Value::Text(column) = &setting.value {
        return match check_identifier(column) {
            Ok(()) => Some(Mapped::Column(column.clone())),
            Err(problem) => {
                mistake(report, setting, format!("`{name}`: {problem}"), "write a column's name");
                None
            }
        };
    }
    let table = entries(setting, name, &MAPPED_KEYS, report)?;
    let mut reader = TableReader::new(&table, report);
    match (sql(&mut reader, "value"), sql(&mut reader, "sql")) {
        (Some(value), None) => Some(Mapped::Value(value)),
        (None, Some(text)) => Some(Mapped::Sql(text)),
        _ => {
            let help = "write a column's name, { value = \"...\" } or { sql = \"...\" }";
            reader.refuse(name, "it is neither a column nor a value nor an expression", help);
            None
        }
    }
}

fn start(reader: &mut TableReader<'_>) -> Start {
    match reader.text("start").as_deref() {
        None | Some("first") => Start::Everything,
        Some("now") => Start::Now,
        Some(text) => match text.parse() {
            Ok(id) => Start::After(id),
            Err(_) => {
                let help = "write \"first\", \"now\", or an id behind which it begins";
                reader.refuse("start", &format!("\"{text}\" is no place to begin"), help);
                Start::Everything
            }
        },
    }
}
