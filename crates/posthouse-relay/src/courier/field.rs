//! What a template can name: the parts of a request that a call may be made of.

use std::borrow::Cow;

use posthouse_pump::attempt::Attempt;
use posthouse_pump::request::Content;

use super::nearest::nearest;

/// A named part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Code,
    RequestId,
    Key,
    Service,
    Method,
    Region,
    Attempt,
    Id,
    /// A header of the row, by its lower-case name.
    Header(String),
    /// The body as text, or as it is where the place is plain.
    Body,
    /// The body as a JSON value.
    BodyJson,
}

const NAMES: [&str; 11] = [
    "code",
    "request_id",
    "key",
    "service",
    "method",
    "region",
    "attempt",
    "id",
    "body",
    "body.json",
    "header.NAME",
];

impl Field {
    /// The field of this name, as it stands between braces.
    ///
    /// # Errors
    /// If there is none; says what may have been meant.
    pub(crate) fn parse(name: &str) -> Result<Field, String> {
        Ok(match name {
            "code" => Field::Code,
            "request_id" => Field::RequestId,
            "key" => Field::Key,
            "service" => Field::Service,
            "method" => Field::Method,
            "region" => Field::Region,
            "attempt" => Field::Attempt,
            "id" => Field::Id,
            "body" => Field::Body,
            "body.json" => Field::BodyJson,
            _ => return parse_header(name),
        })
    }
}

fn parse_header(name: &str) -> Result<Field, String> {
    match name.strip_prefix("header.") {
        Some(header) if !header.is_empty() => Ok(Field::Header(header.to_ascii_lowercase())),
        _ => Err(match nearest(name, &NAMES) {
            Some(near) => format!("there is no field {{{name}}}; did you mean {{{near}}}?"),
            None => format!("there is no field {{{name}}}; the fields are {}", NAMES.join(", ")),
        }),
    }
}

/// The values of one attempt, with what the target says where the row says nothing.
pub(crate) struct Values<'a> {
    pub(crate) attempt: &'a Attempt,
    pub(crate) content: &'a Content,
    pub(crate) service: Option<&'a str>,
    pub(crate) method: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// The bytes of a field.
    ///
    /// # Errors
    /// If the row has none, naming the column.
    pub(crate) fn get(&self, field: &Field) -> Result<Cow<'a, [u8]>, String> {
        let request = &self.attempt.request;
        match field {
            Field::Code => Ok(text(&request.code)),
            Field::RequestId => Ok(text(&request.request_id)),
            Field::Region => Ok(text(&request.region)),
            Field::Attempt => Ok(Cow::Owned(self.attempt.try_no.to_string().into_bytes())),
            Field::Id => Ok(Cow::Owned(request.id.0.to_string().into_bytes())),
            Field::Key => present(request.key.as_deref(), "business_id"),
            Field::Service => present(self.content.service.as_deref().or(self.service), "service"),
            Field::Method => present(self.content.method.as_deref().or(self.method), "method"),
            Field::Header(name) => self.header(name),
            Field::Body | Field::BodyJson => Ok(Cow::Borrowed(&self.content.body)),
        }
    }

    fn header(&self, name: &str) -> Result<Cow<'a, [u8]>, String> {
        let mut headers = self.content.headers.iter();
        match headers.find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            Some((_, value)) => Ok(text(value)),
            None => Err(format!("column headers has no header \"{name}\", which the target needs")),
        }
    }
}

fn text(value: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(value.as_bytes())
}

fn present<'a>(value: Option<&'a str>, column: &str) -> Result<Cow<'a, [u8]>, String> {
    let missing = || format!("column {column} is empty, but the target needs it");
    value.filter(|value| !value.is_empty()).map(text).ok_or_else(missing)
}
