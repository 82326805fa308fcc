//! Escaping by place: what a value becomes where it is put, so that it can never become more than
//! a value.

use std::borrow::Cow;
use std::str::from_utf8;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Where a value is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path or the query of a URL, or in a form (RFC 3986, section 2.3).
    Url,
    /// As a whole URL, which is checked when it is used.
    WholeUrl,
    /// In the value of a header.
    Header,
    /// Within a JSON string (RFC 8259, section 7).
    Json,
    /// In XML, as text or within an attribute.
    Xml,
    /// In a body of another kind: as it is.
    Plain,
    /// In the name of a destination, as part of one segment.
    Segment,
}

/// All but the unreserved characters.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A dot would begin another segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// What does not stand for itself in a header that says who or what a request is: all but visible
/// ASCII, and the sign that begins an escape.
const IDENTITY: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'%');

/// Appends `value` to `out` as its place demands.
///
/// # Errors
/// If the value cannot stand there at all.
pub(crate) fn append(out: &mut Vec<u8>, value: &[u8], place: Place) -> Result<(), String> {
    match place {
        Place::Url => out.extend(percent_encode(value, URL).flat_map(str::bytes)),
        Place::Segment => out.extend(percent_encode(value, SEGMENT).flat_map(str::bytes)),
        Place::Plain => out.extend_from_slice(value),
        Place::WholeUrl | Place::Header => append_printable(out, value),
        Place::Json => append_json(out, text(value)?)?,
        Place::Xml => append_xml(out, text(value)?),
    }
    Ok(())
}

/// An identity as it stands in a header: what is not visible ASCII becomes `%XX`.
pub(crate) fn identity(value: &str) -> Cow<'_, str> {
    percent_encode(value.as_bytes(), IDENTITY).into()
}

fn text(value: &[u8]) -> Result<&str, String> {
    from_utf8(value).map_err(|_| "column body is not UTF-8, as its place needs".to_owned())
}

/// Without control characters, which could begin another header.
fn append_printable(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(value.iter().filter(|byte| !byte.is_ascii_control()));
}

/// Without the quotes, which are the template's.
fn append_json(out: &mut Vec<u8>, value: &str) -> Result<(), String> {
    let quoted = serde_json::to_string(value).map_err(|error| error.to_string())?;
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    out.extend_from_slice(inner.unwrap_or_default().as_bytes());
    Ok(())
}

/// Characters that XML 1.0 does not have (section 2.2) are left out.
fn append_xml(out: &mut Vec<u8>, value: &str) {
    for character in value.chars() {
        match character {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\'' => out.extend_from_slice(b"&apos;"),
            '\t' | '\n' | '\r' => out.push(character as u8),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if character < ' ' => {}
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
