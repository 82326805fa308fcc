//! The text by which a table or a trigger was made: SQLite has some things nowhere else.
//!
//! The text has been through the database, so that it is well formed; it is cut into pieces here,
//! and not understood any further.

/// What a piece of SQL is, beyond space and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A word without quotes: a name, or one of the language.
    Word,
    /// A name in quotes.
    Name,
    /// A text.
    Literal,
    /// Anything else, one letter of it.
    Sign,
    /// Nothing that matters.
    Space,
}

#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    kind: Kind,
    start: usize,
    text: &'a str,
}

impl Piece<'_> {
    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }
}

/// A `CHECK` of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// What stands between its parentheses.
    pub(super) text: String,
    /// Every word and name in it, in small letters; some may be functions.
    names: Vec<String>,
}

impl Condition {
    /// Whether it is about a column, and about no other one of those that there are.
    pub(super) fn is_of<'a>(&self, column: &str, all: impl Iterator<Item = &'a String>) -> bool {
        let names = |column: &str| self.names.contains(&column.to_lowercase());
        names(column) && all.filter(|other| *other != column).all(|other| !names(other))
    }
}

/// The conditions of a table.
pub(super) fn conditions(made_by: &str) -> Vec<Condition> {
    let pieces = pieces(made_by);
    let begins = |pair: &[Piece<'_>]| match pair {
        [check, open] => check.is_word("check") && open.is_sign("("),
        _ => false,
    };
    let starts = pieces.windows(2).enumerate().filter(|(_, pair)| begins(pair));
    starts.filter_map(|(at, _)| condition(made_by, pieces.get(at + 1..)?)).collect()
}

/// The condition whose opening parenthesis is the first of the pieces.
fn condition(made_by: &str, pieces: &[Piece<'_>]) -> Option<Condition> {
    let mut depth = 0_usize;
    let end = pieces.iter().position(|piece| {
        depth += usize::from(piece.is_sign("("));
        depth -= usize::from(piece.is_sign(")"));
        depth == 0
    })?;
    let inner = pieces.get(1..end)?;
    let (first, close) = (inner.first()?, pieces.get(end)?);
    let name = |piece: &Piece<'_>| match piece.kind {
        Kind::Word => Some(piece.text.to_lowercase()),
        Kind::Name => Some(piece.text.trim_matches(['"', '`', '[', ']']).to_lowercase()),
        Kind::Literal | Kind::Sign | Kind::Space => None,
    };
    Some(Condition {
        text: made_by.get(first.start..close.start)?.to_owned(),
        names: inner.iter().filter_map(name).collect(),
    })
}

/// Whether a table takes no value of another type than that of the column.
pub(super) fn is_strict(made_by: &str) -> bool {
    let pieces = pieces(made_by);
    pieces.iter().rev().take_while(|piece| !piece.is_sign(")")).any(|p| p.is_word("strict"))
}

/// Whether a trigger fires when a row is changed. Its own statements come behind the word that says
/// when it fires.
pub(super) fn is_of_update(made_by: &str) -> bool {
    let events = ["delete", "insert", "update"];
    let pieces = pieces(made_by);
    let event = pieces.iter().find(|piece| events.iter().any(|event| piece.is_word(event)));
    event.is_some_and(|event| event.is_word("update"))
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    while let Some((kind, length)) = text.get(start..).and_then(first) {
        let end = (start + length).min(text.len());
        if let (true, Some(text)) = (kind != Kind::Space, text.get(start..end)) {
            pieces.push(Piece { kind, start, text });
        }
        start = end;
    }
    pieces
}

/// The kind and the length of the first piece. A quote that is written twice within quotes ends one
/// piece and begins another, which makes no difference here.
fn first(rest: &str) -> Option<(Kind, usize)> {
    let letter = rest.chars().next()?;
    let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let is_other = |letter: char| !is_of_word(letter);
    Some(match letter {
        '-' if rest.starts_with("--") => (Kind::Space, up_to(rest, 2, "\n")),
        '/' if rest.starts_with("/*") => (Kind::Space, up_to(rest, 2, "*/")),
        '\'' => (Kind::Literal, up_to(rest, 1, "'")),
        '"' => (Kind::Name, up_to(rest, 1, "\"")),
        '`' => (Kind::Name, up_to(rest, 1, "`")),
        '[' => (Kind::Name, up_to(rest, 1, "]")),
        _ if letter.is_whitespace() => (Kind::Space, letter.len_utf8()),
        _ if is_of_word(letter) => (Kind::Word, rest.find(is_other).unwrap_or(rest.len())),
        _ => (Kind::Sign, letter.len_utf8()),
    })
}

/// The length up to the end of what begins with so many letters and ends with a sign.
fn up_to(rest: &str, begin: usize, sign: &str) -> usize {
    let inner = rest.get(begin..).unwrap_or_default();
    inner.find(sign).map_or(rest.len(), |at| begin + at + sign.len())
}

#[cfg(test)]
mod tests {
    use super::{conditions, is_of_update, is_strict};

    fn check(made_by: &str, expected: &[(&str, bool)]) {
        let columns = ["status", "ended"].map(str::to_owned);
        let found = conditions(made_by);
        let found: Vec<(&str, bool)> =
            found.iter().map(|one| (&*one.text, one.is_of("status", columns.iter()))).collect();
        assert_eq!(found, expected, "{made_by}");
    }

    #[test]
    fn conditions_are_found() {
        check("CREATE TABLE t (status TEXT, checked INT)", &[]);
        check("CREATE TABLE t (status TEXT CHECK (status <> ''))", &[("status <> ''", true)]);
        check(
            "create table t (\"Status\" text check(length([STATUS]) = 1), `ended` int, \
             constraint c CHECK (ended IS NULL OR \"status\" IN ('(S', 'it''s)')), check (1))",
            &[
                ("length([STATUS]) = 1", true),
                ("ended IS NULL OR \"status\" IN ('(S', 'it''s)')", false),
                ("1", false),
            ],
        );
        check(
            "CREATE TABLE t (status TEXT DEFAULT 'CHECK (x)' -- CHECK (y)\n /* check (z) */ \
             CHECK ((status = 'N') OR (status = 'P') -- and no more)\n))",
            &[("(status = 'N') OR (status = 'P') -- and no more)\n", true)],
        );
        for broken in ["", "CHECK", "CHECK (", "CHECK ()", "CHECK ('", "CHECK (a /*"] {
            check(broken, &[]);
        }
    }

    #[test]
    fn strict_tables_are_known() {
        for (made_by, expected) in [
            ("CREATE TABLE t (strict TEXT)", false),
            ("CREATE TABLE t (a TEXT) -- strict", false),
            ("CREATE TABLE t (a TEXT) WITHOUT ROWID, Strict", true),
        ] {
            assert_eq!(is_strict(made_by), expected, "{made_by}");
        }
    }

    #[test]
    fn triggers_fire_when_they_say() {
        for (made_by, expected) in [
            ("CREATE TRIGGER t AFTER UPDATE OF a ON b BEGIN DELETE FROM c; END", true),
            ("CREATE TRIGGER \"update\" INSERT ON b BEGIN UPDATE c SET d = 1; END", false),
            ("CREATE TRIGGER t BEFORE DELETE ON b BEGIN UPDATE c SET d = 1; END", false),
        ] {
            assert_eq!(is_of_update(made_by), expected, "{made_by}");
        }
    }
}
