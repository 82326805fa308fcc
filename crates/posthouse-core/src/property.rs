//! Property values: what all protocols meet in, and what selectors compare.
//!
//! A message carries one block of them. Each property is written as
//! `u8 name, [u16 length, name], u8 kind, value`, where the first byte is 0 for a name of the
//! sender's own and otherwise one of [`WellKnown`]; integers are little-endian; strings and bytes
//! are preceded by a `u32` length.

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

/// Strings that every protocol has its own name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WellKnown {
    /// The identity that the sender's protocol gave it, kept byte for byte.
    MessageId = 1,
    /// What it answers, or belongs to.
    CorrelationId = 2,
    /// Where answers go.
    ReplyTo = 3,
    /// The sender's word for what it is.
    Type = 4,
    /// Its message group.
    GroupId = 5,
    /// The media type of its body.
    ContentType = 6,
}

impl WellKnown {
    /// All of them.
    pub const ALL: [WellKnown; 6] = [
        WellKnown::MessageId,
        WellKnown::CorrelationId,
        WellKnown::ReplyTo,
        WellKnown::Type,
        WellKnown::GroupId,
        WellKnown::ContentType,
    ];
}

/// The name of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// One that every protocol knows.
    WellKnown(WellKnown),
    /// One of the sender's own.
    Own(&'a str),
}

/// One property of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Property<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// Its value.
    pub value: Value<'a>,
}

const KIND_FALSE: u8 = 0;
const KIND_TRUE: u8 = 1;
const KIND_INT: u8 = 2;
const KIND_FLOAT: u8 = 3;
const KIND_STR: u8 = 4;
const KIND_BYTES: u8 = 5;
const NAME_OWN: u8 = 0;

/// Writes a block of properties, in order.
#[derive(Debug, Default)]
pub struct PropertyWriter {
    block: Vec<u8>,
}

impl PropertyWriter {
    /// An empty block with room for `bytes` of properties and body.
    pub fn with_capacity(bytes: usize) -> PropertyWriter {
        PropertyWriter { block: Vec::with_capacity(bytes) }
    }

    /// Adds one of the strings that every protocol knows.
    pub fn well_known(&mut self, field: WellKnown, text: &str) {
        self.block.push(field as u8);
        self.value(Value::Str(text));
    }

    /// Adds a property of the sender's own. `Null` is left out: an absent property is the same.
    ///
    /// # Panics
    /// If the name is 64 KiB or longer; every protocol bounds names far below.
    pub fn own(&mut self, name: &str, value: Value<'_>) {
        if value == Value::Null {
            return;
        }
        let name_bytes = u16::try_from(name.len()).expect("property names are bounded");
        self.block.push(NAME_OWN);
        self.block.extend_from_slice(&name_bytes.to_le_bytes());
        self.block.extend_from_slice(name.as_bytes());
        self.value(value);
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Null => unreachable!("null properties are not written"),
            Value::Bool(truth) => self.block.push(if truth { KIND_TRUE } else { KIND_FALSE }),
            Value::Int(number) => self.fixed(KIND_INT, number.to_le_bytes()),
            Value::Float(number) => self.fixed(KIND_FLOAT, number.to_le_bytes()),
            Value::Str(text) => self.sized(KIND_STR, text.as_bytes()),
            Value::Bytes(bytes) => self.sized(KIND_BYTES, bytes),
        }
    }

    fn fixed(&mut self, kind: u8, bytes: [u8; 8]) {
        self.block.push(kind);
        self.block.extend_from_slice(&bytes);
    }

    fn sized(&mut self, kind: u8, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("property values are bounded");
        self.block.push(kind);
        self.block.extend_from_slice(&length.to_le_bytes());
        self.block.extend_from_slice(bytes);
    }

    /// The block as it stands.
    pub fn into_bytes(self) -> Vec<u8> {
        self.block
    }
}

/// Reads a block of properties. A malformed rest ends the iteration; [`Properties::is_valid`]
/// tells the difference for blocks that come from outside.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'a> {
    rest: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Reads `block`.
    pub fn new(block: &'a [u8]) -> Properties<'a> {
        Properties { rest: block }
    }

    /// Whether the whole block is well-formed.
    pub fn is_valid(mut self) -> bool {
        while self.next().is_some() {}
        self.rest.is_empty()
    }

    fn read(rest: &mut &'a [u8]) -> Option<Property<'a>> {
        let name = match take(rest, 1)?[0] {
            NAME_OWN => {
                let length = u16::from_le_bytes(take(rest, 2)?.try_into().ok()?);
                Name::Own(std::str::from_utf8(take(rest, length as usize)?).ok()?)
            }
            tag => Name::WellKnown(*WellKnown::ALL.get(tag as usize - 1)?),
        };
        let value = match take(rest, 1)?[0] {
            KIND_FALSE => Value::Bool(false),
            KIND_TRUE => Value::Bool(true),
            KIND_INT => Value::Int(i64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
            KIND_FLOAT => Value::Float(f64::from_le_bytes(take(rest, 8)?.try_into().ok()?)),
            KIND_STR => Value::Str(std::str::from_utf8(take_sized(rest)?).ok()?),
            KIND_BYTES => Value::Bytes(take_sized(rest)?),
            _ => return None,
        };
        Some(Property { name, value })
    }
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(bytes)?;
    *rest = tail;
    Some(head)
}

fn take_sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, length as usize)
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let mut rest = self.rest;
        let property = Properties::read(&mut rest)?;
        self.rest = rest;
        Some(property)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, Properties, PropertyWriter, Value, WellKnown};

    #[test]
    fn a_block_gives_back_what_was_written_and_notices_damage() {
        let mut writer = PropertyWriter::default();
        writer.well_known(WellKnown::ReplyTo, "/queue/answers");
        writer.own("truth", Value::Bool(true));
        writer.own("count", Value::Int(-7));
        writer.own("ratio", Value::Float(0.5));
        writer.own("name", Value::Str("驿站"));
        writer.own("key", Value::Bytes(&[0, 255]));
        writer.own("absent", Value::Null);
        let block = writer.into_bytes();

        let read: Vec<_> = Properties::new(&block).map(|p| (p.name, p.value)).collect();
        let expected = [
            (Name::WellKnown(WellKnown::ReplyTo), Value::Str("/queue/answers")),
            (Name::Own("truth"), Value::Bool(true)),
            (Name::Own("count"), Value::Int(-7)),
            (Name::Own("ratio"), Value::Float(0.5)),
            (Name::Own("name"), Value::Str("驿站")),
            (Name::Own("key"), Value::Bytes(&[0, 255])),
        ];
        assert_eq!(read, expected);
        assert!(Properties::new(&block).is_valid());
        let cuts = (0..block.len()).filter(|cut| Properties::new(&block[..*cut]).is_valid());
        assert_eq!(cuts.count(), expected.len(), "only cuts between properties read as whole");
    }
}
