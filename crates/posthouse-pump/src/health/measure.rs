//! What a rule has measured.

use std::fmt;

use super::rule::Rule;

/// What a measure is about, by its name in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The source as a whole.
    Source,
    /// A request code.
    Code(String),
    /// A request group.
    Group(String),
    /// A processing window.
    Window(String),
    /// An endpoint.
    Endpoint(String),
    /// A service whose instances are found.
    Service(String),
}

impl Subject {
    /// What kind of thing it is.
    pub fn kind(&self) -> &'static str {
        match self {
            Subject::Source => "source",
            Subject::Code(_) => "code",
            Subject::Group(_) => "group",
            Subject::Window(_) => "window",
            Subject::Endpoint(_) => "endpoint",
            Subject::Service(_) => "service",
        }
    }

    /// Its name; empty for the source itself.
    pub fn name(&self) -> &str {
        match self {
            Subject::Source => "",
            Subject::Code(name)
            | Subject::Group(name)
            | Subject::Window(name)
            | Subject::Endpoint(name)
            | Subject::Service(name) => name,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Source => f.write_str("the source"),
            named => write!(f, "the {} \"{}\"", named.kind(), named.name()),
        }
    }
}

/// One measure of one rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measure {
    pub rule: Rule,
    pub subject: Subject,
    /// In the unit of the rule.
    pub value: i64,
    /// What it means, in one sentence.
    pub detail: String,
}

impl Measure {
    pub fn new(rule: Rule, subject: Subject, value: u64, detail: String) -> Measure {
        Measure { rule, subject, value: i64::try_from(value).unwrap_or(i64::MAX), detail }
    }
}

/// A length of time for people: the two largest units.
pub(super) fn span(ms: u64) -> String {
    let (s, m, h, d) = (ms / 1_000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    match (d, h, m) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, _) => format!("{m} min {} s", s % 60),
        (0, _, _) => format!("{h} h {} min", m % 60),
        _ => format!("{d} d {} h", h % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn lengths_of_time_have_two_units() {
        let check = |ms, expected| assert_eq!(span(ms), expected);
        check(999, "0 s");
        check(59_000, "59 s");
        check(61_000, "1 min 1 s");
        check(3_600_000, "1 h 0 min");
        check(90_000_000, "1 d 1 h");
    }
}
