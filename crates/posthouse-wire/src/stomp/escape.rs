//! The escapes of header names and values.
//!
//! What a version can escape is escaped; what it cannot is refused, never written raw and never
//! replaced: a raw line feed would let the sender of a value write headers of its own, and a
//! changed value would be wrong without anybody's knowing.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use super::command::Command;
use super::version::Version;

/// The escapes that hold for a frame (STOMP 1.2, section "Value Encoding").
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escaping {
    /// None: STOMP 1.0, and the frames that settle the version.
    Off,
    /// Line feed, colon and backslash: STOMP 1.1.
    V1_1,
    /// Those of 1.1 and the carriage return: STOMP 1.2.
    V1_2,
}

impl Escaping {
    /// The escapes for frames of `command` on a connection that speaks `version`.
    pub const fn of(version: Version, command: Command) -> Self {
        match version {
            _ if command.is_handshake() => Self::Off,
            Version::V1_0 => Self::Off,
            Version::V1_1 => Self::V1_1,
            Version::V1_2 => Self::V1_2,
        }
    }

    /// The byte that `letter` stands for after a backslash.
    fn decode(self, letter: u8) -> Option<u8> {
        match (self, letter) {
            (Self::Off, _) => None,
            (_, b'n') => Some(b'\n'),
            (_, b'c') => Some(b':'),
            (_, b'\\') => Some(b'\\'),
            (Self::V1_2, b'r') => Some(b'\r'),
            _ => None,
        }
    }
}

/// Which side of the colon a text stands on: without escapes, a colon ends a name.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Name,
    Value,
}

/// For each byte: [`PLAIN`], [`REFUSED`], or the letter that it is written as after a backslash.
type Table = [u8; 256];

const PLAIN: u8 = 0;
const REFUSED: u8 = 1;

const OFF_NAME: Table = table(b"\0\n\r:", b"\x01\x01\x01\x01");
const OFF_VALUE: Table = table(b"\0\n\r", b"\x01\x01\x01");
const V1_1: Table = table(b"\0\n:\\", b"\x01nc\\");
const V1_2: Table = table(b"\0\n:\\\r", b"\x01nc\\r");

const fn table(mut bytes: &[u8], mut actions: &[u8]) -> Table {
    let mut table = [PLAIN; 256];
    while let ([byte, bytes_left @ ..], [action, actions_left @ ..]) = (bytes, actions) {
        table[*byte as usize] = *action;
        (bytes, actions) = (bytes_left, actions_left);
    }
    table
}

/// A table has an entry for every byte, so that this cannot fail.
fn action(table: &Table, byte: u8) -> u8 {
    table[usize::from(byte)]
}

/// Appends a header value in its escaped form.
///
/// # Errors
/// Gives back the first byte that cannot be written under `escaping`: NUL always, and without
/// escapes line feed and carriage return. Then `out` is as it was.
pub fn escape_into(out: &mut Vec<u8>, value: &str, escaping: Escaping) -> Result<(), u8> {
    escape_part(out, value, escaping, Part::Value)
}

/// Does what [`escape_into`] does, for a name or a value.
pub(super) fn escape_part(
    out: &mut Vec<u8>,
    text: &str,
    escaping: Escaping,
    part: Part,
) -> Result<(), u8> {
    let table = match (escaping, part) {
        (Escaping::Off, Part::Name) => &OFF_NAME,
        (Escaping::Off, Part::Value) => &OFF_VALUE,
        (Escaping::V1_1, _) => &V1_1,
        (Escaping::V1_2, _) => &V1_2,
    };
    if text.bytes().all(|byte| action(table, byte) == PLAIN) {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    escape_bytes(out, text.as_bytes(), table)
}

#[cold]
fn escape_bytes(out: &mut Vec<u8>, text: &[u8], table: &Table) -> Result<(), u8> {
    if let Some(&byte) = text.iter().find(|&&byte| action(table, byte) == REFUSED) {
        return Err(byte);
    }
    for &byte in text {
        match action(table, byte) {
            PLAIN => out.push(byte),
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    Ok(())
}

/// The text that `raw` stands for; borrowed when there is nothing to undo. An undefined escape,
/// which [`undefined_escape`] has refused before, would stay as it is.
pub(super) fn unescape(raw: &str, escaping: Escaping) -> Cow<'_, str> {
    if escaping == Escaping::Off || memchr(b'\\', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        let escaped = match letter {
            '\\' => letters.clone().next().and_then(|next| u8::try_from(next).ok()),
            _ => None,
        };
        match escaped.and_then(|escaped| escaping.decode(escaped)) {
            Some(byte) => {
                letters.next();
                text.push(char::from(byte));
            }
            None => text.push(letter),
        }
    }
    Cow::Owned(text)
}

/// Where in a header block the first escape stands that `escaping` does not define.
pub(super) fn undefined_escape(block: &[u8], escaping: Escaping) -> Option<usize> {
    let mut pair_end = 0;
    for at in memchr_iter(b'\\', block) {
        if at < pair_end {
            continue;
        }
        let letter = block.get(at + 1).copied().unwrap_or_default();
        if escaping.decode(letter).is_none() {
            return Some(at);
        }
        pair_end = at + 2;
    }
    None
}
