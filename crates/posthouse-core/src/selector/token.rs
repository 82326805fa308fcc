//! The words of the selector language.

/// A word of the text with its place in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    /// The word exactly as written, quotes included; empty at the end of the text.
    pub(super) text: &'t str,
    /// Where the word begins, in bytes from the start of the text.
    pub(super) start: usize,
}

/// What a word is. Numbers carry their value; names and strings are read from the token's text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    End,
    Name,
    QuotedName,
    Text,
    /// A whole number without its sign, at most 2^63: only a minus makes that one fit.
    Whole(u64),
    Float(f64),
    True,
    False,
    Null,
    Or,
    And,
    Not,
    Is,
    In,
    Like,
    Escape,
    Between,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Open,
    Close,
    Comma,
}

const KEYWORDS: [(&str, Kind); 11] = [
    ("AND", Kind::And),
    ("OR", Kind::Or),
    ("NOT", Kind::Not),
    ("IS", Kind::Is),
    ("IN", Kind::In),
    ("LIKE", Kind::Like),
    ("ESCAPE", Kind::Escape),
    ("BETWEEN", Kind::Between),
    ("TRUE", Kind::True),
    ("FALSE", Kind::False),
    ("NULL", Kind::Null),
];

/// Longer symbols stand before those that they begin with.
const SYMBOLS: [(&str, Kind); 15] = [
    ("<>", Kind::NotEqual),
    ("!=", Kind::NotEqual),
    ("<=", Kind::LessOrEqual),
    (">=", Kind::GreaterOrEqual),
    ("<", Kind::Less),
    (">", Kind::Greater),
    ("=", Kind::Equal),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
    ("*", Kind::Star),
    ("/", Kind::Slash),
    ("%", Kind::Percent),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
];

/// The kind of an unquoted word: a keyword in any case, or a name.
pub(super) fn word_kind(word: &str) -> Kind {
    let keyword = KEYWORDS.iter().find(|(text, _)| word.eq_ignore_ascii_case(text));
    keyword.map_or(Kind::Name, |(_, kind)| *kind)
}

/// The symbol that `rest` begins with, and its length in bytes.
pub(super) fn symbol(rest: &str) -> Option<(Kind, usize)> {
    let (text, kind) = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text))?;
    Some((*kind, text.len()))
}

/// Whether a name may begin with `character` (Java's identifier start; section 3.8.1.1).
pub(super) fn starts_name(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | '$')
}

/// Whether a name may go on with `character`.
pub(super) fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}
