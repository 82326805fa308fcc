//! The effective settings as rows for people and programs.

use serde_json::{Value as Json, json};

use super::keys::{Change, KEYS, Key, RULE_KEYS, RULES};
use super::raw::{Raw, RawRule, Setting, Value};

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

/// The keys whose values differ: those that hold at once, and those that need a restart.
pub(crate) fn changes(old: &Raw, new: &Raw) -> (Vec<&'static str>, Vec<&'static str>) {
    let value = |raw: &Raw, path: &str| raw.settings.get(path).map(|s| json_of(&s.value));
    let changed = KEYS.iter().filter(|key| value(old, key.path) != value(new, key.path));
    let (live, waiting): (Vec<&Key>, Vec<&Key>) =
        changed.partition(|key| key.change == Change::Live);
    let paths = |keys: Vec<&Key>| keys.into_iter().map(|key| key.path).collect::<Vec<_>>();
    let rules = |raw: &Raw| raw.rules.iter().map(rule_json).collect::<Vec<_>>();
    let mut waiting = paths(waiting);
    if rules(old) != rules(new) {
        waiting.push(RULES);
    }
    (paths(live), waiting)
}

fn rule_json(rule: &RawRule) -> Vec<(&'static str, Json)> {
    rule.settings.iter().map(|(name, setting)| (*name, json_of(&setting.value))).collect()
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
