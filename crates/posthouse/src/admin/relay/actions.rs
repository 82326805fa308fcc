//! What operators decide about requests: one by one, or all of a business id.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use posthouse_pump::request::RequestId;
use posthouse_relay::source::operate::{Action, Operated};
use serde::Deserialize;
use utoipa::IntoParams;

use super::unchanged::Unchanged;
use super::{Changed, ask};
use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::problem::Problem;
use crate::codes::Code;
use crate::relay::RunningSource;

/// Requests that one action may name.
const IDS_MAX: usize = 1_000;

/// Makes an action of the requests that it is for.
type OfIds = fn(Vec<RequestId>) -> Action;

/// Which requests.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct IdsQuery {
    /// Their numbers, parted by commas; at most a thousand.
    ids: String,
}

/// Which requests, and when.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RetryQuery {
    /// Their numbers, parted by commas; at most a thousand.
    ids: String,
    /// Whether those that their writers want to be sent later, and that have never been tried, are
    /// sent at once too; without it they keep their time.
    #[serde(default)]
    now: bool,
}

/// Which business id, and how much of it.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SkipQuery {
    /// The business id.
    key: String,
    /// Whether everything of it that is open is given up, and not only what is blocked.
    #[serde(default)]
    all: bool,
}

/// Which business id.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeyQuery {
    /// The business id.
    key: String,
}

/// Try open requests again at once, with all their tries before them.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/rows/retry", tag = "relay",
    params(("name" = String, Path), RetryQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn retry_rows(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<RetryQuery>,
) -> Result<Json<Changed>, Problem> {
    let action: OfIds = if query.now { Action::RetryNow } else { Action::Retry };
    change(&admin, &user, &name, &query.ids, ("retried requests", action)).await
}

/// Give open requests up as failed; their business ids go on.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/rows/skip", tag = "relay",
    params(("name" = String, Path), IdsQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn skip_rows(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<IdsQuery>,
) -> Result<Json<Changed>, Problem> {
    change(&admin, &user, &name, &query.ids, ("skipped requests", Action::Skip)).await
}

/// Cancel open requests; their business ids go on.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/rows/cancel", tag = "relay",
    params(("name" = String, Path), IdsQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn cancel_rows(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<IdsQuery>,
) -> Result<Json<Changed>, Problem> {
    change(&admin, &user, &name, &query.ids, ("cancelled requests", Action::Cancel)).await
}

/// Send finished requests once more, under the same request ids.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/rows/replay", tag = "relay",
    params(("name" = String, Path), IdsQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn replay_rows(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<IdsQuery>,
) -> Result<Json<Changed>, Problem> {
    change(&admin, &user, &name, &query.ids, ("replayed requests", Action::Replay)).await
}

/// Try every blocked request of a business id again.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/keys/retry", tag = "relay",
    params(("name" = String, Path), KeyQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn retry_key(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<KeyQuery>,
) -> Result<Json<Changed>, Problem> {
    let action = Action::RetryKey(query.key.clone());
    let nothing =
        format!("no request of the business id \"{}\" is blocked that has not expired", query.key);
    change_key(&admin, &user, &name, ("retried a business id", action), nothing).await
}

/// Give every blocked request of a business id up as failed, or every open one.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/keys/skip", tag = "relay",
    params(("name" = String, Path), SkipQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn skip_key(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<SkipQuery>,
) -> Result<Json<Changed>, Problem> {
    let SkipQuery { key, all } = query;
    let which = if all { "open" } else { "blocked" };
    let nothing = format!("no request of the business id \"{key}\" is {which}");
    let action = if all { Action::SkipKey(key) } else { Action::SkipBlocked(key) };
    change_key(&admin, &user, &name, ("skipped a business id", action), nothing).await
}

/// Carries out what an operator wants, and writes down that it was done, and for whom.
pub(super) async fn carry_out(
    source: &RunningSource,
    user: &Principal,
    what: &'static str,
    action: Action,
) -> Result<Json<Changed>, Problem> {
    let done = ask::operate(source, &action).await?;
    write_down(source, user, what, &action, &done);
    Ok(Json(changed(done, Unchanged::default())))
}

async fn change(
    admin: &Admin,
    user: &Principal,
    name: &str,
    ids: &str,
    (what, action): (&'static str, OfIds),
) -> Result<Json<Changed>, Problem> {
    let source = ask::source(admin, name)?;
    let ids = read_ids(ids)?;
    let action = action(ids.iter().copied().collect());
    let done = ask::operate(source, &action).await?;
    let left = ids.into_iter().filter(|id| !done.changed.contains(id)).collect();
    let unchanged = Unchanged::find(source, &action, left).await?;
    if done.changed.is_empty() {
        return Err(unchanged.refusal());
    }
    write_down(source, user, what, &action, &done);
    Ok(Json(changed(done, unchanged)))
}

async fn change_key(
    admin: &Admin,
    user: &Principal,
    name: &str,
    (what, action): (&'static str, Action),
    nothing: String,
) -> Result<Json<Changed>, Problem> {
    let source = ask::source(admin, name)?;
    let done = ask::operate(source, &action).await?;
    if done.changed.is_empty() {
        return Err(ask::no_request(nothing));
    }
    write_down(source, user, what, &action, &done);
    Ok(Json(changed(done, Unchanged::default())))
}

fn changed(done: Operated, left: Unchanged) -> Changed {
    let Operated { version, changed, has_more } = done;
    let changed = changed.into_iter().map(|id| id.0).collect();
    let (unchanged, reasons) = left.told();
    Changed { changed, unchanged, reasons, version, has_more }
}

fn write_down(
    source: &RunningSource,
    user: &Principal,
    what: &'static str,
    action: &Action,
    done: &Operated,
) {
    let (source, user) = (&*source.config.name, user.name());
    let (changed, version) = (done.changed.len(), done.version);
    tracing::info!(source, user, ?action, changed, version, "{what}");
}

fn read_ids(text: &str) -> Result<BTreeSet<RequestId>, Problem> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut ids = BTreeSet::new();
    for word in words {
        let id = word.parse().map_err(|_| invalid(&format!("\"{word}\" is no request number")))?;
        ids.insert(RequestId(id));
        if ids.len() > IDS_MAX {
            return Err(invalid(&format!("at most {IDS_MAX} requests can be named at a time")));
        }
    }
    if ids.is_empty() { Err(invalid("no request was named")) } else { Ok(ids) }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::read_ids;

    fn check(text: &str, expected: Option<&[i64]>) {
        let ids = read_ids(text).ok();
        let ids: Option<Vec<i64>> = ids.map(|ids| ids.into_iter().map(|id| id.0).collect());
        assert_eq!(ids.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn numbers_are_parted_by_commas() {
        check("7", Some(&[7]));
        check("9, 7,7,", Some(&[7, 9]));
        check("", None);
        check(",", None);
        check("a", None);
        check("9223372036854775808", None);
        check(&(0..1_001).map(|id| format!("{id},")).collect::<String>(), None);
    }
}
