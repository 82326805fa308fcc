//! How a call is put together from a request: what couriers of all protocols share.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use posthouse_pump::attempt::Attempt;
use posthouse_pump::request::Content;

use super::escape::Place;
use super::fault::Faults;
use super::field::Values;
use super::headers;
use super::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, TARGET_HEADERS_MAX};
use super::template::Template;

/// What a target adds to requests, without mistakes.
pub(crate) struct Assembly {
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Option<Template>,
    pub(crate) service: Option<String>,
    pub(crate) service_method: Option<String>,
}

impl Assembly {
    /// What a template of this target can name.
    pub(crate) fn values<'a>(&'a self, attempt: &'a Attempt, content: &'a Content) -> Values<'a> {
        let (service, method) = (self.service.as_deref(), self.service_method.as_deref());
        Values { attempt, content, service, method }
    }

    /// The row's headers and the target's, and the content type, if anybody gives one. Ours are not
    /// among them.
    ///
    /// # Errors
    /// What is missing in the row or wrong with it.
    pub(crate) fn headers(&self, values: &Values<'_>) -> Result<HeaderMap, String> {
        let mut headers = headers::from_row(values.content)?;
        for (name, template) in &self.headers {
            headers::set(&mut headers, name, &template.fill_text(values, HEADER_BYTES_MAX)?)?;
        }
        if let Some(content_type) = &self.content_type {
            headers::set(&mut headers, &CONTENT_TYPE, content_type)?;
        }
        Ok(headers)
    }

    /// The target's body, or the row's as it is.
    ///
    /// # Errors
    /// What is missing in the row or wrong with it.
    pub(crate) fn body(&self, values: &Values<'_>) -> Result<Bytes, String> {
        match &self.body {
            Some(template) => Ok(template.fill(values, BODY_BYTES_MAX)?.into()),
            None => Ok(values.content.body.clone()),
        }
    }
}

/// Checks the headers that a target adds.
pub(crate) fn check_headers(
    raw: &[(String, String)],
    faults: &mut Faults,
) -> Vec<(HeaderName, Template)> {
    if raw.len() > TARGET_HEADERS_MAX {
        faults.add("headers", format!("there are more than {TARGET_HEADERS_MAX}"));
    }
    let mut checked = Vec::new();
    for (name, text) in raw.iter().take(TARGET_HEADERS_MAX) {
        let field = format!("headers.{name}");
        let name = faults.take(&field, check_header_name(name));
        let template = faults.take(&field, Template::parse(text, Place::Header));
        checked.extend(name.zip(template));
    }
    checked
}

fn check_header_name(text: &str) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(text.as_bytes());
    let name = name.map_err(|_| "this is not the name of a header".to_owned())?;
    if name == CONTENT_TYPE {
        return Err("set content_type instead".into());
    }
    if headers::is_reserved(name.as_str()) {
        return Err("this header is set for every call and cannot be changed".into());
    }
    Ok(name)
}

/// Checks the body that a target writes, and its type.
pub(crate) fn check_body(
    content_type: Option<&str>,
    body: Option<&str>,
    faults: &mut Faults,
) -> Option<Template> {
    if let Some(content_type) = content_type {
        let is_fine = content_type.contains('/') && content_type.chars().all(|c| !c.is_control());
        if !is_fine {
            faults.add("content_type", "write it as application/json");
        }
    }
    let text = body?;
    let Some(content_type) = content_type else {
        faults.add("content_type", "a body template needs one, so that values can be escaped");
        return None;
    };
    faults.take("body", check_body_template(text, body_place(content_type)))
}

fn check_body_template(text: &str, place: Place) -> Result<Template, String> {
    let template = Template::parse(text, place)?;
    if place == Place::Json {
        serde_json::from_str::<serde::de::IgnoredAny>(&template.sample("0"))
            .map_err(|error| format!("it is not JSON, even with values filled in: {error}"))?;
    }
    Ok(template)
}

/// How values are escaped in a body of this type.
fn body_place(content_type: &str) -> Place {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Place::Url,
        _ if essence.ends_with("json") => Place::Json,
        _ if essence.ends_with("xml") => Place::Xml,
        _ => Place::Plain,
    }
}
