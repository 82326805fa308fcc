//! Single requests: lists of them, and one with why it waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthouse_pump::plan::Order;
use posthouse_pump::request::{Content, RequestId};
use posthouse_relay::runner::Status;
use posthouse_relay::source::look::{Filter, Row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::why::{self, Sight, Wait};
use super::{ask, states};
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::problem::Problem;
use crate::codes::Code;
use crate::relay::RunningSource;

/// Requests of an answer when the question does not say.
pub(super) const LIMIT_DEFAULT: u32 = 100;

/// Requests of an answer.
pub(super) const LIMIT_MAX: u32 = 500;

/// Bytes of a body that are shown.
const BODY_BYTES_MAX: usize = 4 << 10;

/// Which requests are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsQuery {
    /// In one of these states, parted by commas; `open` for all that are not finished.
    state: Option<String>,
    /// With this code.
    code: Option<String>,
    /// With this business id.
    key: Option<String>,
    /// With this request id.
    request_id: Option<String>,
    /// Where to go on: `next` of the answer before.
    cursor: Option<i64>,
    /// Requests at most: 1 to 500, 100 when absent.
    limit: Option<u32>,
}

/// Requests, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RequestPage {
    /// The requests. There may be none though `next` is there: then the search has come so far.
    items: Vec<RelayRequest>,
    /// The cursor to go on with; absent at the end.
    next: Option<i64>,
}

/// A request as it stands in its source. Instants are milliseconds since 1970 by its clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayRequest {
    /// Its number.
    id: i64,
    /// The name under which receivers know it.
    request_id: String,
    /// `ready`, `sending`, `blocked`, `done`, `failed`, `expired`, `rejected` or `cancelled`.
    state: &'static str,
    /// Its code.
    code: String,
    /// The group that it names.
    group: Option<String>,
    /// The region that it names.
    region: Option<String>,
    /// Its business id.
    key: Option<String>,
    /// Its number among those of its business id, where the source goes by such numbers.
    key_seq: Option<i64>,
    /// 0 to 9; higher goes first.
    priority: u8,
    /// Its own processing window.
    window: Option<String>,
    /// Not before.
    due_ms: i64,
    /// Not from then on.
    expires_ms: Option<i64>,
    /// Tries so far.
    attempts: u32,
    /// The status of the last try.
    status: Option<i64>,
    /// What was wrong with the last try.
    error: Option<String>,
    /// The fence of the last writer.
    fence: i64,
    /// When it was written.
    created_ms: i64,
    /// When it was changed last.
    updated_ms: Option<i64>,
    /// When it was finished.
    done_ms: Option<i64>,
    /// When it was moved to the archive; absent of what is in the request table.
    archived_ms: Option<i64>,
    /// Bytes of its body.
    body_bytes: u64,
    /// What of it cannot be read, so that it waits until its row is changed and it is retried.
    /// Lists do not look at what is sent of it.
    unreadable: Option<String>,
}

/// A request with what is sent of it, and why it waits.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayRequestWhole {
    #[serde(flatten)]
    row: RelayRequest,
    /// The courier that it asks for.
    protocol: Option<String>,
    /// The service that it is for.
    service: Option<String>,
    /// The method of that service.
    method: Option<String>,
    /// Headers for the receiver.
    headers: BTreeMap<String, String>,
    /// The type of its body.
    content_type: Option<String>,
    /// The trace that it belongs to.
    traceparent: Option<String>,
    /// The beginning of its body.
    body: String,
    /// How that is written: `text` or `base64`.
    body_encoding: &'static str,
    /// Whether there is more of it.
    body_cut: bool,
    /// Why it is not sent yet, most important first; empty when it is finished.
    waits: Vec<Wait>,
}

/// List requests, the newest first.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/rows", tag = "relay",
    params(("name" = String, Path), RowsQuery),
    responses((status = 200, body = RequestPage), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_rows(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<RowsQuery>,
) -> Result<Json<RequestPage>, Problem> {
    let source = ask::source(&admin, &name)?;
    let (rows, next) = ask::rows(source, filter(query)?).await?;
    let items = rows.into_iter().map(RelayRequest::from).collect();
    Ok(Json(RequestPage { items, next: next.map(|id| id.0) }))
}

/// Show a request, and why it waits.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/rows/{id}", tag = "relay",
    params(("name" = String, Path), ("id" = i64, Path)),
    responses((status = 200, body = RelayRequestWhole), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_row(
    State(admin): State<Arc<Admin>>,
    Named((name, id)): Named<(String, i64)>,
) -> Result<Json<RelayRequestWhole>, Problem> {
    let source = ask::source(&admin, &name)?;
    let (row, content) = ask::row(source, RequestId(id)).await?;
    let waits = if row.state < states::FINISHED { waits(source, &row).await? } else { Vec::new() };
    Ok(Json(describe(row, content, waits)))
}

async fn waits(source: &RunningSource, row: &Row) -> Result<Vec<Wait>, Problem> {
    let status = ask::status(source).await?;
    let turn = ask::turn(source, row.id).await?;
    let before = match &turn {
        Some(turn) if turn.first == row.id => None,
        Some(turn) => Some(ask::row(source, turn.first).await?.0),
        None => before(source, &status, row).await?,
    };
    let sight = Sight {
        control: ask::control(source).await?,
        buckets: ask::buckets(source).await?,
        before,
        missing: turn.and_then(|turn| turn.missing),
        here: source.handle.why(row.id).await,
        status,
    };
    Ok(why::waits(row, &sight))
}

/// The first open request that must go before this one, if there is one. Only the nearest five
/// hundred are looked at, which is enough to see that there is one.
async fn before(
    source: &RunningSource,
    status: &Status,
    row: &Row,
) -> Result<Option<Row>, Problem> {
    let group = status.plan.codes.get(&*row.code);
    let group = group.and_then(|code| status.plan.groups.get(&code.group));
    let order = group.map_or(Order::Key, |group| group.order);
    if row.key.is_none() || order == Order::None {
        return Ok(None);
    }
    let filter = Filter {
        states: (0..states::FINISHED).collect(),
        key: row.key.clone(),
        code: (order == Order::KeyAndCode).then(|| row.code.clone()),
        before: Some(row.id),
        rows_max: LIMIT_MAX,
        ..Filter::default()
    };
    let (rows, _) = ask::rows(source, filter).await?;
    Ok(rows.into_iter().last())
}

fn filter(query: RowsQuery) -> Result<Filter, Problem> {
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Filter {
        states: states::read(query.state.as_deref().unwrap_or_default())?,
        code: text(query.code),
        key: text(query.key),
        request_id: text(query.request_id),
        before: query.cursor.map(RequestId),
        rows_max: limit(query.limit)?,
    })
}

/// Reads how many are wanted.
///
/// # Errors
/// 400 when it is out of range.
pub(super) fn limit(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("`limit` is 1 to {LIMIT_MAX}");
    Err(Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, detail))
}

impl From<Row> for RelayRequest {
    fn from(row: Row) -> RelayRequest {
        RelayRequest {
            id: row.id.0,
            request_id: row.request_id,
            state: states::word(row.state),
            code: row.code,
            group: row.group,
            region: row.region,
            key: row.key,
            key_seq: row.key_seq,
            priority: row.priority,
            window: row.window,
            due_ms: row.due_ms,
            expires_ms: row.expires_ms,
            attempts: row.attempts,
            status: row.status,
            error: row.error,
            fence: row.fence.0,
            created_ms: row.created_ms,
            updated_ms: row.updated_ms,
            done_ms: row.done_ms,
            archived_ms: row.archived_ms,
            body_bytes: row.body_bytes,
            unreadable: row.unreadable.map(|unreadable| unreadable.detail),
        }
    }
}

fn describe(row: Row, content: Content, waits: Vec<Wait>) -> RelayRequestWhole {
    let (body, body_encoding) = excerpt(&content.body);
    RelayRequestWhole {
        body_cut: row.body_bytes > BODY_BYTES_MAX as u64,
        row: row.into(),
        body,
        body_encoding,
        protocol: content.protocol,
        service: content.service,
        method: content.method,
        headers: content.headers.into_iter().collect(),
        content_type: content.content_type,
        traceparent: content.traceparent,
        waits,
    }
}

/// The beginning of a body; of a text without the letter that the cut goes through.
fn excerpt(body: &[u8]) -> (String, &'static str) {
    let shown = body.get(..BODY_BYTES_MAX).unwrap_or(body);
    match std::str::from_utf8(shown) {
        Ok(text) => (text.to_owned(), "text"),
        Err(error) if error.error_len().is_none() && shown.len() < body.len() => {
            let whole = shown.get(..error.valid_up_to()).unwrap_or_default();
            (String::from_utf8_lossy(whole).into_owned(), "text")
        }
        Err(_) => (STANDARD.encode(shown), "base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY_BYTES_MAX, excerpt};

    fn check(body: &[u8], expected: &str, encoding: &str) {
        assert_eq!(excerpt(body), (expected.to_owned(), encoding));
    }

    #[test]
    fn bodies_are_cut_between_letters() {
        check(b"", "", "text");
        check("\u{5b57}".as_bytes(), "\u{5b57}", "text");
        check(&[0xff, 0], "/wA=", "base64");
        check(&[b'a', 0xe5], "YeU=", "base64");
        let long = "\u{5b57}".repeat(BODY_BYTES_MAX);
        check(long.as_bytes(), &"\u{5b57}".repeat(BODY_BYTES_MAX / 3), "text");
    }
}
