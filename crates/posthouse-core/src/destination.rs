//! Names of destinations and patterns over them.
//!
//! A name is a path of segments joined by dots. In a pattern `*` stands for one whole segment, and
//! a final `>` for any number of further segments, none included: `orders.>` takes in `orders`
//! too, as ActiveMQ has it.

use std::fmt;
use std::sync::Arc;

use crate::limits::{DESTINATION_NAME_BYTES_MAX, DESTINATION_SEGMENTS_MAX};
use crate::refusal::{Code, Refusal};

/// What a destination does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Each message goes to one consumer, and waits for one.
    Queue,
    /// Each message goes to every subscriber of the moment, and waits for durable ones.
    Topic,
}

impl Kind {
    /// The word that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Queue => "queue",
            Kind::Topic => "topic",
        }
    }
}

/// A checked name of one destination, without wildcards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationName {
    /// Queue or topic: the two have names of their own.
    pub kind: Kind,
    path: Arc<str>,
}

impl DestinationName {
    /// Checks `path` as the name of a destination.
    ///
    /// # Errors
    /// [`Code::NameInvalid`] says what is wrong with it.
    pub fn new(kind: Kind, path: &str) -> Result<DestinationName, Refusal> {
        check_path(path)?;
        if is_pattern(path) {
            let detail = format!("\"{path}\" has a wildcard; name one {} here", kind.as_str());
            return Err(Refusal::new(Code::WildcardRefused, detail));
        }
        Ok(DestinationName { kind, path: path.into() })
    }

    /// The dotted path.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for DestinationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.kind.as_str(), self.path)
    }
}

/// One destination or many, by a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// Queues or topics.
    pub kind: Kind,
    path: Arc<str>,
    /// Without wildcards. Known beforehand, for a pattern is held against very many names.
    is_name: bool,
}

impl Pattern {
    /// Checks `path` as a name or pattern.
    ///
    /// # Errors
    /// [`Code::NameInvalid`] says what is wrong with it.
    pub fn new(kind: Kind, path: &str) -> Result<Pattern, Refusal> {
        check_path(path)?;
        Ok(Pattern { kind, path: path.into(), is_name: !is_pattern(path) })
    }

    /// The dotted path with its wildcards.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name, when the pattern has no wildcards and so means one destination.
    pub fn as_name(&self) -> Option<DestinationName> {
        let name = DestinationName { kind: self.kind, path: self.path.clone() };
        self.is_name.then_some(name)
    }

    /// Whether the pattern takes in `name`.
    pub fn matches(&self, name: &DestinationName) -> bool {
        let matches = if self.is_name { str::eq } else { path_matches };
        self.kind == name.kind && matches(&self.path, &name.path)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.kind.as_str(), self.path)
    }
}

/// Whether the dotted `pattern` takes in the dotted `path`.
pub fn path_matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('.');
    let mut wanted = pattern.split('.').peekable();
    while let Some(want) = wanted.next() {
        if want == ">" && wanted.peek().is_none() {
            return true;
        }
        match segments.next() {
            Some(segment) if want == "*" || want == segment => {}
            Some(_) => return false,
            None => return false,
        }
        if segments.clone().next().is_none() && wanted.peek() == Some(&">") {
            return true;
        }
    }
    segments.next().is_none()
}

fn is_pattern(path: &str) -> bool {
    path.split('.').any(|segment| segment == "*" || segment == ">")
}

fn check_path(path: &str) -> Result<(), Refusal> {
    let wrong = |why: String| Err(Refusal::new(Code::NameInvalid, why));
    if path.is_empty() {
        return wrong("the destination's name is empty".into());
    }
    if path.len() > DESTINATION_NAME_BYTES_MAX {
        return wrong(format!(
            "the destination's name has {} bytes; {DESTINATION_NAME_BYTES_MAX} are allowed",
            path.len()
        ));
    }
    if let Some(bad) = path.chars().find(|c| c.is_control() || c.is_whitespace() || *c == ',') {
        return wrong(format!("the name \"{}\" contains {bad:?}", path.escape_debug()));
    }
    let segments: Vec<&str> = path.split('.').collect();
    if segments.len() > DESTINATION_SEGMENTS_MAX {
        return wrong(format!("\"{path}\" has more than {DESTINATION_SEGMENTS_MAX} segments"));
    }
    if segments.iter().any(|segment| segment.is_empty()) {
        return wrong(format!("\"{path}\" has an empty segment between dots"));
    }
    let last = segments.len() - 1;
    if segments.iter().take(last).any(|segment| *segment == ">") {
        return wrong(format!("\"{path}\" has a \">\" before its end"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DestinationName, Kind, Pattern};

    #[test]
    fn patterns_take_in_what_they_should() {
        let cases = [
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
            ("a.b", "a.b.c", false),
            ("a.b.c", "a.b", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("*.b", "a.b", true),
            ("a.*.c", "a.b.c", true),
            ("a.>", "a", true),
            ("a.>", "a.b", true),
            ("a.>", "a.b.c.d", true),
            ("a.>", "b.a", false),
            ("a.*.>", "a.b", true),
            ("a.*.>", "a", false),
            (">", "anything.at.all", true),
            ("*", "one", true),
            ("*", "one.two", false),
        ];
        for (pattern, path, expected) in cases {
            let name = DestinationName::new(Kind::Queue, path).expect(path);
            let matched = Pattern::new(Kind::Queue, pattern).expect(pattern).matches(&name);
            assert_eq!(matched, expected, "{pattern} against {path}");
            assert!(!Pattern::new(Kind::Topic, pattern).expect(pattern).matches(&name));
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused_with_the_reason() {
        let cases = [
            ("", "empty"),
            ("a..b", "empty segment"),
            (".a", "empty segment"),
            ("a b", "contains ' '"),
            ("a\nb", "contains '\\n'"),
            ("a,b", "contains ','"),
            ("a.>.b", "before its end"),
        ];
        for (path, reason) in cases {
            let error = Pattern::new(Kind::Queue, path).expect_err(path).to_string();
            assert!(error.contains(reason), "{path:?}: {error}");
        }
        assert!(Pattern::new(Kind::Queue, &"x".repeat(513)).is_err());
        assert!(Pattern::new(Kind::Queue, &["s"; 65].join(".")).is_err());
        let error = DestinationName::new(Kind::Topic, "a.*").expect_err("a pattern").to_string();
        assert!(error.contains("wildcard"), "{error}");
    }
}
