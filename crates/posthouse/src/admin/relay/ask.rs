//! The way from the API to a source: to its running part, and to its database.

use std::time::Duration;

use axum::http::StatusCode;
use posthouse_pump::request::RequestId;
use posthouse_relay::runner::Status;
use posthouse_relay::source::adopt::Unfed;
use posthouse_relay::source::look::{
    Answer, BlockedKey, BucketRow, Count, Filter, NodeRow, Query, RetentionState, Row, Turn,
};
use posthouse_relay::source::operate::{Action, Operated};
use posthouse_relay::source::{Control, Source as _, SourceError, SourceErrorKind};

use crate::admin::Admin;
use crate::admin::problem::Problem;
use crate::codes::Code;
use crate::relay::RunningSource;

/// One request with what couriers send of it.
pub(super) type Whole = (Row, posthouse_pump::request::Content);

/// The source of this name.
///
/// # Errors
/// 404, with the names that there are.
pub(super) fn source<'a>(admin: &'a Admin, name: &str) -> Result<&'a RunningSource, Problem> {
    let sources = admin.relay.sources();
    sources.get(name).ok_or_else(|| {
        let names: Vec<&str> = sources.keys().map(|name| &**name).collect();
        let detail = match names.as_slice() {
            [] => "this node has no relay source".to_owned(),
            names => format!("there is no source \"{name}\"; there are {}", names.join(", ")),
        };
        Problem::new(StatusCode::NOT_FOUND, Code::SourceUnknown, detail)
    })
}

/// How a source does.
///
/// # Errors
/// 503 when it has ended.
pub(super) async fn status(source: &RunningSource) -> Result<Status, Problem> {
    source.handle.status().await.ok_or_else(|| {
        let detail = "the source has stopped, because the node is stopping";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::NodeStopping, detail)
    })
}

/// A page of requests, and where to go on.
pub(super) async fn rows(
    source: &RunningSource,
    filter: Filter,
) -> Result<(Vec<Row>, Option<RequestId>), Problem> {
    match look(source, Query::Rows(filter)).await? {
        Answer::Rows { rows, next } => Ok((rows, next)),
        _ => Err(beside_the_point()),
    }
}

/// One request.
///
/// # Errors
/// 404 when there is none of this id, and as [`look`].
pub(super) async fn row(source: &RunningSource, id: RequestId) -> Result<Whole, Problem> {
    match look(source, Query::Row(id)).await? {
        Answer::Row(Some(found)) => Ok(*found),
        Answer::Row(None) => Err(no_request(format!("there is no request {}", id.0))),
        _ => Err(beside_the_point()),
    }
}

/// What a request waits for among those of its business id, where the source goes by numbers.
pub(super) async fn turn(source: &RunningSource, id: RequestId) -> Result<Option<Turn>, Problem> {
    match look(source, Query::Turn(id)).await? {
        Answer::Turn(turn) => Ok(turn),
        _ => Err(beside_the_point()),
    }
}

/// Requests that hold their keys, by id.
pub(super) async fn blocked(
    source: &RunningSource,
    after: RequestId,
    rows_max: u32,
) -> Result<Vec<BlockedKey>, Problem> {
    match look(source, Query::BlockedKeys { after, rows_max }).await? {
        Answer::BlockedKeys(keys) => Ok(keys),
        _ => Err(beside_the_point()),
    }
}

/// All buckets.
pub(super) async fn buckets(source: &RunningSource) -> Result<Vec<BucketRow>, Problem> {
    match look(source, Query::Buckets).await? {
        Answer::Buckets(buckets) => Ok(buckets),
        _ => Err(beside_the_point()),
    }
}

/// How far the walk over finished requests is, and what it has removed.
pub(super) async fn retention(source: &RunningSource) -> Result<RetentionState, Problem> {
    match look(source, Query::Retention).await? {
        Answer::Retention(state) => Ok(state),
        _ => Err(beside_the_point()),
    }
}

/// Rows of the adopted table that could not be fed, by id.
pub(super) async fn unfed(
    source: &RunningSource,
    after: Option<i64>,
    rows_max: u32,
) -> Result<Vec<Unfed>, Problem> {
    match look(source, Query::Unfed { after, rows_max }).await? {
        Answer::Unfed(rows) => Ok(rows),
        _ => Err(beside_the_point()),
    }
}

/// How many rows of the adopted table could not be fed, counted up to a bound.
pub(super) async fn unfed_count(source: &RunningSource) -> Result<u64, Problem> {
    match look(source, Query::UnfedCount).await? {
        Answer::UnfedCount(rows) => Ok(rows),
        _ => Err(beside_the_point()),
    }
}

/// All nodes.
pub(super) async fn nodes(source: &RunningSource) -> Result<Vec<NodeRow>, Problem> {
    match look(source, Query::Nodes).await? {
        Answer::Nodes(nodes) => Ok(nodes),
        _ => Err(beside_the_point()),
    }
}

/// Switches and holds.
pub(super) async fn control(source: &RunningSource) -> Result<Control, Problem> {
    match look(source, Query::Control).await? {
        Answer::Control(control) => Ok(control),
        _ => Err(beside_the_point()),
    }
}

/// Open requests by state and code, and whether there are more than were counted.
pub(super) async fn counts(source: &RunningSource) -> Result<(Vec<Count>, bool), Problem> {
    match look(source, Query::Counts).await? {
        Answer::Counts { open, is_partial, .. } => Ok((open, is_partial)),
        _ => Err(beside_the_point()),
    }
}

/// How long an answer to an operator waits for the round by which this node knows of the change.
const HEARD_MAX: Duration = Duration::from_secs(5);

/// How often it looks whether that round has been.
const HEARD_PAUSE: Duration = Duration::from_millis(10);

/// Carries out what an operator wants, and waits until this node keeps to it. Where its source is
/// in trouble, it will when that is over.
///
/// # Errors
/// 400 when it makes no sense, 409 when somebody else holds what it is about, and 503 when the
/// database does not answer or is not as it must be.
pub(super) async fn operate(source: &RunningSource, action: &Action) -> Result<Operated, Problem> {
    let operated = source.database.operate(action).await.map_err(|error| match error.kind {
        SourceErrorKind::Refused => {
            Problem::new(StatusCode::BAD_REQUEST, Code::RequestInvalid, error.detail)
        }
        SourceErrorKind::Conflict => {
            let detail = format!("the source \"{}\": {error}", source.config.name);
            Problem::new(StatusCode::CONFLICT, Code::RowsLocked, detail)
        }
        _ => silent(source, &error),
    })?;
    let heard = async {
        while source.handle.status().await.is_some_and(|it| it.control_version < operated.version) {
            tokio::time::sleep(HEARD_PAUSE).await;
        }
    };
    let _ = tokio::time::timeout(HEARD_MAX, heard).await;
    Ok(operated)
}

/// Asks the database.
///
/// # Errors
/// 503 when it does not answer, or is not as it must be.
async fn look(source: &RunningSource, query: Query) -> Result<Answer, Problem> {
    source.database.look(&query).await.map_err(|error| silent(source, &error))
}

fn silent(source: &RunningSource, error: &SourceError) -> Problem {
    let code = match error.kind {
        SourceErrorKind::Unfit => Code::SourceUnusable,
        _ => Code::SourceUnreachable,
    };
    let detail = format!("the source \"{}\": {error}", source.config.name);
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
}

/// A request that is not there.
pub(super) fn no_request(detail: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Code::RequestUnknown, detail)
}

/// A group, code, endpoint or window that the configuration does not have.
pub(super) fn no_name(kind: &str, name: &str) -> Problem {
    let detail = format!("the configuration of this source has no {kind} \"{name}\"");
    Problem::new(StatusCode::NOT_FOUND, Code::RelayNameUnknown, detail)
}

/// Sources answer each question with an answer of the same kind.
fn beside_the_point() -> Problem {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, Code::Unexpected, "the source gave an answer to another question")
}
