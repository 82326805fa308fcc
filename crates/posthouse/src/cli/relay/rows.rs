//! Looking at requests, and at business ids that are blocked.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::look::{put_in_words, put_time};
use super::of::{At, Of};
use crate::cli::Global;
use crate::cli::api::escape;
use crate::cli::output::{self, Column, Format};
use crate::cli::rows::tell_cut;
use crate::codes::Code;
use crate::failure::Failure;

/// Rows that one answer of the API may hold.
const PAGE_SIZE: usize = 500;

/// When a request was moved to the archive.
const ARCHIVED: &str = "archived_ms";

const LIST: [Column; 11] = [
    Column("id", "id"),
    Column("state", "state"),
    Column("code", "code"),
    Column("key", "key"),
    Column("attempts", "attempts"),
    Column("due", "due_ms"),
    Column("expires", "expires_ms"),
    Column("status", "status"),
    Column("error", "error"),
    Column("archived", ARCHIVED),
    Column("unreadable", "unreadable"),
];

const SHOW: [Column; 31] = [
    Column("id", "id"),
    Column("request id", "request_id"),
    Column("state", "state"),
    Column("waits", "waits"),
    Column("unreadable", "unreadable"),
    Column("code", "code"),
    Column("group", "group"),
    Column("region", "region"),
    Column("key", "key"),
    Column("number", "key_seq"),
    Column("priority", "priority"),
    Column("window", "window"),
    Column("due", "due_ms"),
    Column("expires", "expires_ms"),
    Column("attempts", "attempts"),
    Column("status", "status"),
    Column("error", "error"),
    Column("fence", "fence"),
    Column("created", "created_ms"),
    Column("updated", "updated_ms"),
    Column("done", "done_ms"),
    Column("archived", ARCHIVED),
    Column("protocol", "protocol"),
    Column("service", "service"),
    Column("method", "method"),
    Column("headers", "headers"),
    Column("content type", "content_type"),
    Column("body bytes", "body_bytes"),
    Column("body encoding", "body_encoding"),
    Column("body cut", "body_cut"),
    Column("body", "body"),
];

const BLOCKED: [Column; 6] = [
    Column("key", "key"),
    Column("id", "id"),
    Column("code", "code"),
    Column("age ms", "age_ms"),
    Column("depth", "depth"),
    Column("error", "error"),
];

/// What can be seen of requests.
#[derive(Debug, Subcommand)]
pub(crate) enum Row {
    /// List requests, the newest first.
    List(Filter),
    /// Show one, and why it waits.
    Show {
        #[command(flatten)]
        of: Of,
        /// Its number.
        #[arg(allow_negative_numbers = true)]
        id: i64,
    },
}

/// Which requests.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    #[command(flatten)]
    of: Of,
    /// In these states, parted by commas; `open` for all that are not finished.
    #[arg(long)]
    state: Option<String>,
    /// With this code.
    #[arg(long)]
    code: Option<String>,
    /// With this business id.
    #[arg(long)]
    key: Option<String>,
    /// With this request id; in the archive, too.
    #[arg(long)]
    request_id: Option<String>,
    /// Requests at most.
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

/// What can be seen of blocked business ids.
#[derive(Debug, Subcommand)]
pub(crate) enum Blocked {
    /// List them.
    List {
        #[command(flatten)]
        of: Of,
        /// Business ids at most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Show one.
    Show {
        #[command(flatten)]
        of: Of,
        /// The business id.
        key: String,
    },
}

impl Row {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Row::List(filter) => {
                let at = filter.of.find(global)?;
                let path = format!("/rows?{}", filter.query());
                let mut rows = pages(&at, &path, filter.limit)?;
                rows.iter_mut().for_each(|row| tell_times(global, row));
                // The archive is only looked into for one request id.
                let is_shown =
                    |column: &Column| column.1 != ARCHIVED || filter.request_id.is_some();
                let columns: Vec<Column> = LIST.into_iter().filter(is_shown).collect();
                show(global, &columns, rows, filter.limit, "there are no such requests")
            }
            Row::Show { of, id } => {
                let mut row = of.find(global)?.get(&format!("/rows/{id}"))?;
                tell_times(global, &mut row);
                if global.output == Format::Table {
                    let text = |wait: &Value| wait["detail"].as_str().unwrap_or("").to_owned();
                    put_in_words(&mut row, "waits", text);
                }
                output::single(global.output, &SHOW, &row)
            }
        }
    }
}

impl Filter {
    fn query(&self) -> String {
        let named = [
            ("state", &self.state),
            ("code", &self.code),
            ("key", &self.key),
            ("request_id", &self.request_id),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        named.map(|(name, value)| format!("{name}={}&", escape(value))).collect()
    }
}

impl Blocked {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that no such business id is blocked.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Blocked::List { of, limit } => {
                let keys = pages(&of.find(global)?, "/blocked?", limit)?;
                show(global, &BLOCKED, keys, limit, "nothing is blocked")
            }
            Blocked::Show { of, key } => {
                let keys = pages(&of.find(global)?, "/blocked?", usize::MAX - 1)?;
                let found = keys.into_iter().find(|found| found["key"] == *key);
                let found = found.ok_or_else(|| not_blocked(&key))?;
                output::single(global.output, &BLOCKED, &found)
            }
        }
    }
}

/// People get the times of a row as texts, programs in milliseconds. What is due at once has none.
fn tell_times(global: &Global, row: &mut Value) {
    if global.output != Format::Table {
        return;
    }
    if row["due_ms"] == 0 {
        row["due_ms"] = Value::Null;
    }
    let fields = ["due_ms", "expires_ms", "created_ms", "updated_ms", "done_ms", "archived_ms"];
    fields.into_iter().for_each(|field| put_time(row, field));
}

fn not_blocked(key: &str) -> Failure {
    let message = format!("the business id \"{key}\" is not blocked");
    let help = "`posthouse relay row list --key KEY --state open` shows what waits of it";
    Failure::new(Code::RequestUnknown, message, help)
}

/// At most one row more than `limit`, which tells whether there are more.
pub(super) fn pages(at: &At, path: &str, limit: usize) -> Result<Vec<Value>, Failure> {
    let wanted = limit.saturating_add(1);
    let mut rows: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    while rows.len() < wanted {
        let size = PAGE_SIZE.min(wanted - rows.len());
        let answer = at.get(&format!("{path}limit={size}{cursor}"))?;
        let items = answer.get("items").and_then(Value::as_array);
        rows.extend(items.into_iter().flatten().cloned());
        match answer.get("next").and_then(Value::as_i64) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(rows)
}

/// Shows at most `limit` rows, and says whether there are more.
pub(super) fn show(
    global: &Global,
    columns: &[Column],
    mut rows: Vec<Value>,
    limit: usize,
    hint: &str,
) -> Result<(), Failure> {
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    output::rows(global.output, columns, &rows, hint)?;
    tell_cut(is_cut, rows.len());
    Ok(())
}
