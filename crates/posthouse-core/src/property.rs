//! Property values: what all protocols meet in, and what selectors compare.

/// One property value, borrowed from wherever it is stored.
///
/// The kinds are those of JMS 3.1 section 3.5.1. `Null` is what a lookup of an absent property
/// answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// The property is absent, or its value is unknown.
    Null,
    /// A boolean.
    Bool(bool),
    /// Any of the integer kinds: byte, short, int, long.
    Int(i64),
    /// Either floating-point kind.
    Float(f64),
    /// A string of UTF-8.
    Str(&'a str),
    /// Opaque bytes: kept and delivered, never comparable in a selector.
    Bytes(&'a [u8]),
}

/// Where a selector finds the values of identifiers: a message's properties and header fields.
pub trait Lookup {
    /// The value of `name`, or [`Value::Null`] when there is none. Names are case-sensitive.
    fn value(&self, name: &str) -> Value<'_>;
}
