//! Templates: text with fields of a request between braces.
//!
//! A brace begins a field only if a name and a closing brace follow, so that JSON needs no
//! escaping. Templates are checked when they are loaded; filling one in can fail only because of
//! the row.

use super::escape::{Place, append};
use super::field::{Field, Values};
use super::limits::TEMPLATE_BYTES_MAX;

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

impl Template {
    /// Reads a template whose values go to `place`.
    ///
    /// # Errors
    /// The first mistake, for people.
    pub(crate) fn parse(text: &str, place: Place) -> Result<Template, String> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("it has more than {TEMPLATE_BYTES_MAX} bytes"));
        }
        let template = Template { parts: split(text)?, place };
        let has_body = template.fields().any(|field| *field == Field::Body);
        let has_json = template.fields().any(|field| *field == Field::BodyJson);
        let is_body = matches!(place, Place::Json | Place::Xml | Place::Plain);
        if (has_body || has_json) && !is_body {
            return Err("{body} may stand in a body only".into());
        }
        if has_json && place != Place::Json {
            return Err("{body.json} may stand in a JSON body only; set a JSON content type".into());
        }
        Ok(template)
    }

    /// Whether it is the same for every request.
    pub(crate) fn is_fixed(&self) -> bool {
        self.fields().next().is_none()
    }

    /// Whether it is one field and nothing else.
    pub(crate) fn is_one_field(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Field(_)])
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }

    /// Its text with `stand_in` for every value and `null` for a JSON value, to see whether what
    /// surrounds the fields makes sense.
    pub(crate) fn sample(&self, stand_in: &str) -> String {
        let of = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Field(Field::BodyJson) => "null".to_owned(),
            Part::Field(_) => stand_in.to_owned(),
        };
        self.parts.iter().map(of).collect()
    }

    /// Fills in the values, at most `bytes_max` bytes altogether.
    ///
    /// # Errors
    /// What is missing in the row or wrong with it, naming the column.
    pub(crate) fn fill(&self, values: &Values<'_>, bytes_max: usize) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Field(Field::BodyJson) => append_json_value(&mut out, values)?,
                Part::Field(field) => append(&mut out, &values.get(field)?, self.place)?,
            }
            if out.len() > bytes_max {
                return Err(format!("the row makes it longer than {bytes_max} bytes"));
            }
        }
        Ok(out)
    }

    /// The same as text. Header values and URLs are UTF-8 because their parts are.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn fill_text(
        &self,
        values: &Values<'_>,
        bytes_max: usize,
    ) -> Result<String, String> {
        let bytes = self.fill(values, bytes_max)?;
        String::from_utf8(bytes).map_err(|_| "the row makes it something else than UTF-8".into())
    }
}

fn append_json_value(out: &mut Vec<u8>, values: &Values<'_>) -> Result<(), String> {
    let body = values.get(&Field::BodyJson)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&body)
        .map_err(|error| format!("column body is not JSON, as the target needs: {error}"))?;
    out.extend_from_slice(&body);
    Ok(())
}

fn split(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        plain.push_str(before);
        match after.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, behind)) => {
                push_text(&mut parts, &mut plain);
                parts.push(Part::Field(Field::parse(name)?));
                rest = behind;
            }
            None => {
                plain.push('{');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    push_text(&mut parts, &mut plain);
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, plain: &mut String) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

fn is_name(text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_inside)
}
