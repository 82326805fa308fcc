//! Writing a request: for the command line, samples and tests.
//!
//! Platforms write their requests themselves, in the transaction of their own change; this is the
//! same statement. Due time and expiry are counted from the database's clock, for that is the one
//! by which they are judged.

use posthouse_pump::request::RequestId;
use serde_json::{Map, Value as Json};

use super::base::{Base, Dialect, Door, Value};
use super::error::SourceError;
use super::limits::{HEADERS_BYTES_MAX, HEADERS_MAX, NAME_CHARS_MAX, SUBMIT_BODY_BYTES_MAX};
use super::mysql;
use super::slot::slot_of;

/// A request to write. What is empty gets the table's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewRequest {
    /// Its request code.
    pub code: String,
    /// Its body.
    pub body: Vec<u8>,
    /// The name under which receivers are to know it; the database makes one otherwise.
    pub request_id: Option<String>,
    /// Its business id.
    pub key: Option<String>,
    /// Its number among the requests of its business id, from 1 on, for a source that goes by such
    /// numbers.
    pub key_seq: Option<i64>,
    /// The region that it belongs to.
    pub region: Option<String>,
    /// The service that it is for.
    pub service: Option<String>,
    /// The method of that service.
    pub method: Option<String>,
    /// Headers for the receiver; of two with the same name the last one counts.
    pub headers: Vec<(String, String)>,
    /// The type of the body.
    pub content_type: Option<String>,
    /// Its own processing window.
    pub window: Option<String>,
    /// 0 to 9; higher goes first.
    pub priority: Option<u8>,
    /// Not before so many milliseconds from now.
    pub due_in_ms: Option<i64>,
    /// Not from so many milliseconds from now on.
    pub expires_in_ms: Option<i64>,
}

/// A request that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Its number at the source.
    pub id: RequestId,
    /// The name under which receivers know it.
    pub request_id: String,
}

/// One column: its name, how its value is had, and the value.
type Column = (&'static str, String, Value);

/// See [`AnySource::submit`](super::AnySource::submit).
pub(super) async fn submit(base: &Base, request: &NewRequest) -> Result<Submitted, SourceError> {
    check(request)?;
    let columns = columns(base.dialect(), request);
    let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
    let places: Vec<&str> = columns.iter().map(|(_, place, _)| place.as_str()).collect();
    let text =
        format!("INSERT INTO relay_request ({}) VALUES ({})", names.join(", "), places.join(", "));
    let values = columns.into_iter().map(|(.., value)| value).collect();
    let mut work = base.single(Door::Work).await?;
    let told = "id, CAST(request_id AS TEXT) AS request_id";
    let row = match base.dialect() {
        Dialect::Postgres | Dialect::Sqlite => {
            work.row(format!("{text} RETURNING {told}"), values).await?
        }
        Dialect::Mysql => {
            mysql::prepare::check_body(&mut work, request.body.len()).await?;
            work.change(text, values).await?;
            let text = format!("SELECT {told} FROM relay_request WHERE id = last_insert_id()");
            work.row(text, Vec::new()).await?
        }
    };
    let submitted =
        Submitted { id: RequestId(row.int("id")?), request_id: row.text("request_id")? };
    work.done();
    Ok(submitted)
}

fn check(request: &NewRequest) -> Result<(), SourceError> {
    check_text("code", Some(&request.code), 64)?;
    check_text("request id", request.request_id.as_ref(), 64)?;
    check_text("business id", request.key.as_ref(), NAME_CHARS_MAX)?;
    check_number(request)?;
    check_text("region", request.region.as_ref(), 32)?;
    check_text("service", request.service.as_ref(), 128)?;
    check_text("method", request.method.as_ref(), 128)?;
    check_text("content type", request.content_type.as_ref(), 128)?;
    check_text("window", request.window.as_ref(), 64)?;
    let bytes: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if request.headers.len() > HEADERS_MAX || bytes > HEADERS_BYTES_MAX / 2 {
        return Err(SourceError::refused("there are too many headers, or they are too long"));
    }
    match request.body.len() {
        bytes if bytes > SUBMIT_BODY_BYTES_MAX => Err(SourceError::refused(format!(
            "the body has {bytes} bytes; {SUBMIT_BODY_BYTES_MAX} are allowed"
        ))),
        _ => Ok(()),
    }
}

fn check_number(request: &NewRequest) -> Result<(), SourceError> {
    match request.key_seq {
        Some(number) if number < 1 => {
            Err(SourceError::refused("the numbers of a business id begin with 1"))
        }
        Some(_) if request.key.is_none() => Err(SourceError::refused(
            "a number counts the requests of a business id: give a business id with it",
        )),
        _ => Ok(()),
    }
}

/// The lengths are those of the columns; SQLite would keep more, and nobody could move on from it.
fn check_text(what: &str, text: Option<&String>, chars_max: usize) -> Result<(), SourceError> {
    let Some(text) = text else { return Ok(()) };
    let is_fine = !text.is_empty() && !text.contains('\0') && text.chars().count() <= chars_max;
    match is_fine {
        true => Ok(()),
        false => Err(SourceError::refused(format!("a {what} has from 1 to {chars_max} letters"))),
    }
}

fn columns(dialect: Dialect, request: &NewRequest) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    let mut add = |name, place: &str, value| {
        let number = columns.len() + 1;
        columns.push((name, place.replace('?', &format!("${number}")), value));
    };
    add("code", "?", request.code.as_str().into());
    add("body", "?", Value::Bytes(request.body.clone()));
    for (name, text) in texts(request) {
        add(name, "?", text.as_str().into());
    }
    if let Some(number) = request.key_seq {
        add("key_seq", "?", number.into());
    }
    if let Some(slot) = slot(dialect, request) {
        add("slot", "?", slot.into());
    }
    if let Some(priority) = request.priority {
        add("priority", "CAST(? AS SMALLINT)", i64::from(priority.min(9)).into());
    }
    for (name, in_ms) in [("due_at", request.due_in_ms), ("expires_at", request.expires_in_ms)] {
        if let Some(in_ms) = in_ms {
            add(name, &format!("{} + ?", dialect.now()), in_ms.into());
        }
    }
    columns
}

fn texts(request: &NewRequest) -> Vec<(&'static str, String)> {
    let headers = (!request.headers.is_empty()).then(|| headers(&request.headers));
    let texts = [
        ("request_id", request.request_id.clone()),
        ("business_id", request.key.clone()),
        ("region", request.region.clone()),
        ("service", request.service.clone()),
        ("method", request.method.clone()),
        ("headers", headers),
        ("content_type", request.content_type.clone()),
        ("window_name", request.window.clone()),
    ];
    texts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn headers(headers: &[(String, String)]) -> String {
    let named = headers.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str())));
    Json::from(named.collect::<Map<String, Json>>()).to_string()
}

/// Only SQLite does not compute the slot by itself.
fn slot(dialect: Dialect, request: &NewRequest) -> Option<i64> {
    let named = request.key.as_ref().or(request.request_id.as_ref())?;
    (dialect == Dialect::Sqlite).then(|| i64::from(slot_of(named).0))
}
