//! The bounds of the selector, each just inside and just outside.

use super::{Properties, evaluate, parse};
use crate::limits::{
    SELECTOR_DEPTH_LEVELS_MAX, SELECTOR_NODES_MAX, SELECTOR_NUMBER_BYTES_MAX, SELECTOR_STEPS_MAX,
    SELECTOR_TEXT_BYTES_MAX,
};
use crate::property::Value;
use crate::selector::{Selector, SelectorErrorKind, Strings, Tri};

fn check_refused(text: &str, expected: &SelectorErrorKind) {
    let error = Selector::parse(text, Strings::Strict).expect_err("out of bounds");
    assert_eq!(error.kind, *expected);
}

fn nested(prefix: &str, levels: usize, suffix: &str) -> String {
    format!("{}a{}", prefix.repeat(levels), suffix.repeat(levels))
}

/// A list of `count` strings, each a node.
fn list(count: usize) -> String {
    format!("a IN ({})", vec!["''"; count].join(","))
}

#[test]
fn bounds_the_text() {
    let text = |bytes: usize| format!("a = '{}'", "x".repeat(bytes - "a = ''".len()));
    parse(&text(SELECTOR_TEXT_BYTES_MAX), Strings::Strict);
    let bytes = SELECTOR_TEXT_BYTES_MAX + 1;
    check_refused(&text(bytes), &SelectorErrorKind::TextTooLong { bytes });
}

#[test]
fn refuses_nothing_at_all() {
    for text in ["", " \t\r\n", "convert_string_expressions: "] {
        check_refused(text, &SelectorErrorKind::Empty);
    }
}

#[test]
fn explains_the_bounds() {
    for (text, expected) in [
        ("".to_owned(), "the selector is empty; leave it out to select everything"),
        ("a".repeat(5_000), "the selector has 5000 bytes; at most 4096 are allowed"),
        (
            list(SELECTOR_NODES_MAX),
            "more than 512 names, values and operators at position 1540; shorten the selector",
        ),
        (
            "(".repeat(50),
            "more than 32 levels of nesting at position 34; \
             remove parentheses or split the selector",
        ),
    ] {
        let error = Selector::parse(&text, Strings::Strict).expect_err("out of bounds");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn bounds_the_nodes() {
    // Besides its elements a list has two nodes: itself and the name.
    parse(&list(SELECTOR_NODES_MAX - 2), Strings::Strict);
    check_refused(&list(SELECTOR_NODES_MAX - 1), &SelectorErrorKind::TooManyNodes);
}

#[test]
fn bounds_the_depth() {
    let most = SELECTOR_DEPTH_LEVELS_MAX;
    parse(&nested("(", most, ")"), Strings::Strict);
    parse(&nested("NOT ", most - 1, ""), Strings::Strict);
    parse(&format!("{} = 1", nested("- ", most - 2, "")), Strings::Strict);
    check_refused(&nested("(", most + 1, ")"), &SelectorErrorKind::TooDeep);
    check_refused(&nested("NOT ", most, ""), &SelectorErrorKind::TooDeep);
    check_refused(&nested("-", most + 1, ""), &SelectorErrorKind::TooDeep);
    check_refused(&format!("a = 0{}", " + 1".repeat(most)), &SelectorErrorKind::TooDeep);
    check_refused(&"(".repeat(SELECTOR_TEXT_BYTES_MAX), &SelectorErrorKind::TooDeep);
}

#[test]
fn counts_depth_only_while_inside() {
    let text = format!("a{}", " OR (- - a = 1)".repeat(SELECTOR_DEPTH_LEVELS_MAX));
    parse(&text, Strings::Strict);
}

#[test]
fn takes_long_chains_without_depth() {
    let text = format!("a = 0{}", " OR a = 1".repeat(120));
    let message = Properties(vec![("a", Value::Int(1))]);
    assert_eq!(evaluate(&text, &message, Strings::Strict), Tri::True);
}

#[test]
fn gives_up_a_costly_pattern() {
    let pattern = format!("a LIKE '{}b'", "%a".repeat(40));
    let text = "a".repeat(5_000);
    let message = Properties(vec![("a", Value::Str(&text))]);
    for costly in [pattern.clone(), format!("NOT ({pattern})"), format!("{pattern} OR TRUE")] {
        let evaluation = parse(&costly, Strings::Strict).evaluate_counted(&message);
        assert_eq!((evaluation.outcome, evaluation.exhausted), (Tri::Unknown, true), "{costly}");
        assert_eq!(evaluation.steps, SELECTOR_STEPS_MAX);
    }
}

#[test]
fn charges_long_strings_by_length() {
    let text = "x".repeat(64 * SELECTOR_STEPS_MAX as usize);
    let message = Properties(vec![("a", Value::Str(&text)), ("b", Value::Str("x"))]);
    let selector = parse("a = a", Strings::Strict);
    assert!(selector.evaluate_counted(&message).exhausted);
    assert_eq!(evaluate("a = b", &message, Strings::Strict), Tri::False);
}

#[test]
fn counts_a_simple_selector() {
    let message = Properties(vec![("a", Value::Str("x")), ("n", Value::Int(7))]);
    let evaluation = parse("a = 'x' AND n > 5", Strings::Strict).evaluate_counted(&message);
    assert_eq!((evaluation.outcome, evaluation.steps), (Tri::True, 7));
}

#[test]
fn converts_no_string_beyond_the_bound() {
    for (bytes, expected) in
        [(SELECTOR_NUMBER_BYTES_MAX, Tri::True), (SELECTOR_NUMBER_BYTES_MAX + 1, Tri::Unknown)]
    {
        let text = format!("{}5", "0".repeat(bytes - 1));
        let message = Properties(vec![("n", Value::Str(&text))]);
        assert_eq!(evaluate("n = 5", &message, Strings::Convert), expected, "{bytes}");
    }
}

#[test]
fn keeps_its_text_and_lets_the_prefix_choose() {
    for (text, given, chosen) in [
        ("n > 5", Strings::Strict, Strings::Strict),
        ("n > 5", Strings::Convert, Strings::Convert),
        ("convert_string_expressions:n > 5", Strings::Strict, Strings::Convert),
        ("no_convert_string_expressions:n > 5", Strings::Convert, Strings::Strict),
    ] {
        let selector = parse(text, given);
        assert_eq!((selector.text(), selector.strings()), (text, chosen));
    }
}

#[test]
fn crosses_threads() {
    fn check<T: Clone + Send + Sync + 'static>(_: &T) {}
    check(&parse("a", Strings::Strict));
}
