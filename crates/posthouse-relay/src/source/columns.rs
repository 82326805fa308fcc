//! The columns of a request: what each may hold, and how it is selected.
//!
//! SQLite takes anything in any column, however long, and a table may have been made with other
//! types than ours. So everything is measured before it is brought, which costs neither database a
//! copy of it, and what is too long stays where it is. What is of the wrong kind is brought as far
//! as it can be shown. Either is named, so that the request waits and its source does not.

use super::base::{CommitOrder, Dialect};
use super::limits::HEADERS_BYTES_MAX;

/// A column of text, and how much of it there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) name: &'static str,
    /// As the schema of PostgreSQL has it; SQLite knows no such bound.
    pub(super) chars_max: usize,
    pub(super) bytes_max: usize,
}

/// Bytes of a letter.
const LETTER_BYTES_MAX: usize = 4;

const fn letters(name: &'static str, chars_max: usize) -> Text {
    Text { name, chars_max, bytes_max: chars_max * LETTER_BYTES_MAX }
}

pub(super) const KEY: Text = letters("business_id", 128);
pub(super) const REQUEST_ID: Text = letters("request_id", 64);
pub(super) const CODE: Text = letters("code", 64);
pub(super) const GROUP: Text = letters("grp", 64);
pub(super) const REGION: Text = letters("region", 32);
pub(super) const WINDOW: Text = letters("window_name", 64);
pub(super) const PROTOCOL: Text = letters("protocol", 16);
pub(super) const SERVICE: Text = letters("service", 128);
pub(super) const METHOD: Text = letters("method", 128);
pub(super) const CONTENT_TYPE: Text = letters("content_type", 128);
pub(super) const TRACEPARENT: Text = letters("traceparent", 64);
pub(super) const HEADERS: Text =
    Text { name: "headers", chars_max: HEADERS_BYTES_MAX, bytes_max: HEADERS_BYTES_MAX };
pub(super) const LAST_ERROR: Text = letters("last_error", 500);

/// What a request says of itself.
const TEXTS: [Text; 6] = [KEY, REQUEST_ID, CODE, GROUP, REGION, WINDOW];

/// What is sent of it, but for the body.
const CONTENT_TEXTS: [Text; 6] = [PROTOCOL, SERVICE, METHOD, HEADERS, CONTENT_TYPE, TRACEPARENT];

const NUMBERS: [&str; 8] =
    ["state", "slot", "priority", "due_at", "expires_at", "attempts", "created_at", "fence"];

const KEY_SEQ: &str = "key_seq";
const BODY: &str = "body";

/// The column of a name that the statements below have given.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let texts = TEXTS.iter().chain(&CONTENT_TEXTS).map(|text| text.name);
    texts.chain(NUMBERS).chain([KEY_SEQ, BODY]).find(|known| *known == name)
}

/// How much text a column may hold, in words; `None` for one that holds none.
pub(super) fn bound_of(name: &str) -> Option<String> {
    let text = TEXTS.iter().chain(&CONTENT_TEXTS).find(|text| text.name == name)?;
    Some(match text.name {
        "headers" => format!("{} bytes", text.bytes_max),
        _ => format!("{} letters", text.chars_max),
    })
}

/// What is selected of every request, from a table that is called `r`.
pub(super) fn columns(dialect: Dialect, order: CommitOrder) -> String {
    let numbers = ["slot", "priority", "due_at", "expires_at", "attempts", "created_at"];
    let mut columns = vec!["CAST(r.id AS BIGINT) AS id".to_owned(), number("state")];
    columns.extend(TEXTS.iter().map(|text| format!("{} AS {}", bounded(text, "r."), text.name)));
    columns.extend(numbers.map(number));
    columns.push("CAST(r.fence AS BIGINT) AS fence".to_owned());
    columns.push(format!("{} AS too_long", too_long(&TEXTS)));
    columns.push(format!("{} AS mistyped", mistyped(dialect, order)));
    columns.join(", ")
}

fn number(name: &str) -> String {
    format!("CAST(r.{name} AS BIGINT) AS {name}")
}

/// What is selected of those that may be sent: the name, and how it is had.
pub(super) fn content_columns(dialect: Dialect) -> Vec<(&'static str, String)> {
    let texts = CONTENT_TEXTS.iter().map(|text| (text.name, bounded(text, "r.")));
    let mut columns: Vec<(&'static str, String)> = texts.collect();
    let body = match dialect {
        Dialect::Postgres => "r.body".to_owned(),
        // The row once more, where the body is wanted.
        Dialect::Mysql => "b.body".to_owned(),
        Dialect::Sqlite => "CASE WHEN typeof(r.body) IN ('blob', 'text') THEN r.body END".into(),
    };
    columns.push((BODY, body));
    columns.push(("content_too_long", too_long(&CONTENT_TEXTS)));
    columns.push(("content_mistyped", content_mistyped(dialect)));
    columns
}

/// A text, if it is not too long. Of one that holds bytes, these.
pub(super) fn bounded(text: &Text, table: &str) -> String {
    let Text { name, bytes_max, .. } = text;
    format!(
        "CASE WHEN octet_length({table}{name}) <= {bytes_max} THEN CAST({table}{name} AS TEXT) END"
    )
}

/// The same, as it stands there, to be compared with others.
pub(super) fn comparable(text: &Text, table: &str) -> String {
    let Text { name, bytes_max, .. } = text;
    format!("CASE WHEN octet_length({table}{name}) <= {bytes_max} THEN {table}{name} END")
}

/// The name of the first column that is too long.
fn too_long(texts: &[Text]) -> String {
    let case = |Text { name, bytes_max, .. }: &Text| {
        format!("WHEN octet_length(r.{name}) > {bytes_max} THEN '{name}'")
    };
    first_of(&texts.iter().map(case).collect::<Vec<String>>())
}

/// The name of the first column that holds another kind of value than it should.
fn mistyped(dialect: Dialect, order: CommitOrder) -> String {
    if dialect != Dialect::Sqlite {
        return "CAST(NULL AS TEXT)".to_owned();
    }
    let no_text = |text: &Text| other_than(text.name, "'text'");
    let counted = (order == CommitOrder::KeySeq).then_some(KEY_SEQ);
    let no_number = |name: &str| other_than(name, "'integer'");
    let texts = TEXTS.iter().map(no_text);
    let numbers = NUMBERS.into_iter().chain(counted).map(no_number);
    first_of(&texts.chain(numbers).collect::<Vec<String>>())
}

/// In what is sent, bytes do for a text, and a text for bytes.
fn content_mistyped(dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres | Dialect::Mysql => "CAST(NULL AS TEXT)".to_owned(),
        Dialect::Sqlite => first_of(&[other_than(BODY, "'blob', 'text'")]),
    }
}

fn other_than(name: &str, kinds: &str) -> String {
    format!("WHEN typeof(r.{name}) NOT IN ({kinds}, 'null') THEN '{name}'")
}

fn first_of(cases: &[String]) -> String {
    format!("CAST(CASE {} END AS TEXT)", cases.join(" "))
}
