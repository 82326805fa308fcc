//! Looking at sources, and at what belongs to them: lists, and single rows of these lists.

use clap::Subcommand;
use posthouse_pump::calendar::Window;
use serde_json::Value;

use super::of::Of;
use crate::cli::Global;
use crate::cli::api::{Api, escape};
use crate::cli::output::{self, Column, Format};
use crate::cli::rows::{ListArgs, list, list_from};
use crate::codes::Code;
use crate::failure::Failure;

/// A kind of thing that belongs to a source.
pub(super) struct Kind {
    /// The last part of its path in the API.
    path: &'static str,
    /// What one is called.
    what: &'static str,
    /// What lists tell.
    list: &'static [Column],
    /// What is told of a single one.
    show: &'static [Column],
}

const SOURCES: [Column; 9] = [
    Column("name", "name"),
    Column("state", "state"),
    Column("database", "database"),
    Column("region", "region"),
    Column("resident", "resident"),
    Column("in flight", "in_flight"),
    Column("withheld keys", "withheld_keys"),
    Column("blocked keys", "blocked_keys"),
    Column("trouble", "trouble"),
];

const SOURCE: [Column; 25] = [
    Column("name", "name"),
    Column("state", "state"),
    Column("trouble", "trouble"),
    Column("database", "database"),
    Column("region", "region"),
    Column("node", "node"),
    Column("source time", "source_ms"),
    Column("clock error ms", "clock_error_ms"),
    Column("clock offset ms", "clock_offset_ms"),
    Column("control version", "control_version"),
    Column("resident", "resident"),
    Column("resident bytes", "resident_bytes"),
    Column("in flight", "in_flight"),
    Column("unsettled", "unsettled"),
    Column("withheld keys", "withheld_keys"),
    Column("withheld full", "withheld_full"),
    Column("blocked keys", "blocked_keys"),
    Column("locked", "locked"),
    Column("gap keys", "gap_keys"),
    Column("fenced", "fenced"),
    Column("read up to", "read_up_to"),
    Column("withheld", "withheld"),
    Column("adopts", "adopts"),
    Column("unfed", "unfed"),
    Column("open", "open"),
];

pub(super) const GROUPS: Kind = Kind {
    path: "groups",
    what: "group",
    list: &[
        Column("name", "name"),
        Column("active", "active"),
        Column("configured", "configured"),
        Column("switched", "switched"),
        Column("region", "region"),
        Column("foreign", "foreign"),
        Column("codes", "codes"),
        Column("window", "window"),
        Column("in flight", "in_flight"),
        Column("done", "done"),
        Column("failed", "failed"),
        Column("expired", "expired"),
        Column("rejected", "rejected"),
    ],
    show: &[
        Column("name", "name"),
        Column("active", "active"),
        Column("configured", "configured"),
        Column("switched", "switched"),
        Column("region", "region"),
        Column("foreign", "foreign"),
        Column("codes", "codes"),
        Column("order", "order"),
        Column("on failure", "on_failure"),
        Column("on expired", "on_expired"),
        Column("attempts max", "attempts_max"),
        Column("window", "window"),
        Column("resident", "resident"),
        Column("in flight", "in_flight"),
        Column("done", "done"),
        Column("failed", "failed"),
        Column("expired", "expired"),
        Column("rejected", "rejected"),
        Column("retried", "retried"),
    ],
};

const CODE: [Column; 11] = [
    Column("name", "name"),
    Column("group", "group"),
    Column("endpoint", "endpoint"),
    Column("window", "window"),
    Column("resident", "resident"),
    Column("in flight", "in_flight"),
    Column("done", "done"),
    Column("failed", "failed"),
    Column("expired", "expired"),
    Column("rejected", "rejected"),
    Column("retried", "retried"),
];

pub(super) const CODES: Kind = Kind { path: "codes", what: "code", list: &CODE, show: &CODE };

const ENDPOINT: [Column; 9] = [
    Column("name", "name"),
    Column("breaker", "breaker"),
    Column("in flight", "in_flight"),
    Column("concurrency", "concurrency_max"),
    Column("rate", "rate_per_s"),
    Column("timeout ms", "timeout_ms"),
    Column("resident", "resident"),
    Column("runnable", "runnable"),
    Column("oldest ms", "oldest_age_ms"),
];

pub(super) const ENDPOINTS: Kind =
    Kind { path: "endpoints", what: "endpoint", list: &ENDPOINT, show: &ENDPOINT };

const WINDOW: [Column; 5] = [
    Column("name", "name"),
    Column("open", "open"),
    Column("until", "until"),
    Column("days left", "days_left"),
    Column("description", "description"),
];

pub(super) const WINDOWS: Kind =
    Kind { path: "windows", what: "window", list: &WINDOW, show: &WINDOW };

const BUCKET: [Column; 8] = [
    Column("bucket", "name"),
    Column("first slot", "slot_first"),
    Column("last slot", "slot_last"),
    Column("owner", "owner"),
    Column("ours", "ours"),
    Column("fence", "fence"),
    Column("lease left ms", "lease_left_ms"),
    Column("draining", "draining"),
];

pub(super) const BUCKETS: Kind =
    Kind { path: "buckets", what: "bucket", list: &BUCKET, show: &BUCKET };

const NODE: [Column; 6] = [
    Column("name", "name"),
    Column("ours", "ours"),
    Column("alive", "alive"),
    Column("wanting", "wanting"),
    Column("buckets", "buckets"),
    Column("seen ms ago", "seen_ago_ms"),
];

pub(super) const NODES: Kind = Kind { path: "nodes", what: "node", list: &NODE, show: &NODE };

const HOLD: [Column; 2] = [Column("kind", "kind"), Column("name", "name")];

pub(super) const HOLDS: Kind = Kind { path: "holds", what: "hold", list: &HOLD, show: &HOLD };

/// Lists and single rows.
#[derive(Debug, Subcommand)]
pub(crate) enum Look {
    /// List them.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        args: ListArgs,
    },
    /// Show one.
    Show {
        #[command(flatten)]
        of: Of,
        /// Its name.
        name: String,
    },
}

/// What can be seen of sources.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// List the sources of the node.
    List(ListArgs),
    /// Show one, and count its open requests.
    Show {
        /// Its name. It may be left out when the node has one only.
        name: Option<String>,
        #[command(flatten)]
        of: Of,
    },
}

impl Look {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that there is none of this name.
    pub(super) fn run(self, global: &Global, kind: &Kind) -> Result<(), Failure> {
        match self {
            Look::List { of, args } => {
                let at = of.find(global)?;
                let hint = format!("there is no {} yet", kind.what);
                let path = at.path(&format!("/{}", kind.path));
                list_from(&at.api, global.output, &path, &args, kind.list, &hint)
            }
            Look::Show { of, name } => {
                let found = find(global, &of, kind, &name)?;
                output::single(global.output, kind.show, &found)
            }
        }
    }
}

/// The row of this name, out of the list.
fn find(global: &Global, of: &Of, kind: &Kind, name: &str) -> Result<Value, Failure> {
    let at = of.find(global)?;
    let query = format!("/{}?page_size=1000&filter={}", kind.path, escape(name));
    let answer = at.get(&query)?;
    let items = answer.get("items").and_then(Value::as_array);
    let found = items.into_iter().flatten().find(|item| item["name"] == name);
    found.cloned().ok_or_else(|| {
        let message = format!("the source has no {} \"{name}\"", kind.what);
        let help = format!("`posthouse relay {} list` shows all", kind.what);
        Failure::new(Code::RelayNameUnknown, message, help)
    })
}

impl Source {
    /// Shows what is asked for.
    ///
    /// # Errors
    /// What the node says, or that it cannot be reached.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Source::List(args) => {
                let hint = "there are no sources yet";
                list(global, "/relay/sources", &args, &SOURCES, hint)
            }
            Source::Show { name: Some(name), .. } => {
                let path = format!("/relay/sources/{}", escape(&name));
                show_source(global, Api::find(global)?.get(&path)?)
            }
            Source::Show { name: None, of } => show_source(global, of.find(global)?.get("")?),
        }
    }
}

/// People get sentences, programs what they are made of.
fn show_source(global: &Global, mut source: Value) -> Result<(), Failure> {
    if global.output == Format::Table {
        put_time(&mut source, "source_ms");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        put_in_words(&mut source, "withheld", |one| {
            let (cause, name) = (text(&one["cause"]), text(&one["name"]));
            format!("{cause} {name} ({} keys, {} single requests)", one["keys"], one["requests"])
        });
        put_in_words(&mut source, "open", |one| {
            format!("{} {} {}", one["requests"], text(&one["code"]), text(&one["state"]))
        });
    }
    output::single(global.output, &SOURCE, &source)
}

/// Makes each of a list into a text.
pub(super) fn put_in_words(value: &mut Value, field: &str, say: impl Fn(&Value) -> String) {
    if let Some(items) = value.get_mut(field).and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| *item = say(item).into());
    }
}

/// Makes an instant into a text, as windows show theirs, on the clock of UTC.
pub(super) fn put_time(value: &mut Value, field: &str) {
    if let Some(at_ms) = value.get(field).and_then(Value::as_i64) {
        value[field] = Window::Always.local_time(at_ms).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::put_time;

    fn check(value: &Value, expected: &Value) {
        let mut row = json!({ "at": value });
        put_time(&mut row, "at");
        assert_eq!(row["at"], *expected);
    }

    #[test]
    fn instants_are_shown_as_people_read_them() {
        check(&json!(1_795_305_600_000_i64), &json!("2026-11-22 00:00:00 +00:00"));
        check(&json!(0), &json!("1970-01-01 00:00:00 +00:00"));
        check(&json!(i64::MAX), &json!("9223372036854775807 ms"));
        check(&Value::Null, &Value::Null);
    }
}
