//! Lists: sorted, filtered and cut into pages here, so that a client never has to hold all.

use std::cmp::Reverse;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use crate::codes::Code;

/// Rows of a page when the request does not say.
const PAGE_SIZE_DEFAULT: usize = 100;

/// Rows of a page.
const PAGE_SIZE_MAX: usize = 1_000;

/// Bytes of a filter.
const FILTER_BYTES_MAX: usize = 512;

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Which page, from 1.
    page: Option<usize>,
    /// Rows of a page: 1 to 1000, 100 when absent.
    page_size: Option<usize>,
    /// The field to sort by; a minus before it turns the order round.
    sort: Option<String>,
    /// Only rows whose name contains this.
    filter: Option<String>,
}

impl ListQuery {
    /// Sorted by this if nothing else is asked for.
    pub(crate) fn or_sorted_by(mut self, field: &str) -> ListQuery {
        self.sort.get_or_insert_with(|| field.to_owned());
        self
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub(crate) items: Vec<T>,
    /// Rows of all pages together.
    pub(crate) total: usize,
    /// Which page this is, from 1.
    pub(crate) page: usize,
    /// Rows of a page.
    pub(crate) page_size: usize,
}

/// What a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

/// Something that lists are made of.
pub(crate) trait Row {
    /// The fields that it can be sorted by; the first one is used when none is named.
    const SORTS: &'static [&'static str];

    /// What it has in one of these fields.
    fn sort_key(&self, field: &str) -> SortKey;

    /// Whether its name contains `text`.
    fn contains(&self, text: &str) -> bool;
}

/// The page of `rows` that `query` wants.
///
/// # Errors
/// 400 when it wants what is not there to be had.
pub(crate) fn page<T: Row>(mut rows: Vec<T>, query: &ListQuery) -> Result<Page<T>, Problem> {
    let page = query.page.unwrap_or(1);
    let page_size = query.page_size.unwrap_or(PAGE_SIZE_DEFAULT);
    if page == 0 || page_size == 0 || page_size > PAGE_SIZE_MAX {
        return Err(invalid(format!("pages count from 1 and have 1 to {PAGE_SIZE_MAX} rows")));
    }
    if let Some(text) = &query.filter {
        if text.len() > FILTER_BYTES_MAX {
            return Err(invalid(format!("a filter has at most {FILTER_BYTES_MAX} bytes")));
        }
        rows.retain(|row| row.contains(text));
    }
    sort(&mut rows, query.sort.as_deref())?;
    let total = rows.len();
    let first = (page - 1).saturating_mul(page_size);
    let items = rows.into_iter().skip(first).take(page_size).collect();
    Ok(Page { items, total, page, page_size })
}

/// Rows that are equal in the field stay in the order of the first field, whichever way round.
fn sort<T: Row>(rows: &mut [T], sort: Option<&str>) -> Result<(), Problem> {
    let first = T::SORTS.first().copied().unwrap_or_default();
    let wanted = sort.unwrap_or(first);
    let (field, turned) = match wanted.strip_prefix('-') {
        Some(field) => (field, true),
        None => (wanted, false),
    };
    if !T::SORTS.contains(&field) {
        return Err(invalid(format!("sort by one of {}", T::SORTS.join(", "))));
    }
    rows.sort_by_cached_key(|row| row.sort_key(first));
    match turned {
        false => rows.sort_by_cached_key(|row| row.sort_key(field)),
        true => rows.sort_by_cached_key(|row| Reverse(row.sort_key(field))),
    }
    Ok(())
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::{ListQuery, Row, SortKey, page};

    impl Row for (&str, u64) {
        const SORTS: &'static [&'static str] = &["name", "size"];

        fn sort_key(&self, field: &str) -> SortKey {
            match field {
                "size" => SortKey::Number(self.1),
                _ => SortKey::Text(self.0.to_owned()),
            }
        }

        fn contains(&self, text: &str) -> bool {
            self.0.contains(text)
        }
    }

    fn check(query: (usize, usize, &str, &str), expected: Option<(&str, usize)>) {
        let (number, page_size, sort, filter) = query;
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let query = ListQuery {
            page: Some(number),
            page_size: Some(page_size),
            sort: text(sort),
            filter: text(filter),
        };
        let rows = vec![("c", 2), ("a", 2), ("bb", 3), ("b", 1)];
        let found = page(rows, &query).ok().map(|page| {
            let names: Vec<&str> = page.items.iter().map(|row| row.0).collect();
            (names.join(" "), page.total)
        });
        assert_eq!(found.as_ref().map(|(names, total)| (names.as_str(), *total)), expected);
    }

    #[test]
    fn pages_are_cut_after_sorting_and_filtering() {
        check((1, 10, "", ""), Some(("a b bb c", 4)));
        check((1, 10, "size", ""), Some(("b a c bb", 4)));
        check((1, 10, "-size", ""), Some(("bb a c b", 4)));
        check((2, 3, "", ""), Some(("c", 4)));
        check((9, 3, "", ""), Some(("", 4)));
        check((1, 1, "-name", "b"), Some(("bb", 2)));
        check((usize::MAX, 1000, "", ""), Some(("", 4)));
        check((0, 3, "", ""), None);
        check((1, 1001, "", ""), None);
        check((1, 3, "colour", ""), None);
    }
}
