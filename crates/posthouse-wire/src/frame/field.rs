//! Fields: what a frame says beyond its kind and number.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use posthouse_core::limits::{FRAME_FIELDS_MAX, FRAME_TEXT_BYTES_MAX};

use super::error::Error;

/// Bytes of a field's tag and length.
const FIELD_HEAD_BYTES: usize = 5;

/// Bytes of a number.
const NUMBER_BYTES: usize = 8;

/// One field as it came.
pub(super) struct Field {
    pub(super) tag: u8,
    pub(super) value: Bytes,
}

/// The fields of one frame, in their order.
pub(super) struct Fields {
    rest: Bytes,
    count: usize,
    /// One bit for each tag that has come.
    seen: [u64; 4],
}

impl Fields {
    pub(super) fn new(rest: Bytes) -> Fields {
        Fields { rest, count: 0, seen: [0; 4] }
    }

    /// The next field; only those with the tag `repeatable` may come more than once.
    pub(super) fn next(&mut self, repeatable: Option<u8>) -> Result<Option<Field>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.count += 1;
        if self.count > FRAME_FIELDS_MAX {
            return Err(Error::TooManyFields);
        }
        let tag = self.rest.try_get_u8().map_err(|_| Error::CutOff)?;
        let length = self.rest.try_get_u32().map_err(|_| Error::CutOff)?;
        let length = usize::try_from(length).map_err(|_| Error::CutOff)?;
        if length > self.rest.len() {
            return Err(Error::CutOff);
        }
        self.note(tag, repeatable)?;
        Ok(Some(Field { tag, value: self.rest.split_to(length) }))
    }

    fn note(&mut self, tag: u8, repeatable: Option<u8>) -> Result<(), Error> {
        let bit = 1 << (tag % 64);
        // A tag has eight bits, so that a quarter of them always finds its word.
        let Some(word) = self.seen.get_mut(usize::from(tag / 64)) else { return Ok(()) };
        if *word & bit != 0 && repeatable != Some(tag) {
            return Err(Error::Repeated { tag });
        }
        *word |= bit;
        Ok(())
    }
}

impl Field {
    /// Its value as text.
    pub(super) fn text(&self, what: &'static str) -> Result<String, Error> {
        text(&self.value, what)
    }

    /// Its value as a number that is not negative.
    pub(super) fn unsigned(&self, what: &'static str) -> Result<u64, Error> {
        let signed = self.signed(what)?;
        u64::try_from(signed).map_err(|_| Error::Wrong { what, problem: "is negative" })
    }

    /// Its value as a number.
    pub(super) fn signed(&self, what: &'static str) -> Result<i64, Error> {
        let bytes = <[u8; NUMBER_BYTES]>::try_from(&*self.value);
        let wrong = |_| Error::Wrong { what, problem: "is not a number of 8 bytes" };
        bytes.map(i64::from_be_bytes).map_err(wrong)
    }

    /// Its value as the name and the value of a header.
    pub(super) fn header(&self) -> Result<(String, String), Error> {
        let what = "a header";
        let wrong = Error::Wrong { what, problem: "is shorter than its name" };
        let mut rest = self.value.clone();
        let length = rest.try_get_u16().map_err(|_| wrong.clone())?;
        let Some((name, value)) = rest.split_at_checked(usize::from(length)) else {
            return Err(wrong);
        };
        Ok((text(name, what)?, text(value, what)?))
    }
}

fn text(bytes: &[u8], what: &'static str) -> Result<String, Error> {
    if bytes.len() > FRAME_TEXT_BYTES_MAX {
        return Err(Error::Wrong { what, problem: "is longer than 16 KiB" });
    }
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|_| Error::Wrong { what, problem: "is not UTF-8" })
}

/// Appends a field of these parts.
pub(super) fn put(out: &mut BytesMut, tag: u8, parts: &[&[u8]]) {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    out.reserve(FIELD_HEAD_BYTES + length);
    out.put_u8(tag);
    // What does not fit into a length is refused by whoever looks at the size of the frame.
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    parts.iter().for_each(|part| out.put_slice(part));
}

/// Appends a text, if there is one.
pub(super) fn put_text(out: &mut BytesMut, tag: u8, text: Option<&str>) {
    if let Some(text) = text {
        put(out, tag, &[text.as_bytes()]);
    }
}

/// Appends a number that is not negative. What is beyond the range of a number is cut to it.
pub(super) fn put_unsigned(out: &mut BytesMut, tag: u8, number: u64) {
    put_signed(out, tag, i64::try_from(number).unwrap_or(i64::MAX));
}

/// Appends a number.
pub(super) fn put_signed(out: &mut BytesMut, tag: u8, number: i64) {
    put(out, tag, &[&number.to_be_bytes()]);
}

/// Appends a header.
pub(super) fn put_header(out: &mut BytesMut, tag: u8, name: &str, value: &str) {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let name = name.get(..usize::from(length)).unwrap_or_default();
    let length = u16::try_from(name.len()).unwrap_or_default();
    put(out, tag, &[&length.to_be_bytes(), name.as_bytes(), value.as_bytes()]);
}
