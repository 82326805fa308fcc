//! Lists from the admin API, page by page.

use clap::Args;
use serde_json::Value;

use super::Global;
use super::api::{Api, escape};
use super::output::{self, Column, Format};
use crate::failure::Failure;

/// Rows that are asked for at once.
const PAGE_SIZE: usize = 1_000;

/// What every list takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// The field to sort by; a minus before it turns the order round.
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Only rows whose name contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Rows at most.
    #[arg(long, value_name = "COUNT", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
}

/// Fetches a list and writes it.
///
/// # Errors
/// What the node says, or that it cannot be reached.
pub(crate) fn list(
    global: &Global,
    path: &str,
    args: &ListArgs,
    columns: &[Column],
    hint: &str,
) -> Result<(), Failure> {
    list_from(&Api::find(global)?, global.output, path, args, columns, hint)
}

/// As [`list`], with rows that are put into words for people first; programs get them as they are.
///
/// # Errors
/// As [`list`].
pub(crate) fn list_in_words(
    global: &Global,
    path: &str,
    args: &ListArgs,
    columns: &[Column],
    hint: &str,
    put: impl Fn(&mut Value),
) -> Result<(), Failure> {
    let (mut rows, is_cut) = fetch(&Api::find(global)?, path, args)?;
    if global.output == Format::Table {
        rows.iter_mut().for_each(put);
    }
    output::rows(global.output, columns, &rows, hint)?;
    tell_cut(is_cut, rows.len());
    Ok(())
}

/// As [`list`], from a node that is known.
///
/// # Errors
/// As [`list`].
pub(crate) fn list_from(
    api: &Api,
    format: Format,
    path: &str,
    args: &ListArgs,
    columns: &[Column],
    hint: &str,
) -> Result<(), Failure> {
    let (rows, is_cut) = fetch(api, path, args)?;
    output::rows(format, columns, &rows, hint)?;
    tell_cut(is_cut, rows.len());
    Ok(())
}

/// Says that the limit has left something out, so that nobody takes a part for the whole.
pub(crate) fn tell_cut(is_cut: bool, shown: usize) {
    if is_cut {
        eprintln!("these are the first {shown}; --limit shows more");
    }
}

/// The rows, and whether the limit has cut them short.
fn fetch(api: &Api, path: &str, args: &ListArgs) -> Result<(Vec<Value>, bool), Failure> {
    let mut query = String::new();
    for (name, value) in [("sort", &args.sort), ("filter", &args.filter)] {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", escape(value)));
        }
    }
    let page_size = PAGE_SIZE.min(args.limit.max(1));
    let mut rows = Vec::new();
    let mut total = 0;
    for page in 1.. {
        let answer = api.get(&format!("{path}?page={page}&page_size={page_size}{query}"))?;
        let items = answer.get("items").and_then(Value::as_array);
        let items = items.map_or(&[][..], Vec::as_slice);
        rows.extend_from_slice(items);
        total = answer.get("total").and_then(Value::as_u64).unwrap_or(0);
        if items.len() < page_size || rows.len() >= args.limit {
            break;
        }
    }
    rows.truncate(args.limit);
    let is_cut = total > rows.len() as u64;
    Ok((rows, is_cut))
}
