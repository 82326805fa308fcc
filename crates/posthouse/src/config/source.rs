//! Where settings come from: texts, and places in them.

use std::ops::Range;
use std::sync::Arc;

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SourceKind {
    /// The file that is compiled in.
    Default,
    /// A file that the user named.
    File,
    /// One environment variable, written `NAME=value`.
    Environment,
    /// One `--set`, written as it was given.
    CommandLine,
}

/// A text with settings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// What kind of text it is.
    pub(crate) kind: SourceKind,
    /// The file's name; empty for the other kinds.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: String,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which source.
    pub(crate) source: Arc<Source>,
    /// Which of its bytes.
    pub(crate) span: Range<usize>,
}

impl Place {
    /// The bytes `span` of `source`, cut down to what it has.
    pub(crate) fn new(source: &Arc<Source>, span: Range<usize>) -> Place {
        let length = source.text.len();
        let start = floor_boundary(&source.text, span.start.min(length));
        let end = floor_boundary(&source.text, span.end.clamp(start, length));
        Place { source: source.clone(), span: start..end }
    }

    /// Line and column of its start, both counted from 1; columns count characters.
    pub(crate) fn position(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// The line in which it starts, without its end.
    pub(crate) fn line(&self) -> &str {
        let (line, _) = self.position();
        self.source.text.lines().nth(line - 1).unwrap_or_default()
    }

    /// How many characters of its first line it covers; at least one.
    pub(crate) fn width(&self) -> usize {
        let text = self.source.text.get(self.span.clone()).unwrap_or_default();
        text.lines().next().unwrap_or_default().chars().count().max(1)
    }

    /// Where it is, as `config show` says it.
    pub(crate) fn origin(&self) -> String {
        match self.source.kind {
            SourceKind::Default => "default".into(),
            SourceKind::File => format!("{}:{}", self.source.name, self.position().0),
            SourceKind::Environment => format!("environment {}", self.name()),
            SourceKind::CommandLine => "--set".into(),
        }
    }

    /// Where it is, as a report of mistakes says it.
    pub(crate) fn address(&self) -> String {
        let (line, column) = self.position();
        match self.source.kind {
            SourceKind::Default => format!("default.toml:{line}:{column}"),
            SourceKind::File => format!("{}:{line}:{column}", self.source.name),
            SourceKind::Environment => format!("environment variable {}", self.name()),
            SourceKind::CommandLine => "command line, --set".into(),
        }
    }

    /// Whether lines of its source have numbers that mean something.
    pub(crate) fn has_lines(&self) -> bool {
        matches!(self.source.kind, SourceKind::Default | SourceKind::File)
    }

    fn name(&self) -> &str {
        self.source.text.split('=').next().unwrap_or_default()
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
