//! The cases that are lines of text files, with columns between ` | `.

use super::{MODES, Properties, evaluate, parse};
use crate::property::Value;
use crate::selector::{Selector, Strings};

/// The lines that are cases, each cut into its columns.
fn rows(file: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split(" | ").map(str::trim).collect())
}

/// Fails with every line that went wrong.
fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn evaluates_every_case() {
    let mut failures = Vec::new();
    for row in rows(include_str!("../cases.txt")) {
        let (text, properties, strict, convert) = match row.as_slice() {
            [text, properties, both] => (*text, *properties, *both, *both),
            [text, properties, strict, convert] => (*text, *properties, *strict, *convert),
            _ => panic!("a case has three or four columns: {row:?}"),
        };
        let message = Properties(properties_from(properties));
        for (strings, expected) in MODES.into_iter().zip([strict, convert]) {
            let actual = format!("{:?}", evaluate(text, &message, strings)).to_lowercase();
            if actual != expected {
                failures.push(format!("{text} | {properties}: {actual} in {strings:?}"));
            }
        }
    }
    report(&failures);
}

#[test]
fn explains_every_mistake() {
    let mut failures = Vec::new();
    for row in rows(include_str!("../mistakes.txt")) {
        let [text, expected] = row.as_slice() else { panic!("a mistake has two columns: {row:?}") };
        match Selector::parse(text, Strings::Strict) {
            Ok(_) => failures.push(format!("{text}: accepted")),
            Err(error) if error.to_string() != *expected => {
                failures.push(format!("{text}: {error}"));
            }
            Err(_) => {}
        }
    }
    report(&failures);
}

#[test]
fn groups_by_precedence() {
    let mut failures = Vec::new();
    for row in rows(include_str!("../precedence.txt")) {
        let [text, expected] = row.as_slice() else { panic!("two columns: {row:?}") };
        let actual = parse(text, Strings::Strict).condition.to_string();
        if actual != *expected {
            failures.push(format!("{text} | {actual}"));
        }
    }
    report(&failures);
}

#[test]
fn survives_a_round_trip_through_its_display() {
    for row in rows(include_str!("../cases.txt")) {
        let selector = parse(row[0], Strings::Convert);
        let again = parse(&selector.condition.to_string(), selector.strings());
        assert_eq!(selector.condition, again.condition, "{}", row[0]);
    }
}

/// Reads `name=value name=value`, where a value is a number, a string in single quotes, or one of
/// the words below.
fn properties_from(text: &'static str) -> Vec<(&'static str, Value<'static>)> {
    let mut properties = Vec::new();
    let mut rest = text;
    while let Some((name, tail)) = rest.split_once('=') {
        let (value, tail) = match tail.strip_prefix('\'') {
            Some(tail) => {
                let (text, tail) = tail.split_once('\'').expect("a closing quote");
                (Value::Str(text), tail)
            }
            None => {
                let (word, tail) = tail.split_once(' ').unwrap_or((tail, ""));
                (value_from(word), tail)
            }
        };
        properties.push((name.trim(), value));
        rest = tail;
    }
    properties
}

fn value_from(word: &'static str) -> Value<'static> {
    match word {
        "null" => Value::Null,
        "bytes" => Value::Bytes(b"bytes"),
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match word.parse() {
            Ok(whole) => Value::Int(whole),
            Err(_) => Value::Float(word.parse().expect("a value")),
        },
    }
}
