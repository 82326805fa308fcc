//! The effective settings as rows for people and programs.

use serde_json::{Value as Json, json};

use super::keys::{Change, KEYS, LISTS, List, RELAY_DISCOVERIES, RELAY_ENDPOINTS, RELAY_SOURCES};
use super::mask::{mask_all, mask_database, mask_endpoint, mask_header, mask_place};
use super::raw::{Raw, Setting, Table, Value};

/// One row for each setting: its key, value, origin, and what it takes to change it.
pub(crate) fn show(raw: &Raw) -> Vec<Json> {
    let plain = KEYS.iter().filter_map(|key| {
        let setting = raw.settings.get(key.path)?;
        Some(row(key.path, setting, key.change.as_str()))
    });
    plain.chain(LISTS.iter().flat_map(|list| show_list(raw, list))).collect()
}

fn show_list(raw: &Raw, list: &'static List) -> Vec<Json> {
    let tables = raw.list(list.path).iter().enumerate();
    let rows = tables.flat_map(|(index, table)| {
        list.keys.iter().filter_map(move |name| {
            let setting = table.settings.get(name)?;
            let key = format!("{}.{index}.{name}", list.path);
            let mut row = row(&key, setting, list.change.as_str());
            mask((list.path, name), &mut row["value"]);
            Some(row)
        })
    });
    rows.collect()
}

/// Replaces what may be secret.
fn mask(key: (&str, &str), value: &mut Json) {
    let masked = match key {
        (RELAY_SOURCES, "url") => mask_database,
        (RELAY_ENDPOINTS, "url") | (RELAY_DISCOVERIES, "servers") => mask_endpoint,
        (RELAY_ENDPOINTS, "headers") => mask_header,
        (RELAY_ENDPOINTS, "body") => mask_all,
        (RELAY_SOURCES, "url_file")
        | (RELAY_ENDPOINTS, "signing_keys" | "client_key_file" | "ca_file")
        | (RELAY_DISCOVERIES, "password" | "token" | "client_key_file" | "ca_file") => mask_place,
        _ => return,
    };
    match value {
        Json::String(text) => *text = masked(text),
        Json::Array(items) => items.iter_mut().for_each(|item| mask(key, item)),
        _ => {}
    }
}

/// The keys whose values differ: those that hold at once, and those that need a restart.
pub(crate) fn changes(old: &Raw, new: &Raw) -> (Vec<&'static str>, Vec<&'static str>) {
    let value = |raw: &Raw, path: &str| raw.settings.get(path).map(|s| json_of(&s.value));
    let tables = |raw: &Raw, path: &str| raw.list(path).iter().map(table_json).collect::<Vec<_>>();
    let keys = KEYS.iter().filter(|key| value(old, key.path) != value(new, key.path));
    let lists = LISTS.iter().filter(|list| tables(old, list.path) != tables(new, list.path));
    let changed = keys.map(|key| (key.path, key.change));
    let changed = changed.chain(lists.map(|list| (list.path, list.change)));
    let (live, waiting): (Vec<_>, Vec<_>) =
        changed.partition(|(_, change)| *change == Change::Live);
    let paths = |of: Vec<(&'static str, Change)>| of.into_iter().map(|(path, _)| path).collect();
    (paths(live), paths(waiting))
}

fn table_json(table: &Table) -> Vec<(&'static str, Json)> {
    table.settings.iter().map(|(name, setting)| (*name, json_of(&setting.value))).collect()
}

fn row(key: &str, setting: &Setting, change: &str) -> Json {
    json!({
        "key": key,
        "value": json_of(&setting.value),
        "origin": setting.place.origin(),
        "change": change,
    })
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Boolean(truth) => json!(truth),
        Value::List(items) => items.iter().map(|item| json_of(&item.value)).collect(),
        Value::Table(entries) => {
            entries.iter().map(|(name, entry)| (name.clone(), json_of(&entry.value))).collect()
        }
        Value::Other(kind) => json!(kind),
    }
}
