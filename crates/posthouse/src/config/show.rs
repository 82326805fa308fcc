//! The effective settings as rows for people and programs.

use serde_json::{Value as Json, json};

use super::keys::{KEYS, RULE_KEYS, RULES};
use super::raw::{Raw, Setting, Value};

/// One row for each setting: its key, value, origin, and what it takes to change it.
pub(crate) fn show(raw: &Raw) -> Vec<Json> {
    let plain = KEYS.iter().filter_map(|key| {
        let setting = raw.settings.get(key.path)?;
        Some(row(key.path, setting, key.change.as_str()))
    });
    let rules = raw.rules.iter().enumerate().flat_map(|(index, rule)| {
        RULE_KEYS.iter().filter_map(move |name| {
            let setting = rule.settings.get(name)?;
            Some(row(&format!("{RULES}.{index}.{name}"), setting, "restart"))
        })
    });
    plain.chain(rules).collect()
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
        Value::Other(kind) => json!(kind),
    }
}
