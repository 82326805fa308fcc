//! Processing windows: whether they are open, and when they will be.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_pump::calendar::{Interval, Window};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;

/// Openings that are told ahead.
const UPCOMING: usize = 5;

/// When requests may go.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayWindow {
    /// Its name.
    name: String,
    /// Whether it is open now, by the source's clock.
    open: bool,
    /// Until when it stays so, on the clock of its zone; absent if no end is known.
    until: Option<String>,
    /// What it is, in one line.
    description: String,
    /// The next times at which it is open, the present one first.
    next: Vec<Opening>,
    /// Days after today for which its dates are known; absent if they are complete.
    days_left: Option<i64>,
}

/// A time during which a window is open.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Opening {
    /// Its first instant, in milliseconds since 1970.
    open_ms: i64,
    /// The same on the clock of the window's zone.
    open: String,
    /// The first instant after it, in milliseconds since 1970; absent if it does not end.
    close_ms: Option<i64>,
    /// The same on the clock of the window's zone.
    close: Option<String>,
}

impl Row for RelayWindow {
    const SORTS: &'static [&'static str] = &["name", "open", "days_left"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "open" => self.open.into(),
            "days_left" => self.days_left.map_or(u64::MAX, |days| u64::try_from(days).unwrap_or(0)),
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the processing windows of a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/windows", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayWindow>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_windows(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayWindow>>, Problem> {
    let status = ask::status(ask::source(&admin, &name)?).await?;
    let windows = status.plan.windows.iter();
    let windows = windows.map(|(name, window)| describe(name, window, status.now.source_ms));
    Ok(Json(page(windows.collect(), &query)?))
}

fn describe(name: &str, window: &Window, now_ms: i64) -> RelayWindow {
    let upcoming = window.upcoming(now_ms, UPCOMING).into_iter();
    let is_open = window.is_open(now_ms);
    let until_ms = if is_open { window.next_close(now_ms) } else { window.next_open(now_ms) };
    RelayWindow {
        name: name.to_owned(),
        open: is_open,
        until: until_ms.map(|at_ms| window.local_time(at_ms)),
        description: window.describe(),
        next: upcoming.map(|interval| opening(window, interval)).collect(),
        days_left: window.days_left(now_ms),
    }
}

fn opening(window: &Window, interval: Interval) -> Opening {
    Opening {
        open_ms: interval.open_ms,
        open: window.local_time(interval.open_ms),
        close_ms: interval.close_ms,
        close: interval.close_ms.map(|at_ms| window.local_time(at_ms)),
    }
}
