//! Statements in the words of MySQL and MariaDB.
//!
//! Statements are written once, with numbered values that may stand in several places and the names
//! of types that PostgreSQL and SQLite share. These two databases know nameless values only, and
//! have other names for types. So a statement is put into their words as it is sent. Texts are
//! fixed pieces, none of which holds any of these words as part of a literal.

use super::value::Value;

/// A list in which there is nothing: no value would do, for any may be in a row.
const NOTHING: &str = "SELECT 1 FROM dual WHERE 1 = 0";

/// What is said otherwise.
const WORDS: [(&str, &str); 5] = [
    (" AS BIGINT)", " AS SIGNED)"),
    (" AS SMALLINT)", " AS SIGNED)"),
    (" AS TEXT)", " AS CHAR)"),
    (" AS VARCHAR(", " AS CHAR("),
    (" AS MATERIALIZED (", " AS ("),
];

/// A statement, and which of the values stands at each of its question marks.
#[derive(Debug, PartialEq)]
pub(super) struct Worded {
    pub(super) text: String,
    pub(super) places: Vec<Place>,
}

/// One question mark: the position of a value, and of the element of it where it is a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) value: usize,
    pub(super) element: usize,
}

/// Puts a statement into other words.
pub(super) fn in_mysql(text: &str, values: &[Value]) -> Worded {
    let mut worded = Worded { text: String::with_capacity(text.len()), places: Vec::new() };
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        worded.text.push_str(before);
        let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = behind.split_at(digits);
        match number.parse::<usize>() {
            Ok(number) => worded.mark(number.saturating_sub(1), values),
            Err(_) => worded.text.push('$'),
        }
        rest = after;
    }
    worded.text.push_str(rest);
    for (word, other) in WORDS {
        worded.text = worded.text.replace(word, other);
    }
    worded
}

impl Worded {
    /// A list takes as many question marks as the next power of two says, so that lists of any
    /// length make few statements.
    fn mark(&mut self, value: usize, values: &[Value]) {
        let length = match values.get(value) {
            Some(Value::Ints(values)) => Some(values.len()),
            Some(Value::Texts(values)) => Some(values.len()),
            _ => None,
        };
        if length == Some(0) {
            return self.text.push_str(NOTHING);
        }
        let marks = length.map_or(1, usize::next_power_of_two);
        let last = length.unwrap_or(1).saturating_sub(1);
        for mark in 0..marks {
            self.text.push_str(if mark == 0 { "?" } else { ", ?" });
            self.places.push(Place { value, element: mark.min(last) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Value, in_mysql};

    fn check(text: &str, values: &[Value], expected: &str, places: &[(usize, usize)]) {
        let worded = in_mysql(text, values);
        let expected_places: Vec<Place> =
            places.iter().map(|&(value, element)| Place { value, element }).collect();
        assert_eq!((worded.text.as_str(), worded.places), (expected, expected_places), "{text}");
    }

    #[test]
    fn values_lose_their_numbers() {
        let values = [Value::from(1), "a".into(), Value::ints([1, 2, 3]), Value::ints([])];
        check("SELECT 1", &[], "SELECT 1", &[]);
        check("$1 + $2 + $1", &values, "? + ? + ?", &[(0, 0), (1, 0), (0, 0)]);
        check("n IN ($3)", &values, "n IN (?, ?, ?, ?)", &[(2, 0), (2, 1), (2, 2), (2, 2)]);
        check("n IN ($4)", &values, "n IN (SELECT 1 FROM dual WHERE 1 = 0)", &[]);
        check("JSON_TABLE($2, '$[*]')", &values, "JSON_TABLE(?, '$[*]')", &[(1, 0)]);
    }

    #[test]
    fn types_have_other_names() {
        check("CAST(a AS BIGINT) AS b", &[], "CAST(a AS SIGNED) AS b", &[]);
        check(
            "CAST(a AS TEXT), CAST(b AS VARCHAR(3))",
            &[],
            "CAST(a AS CHAR), CAST(b AS CHAR(3))",
            &[],
        );
        check("WITH a AS MATERIALIZED (SELECT 1)", &[], "WITH a AS (SELECT 1)", &[]);
    }
}
