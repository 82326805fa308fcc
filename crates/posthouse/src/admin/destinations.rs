//! Queues and topics: lists, single ones, and what can be done to them.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use posthouse_core::broker::view::{Counters, DestinationStats};
use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::limits::BATCH_MAX;
use posthouse_core::refusal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Admin;
use super::access::Principal;
use super::extract::{Asked, Named};
use super::page::{ListQuery, Page, Row, SortKey, page};
use super::problem::Problem;
use crate::broker_thread::{Action, Ask};

/// Messages that one redrive moves when the request does not say.
const REDRIVE_DEFAULT: u64 = 1_000;

/// A queue or a topic as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Destination {
    /// Its dotted name.
    name: String,
    /// Messages kept.
    messages: u64,
    /// Bytes of the messages kept.
    bytes: u64,
    /// Messages that could be handed out now.
    ready: u64,
    /// Messages that are handed out and not settled.
    unacknowledged: u64,
    /// Messages that wait for their next attempt.
    delayed: u64,
    /// Consumers.
    consumers: u64,
    /// Producers that wait for room.
    blocked_producers: u64,
    /// What has happened since the node started.
    counters: Counts,
}

/// What has happened. These numbers only grow.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Messages taken over.
    pub(super) enqueued: u64,
    /// Messages handed out, each time counted.
    pub(super) delivered: u64,
    /// Messages acknowledged.
    pub(super) acknowledged: u64,
    /// Messages handed out again.
    pub(super) redelivered: u64,
    /// Messages that expired.
    pub(super) expired: u64,
    /// Messages set aside.
    pub(super) dead_lettered: u64,
    /// Messages dropped by a limit.
    pub(super) dropped: u64,
    /// Second arrivals that were recognised.
    pub(super) duplicates: u64,
}

/// How many messages something was done to.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Affected {
    /// Messages.
    pub(super) messages: u64,
}

/// How much to redrive.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RedriveQuery {
    /// Messages at most; 1000 when absent.
    limit: Option<u64>,
}

impl From<Counters> for Counts {
    fn from(counters: Counters) -> Counts {
        Counts {
            enqueued: counters.enqueued,
            delivered: counters.delivered,
            acknowledged: counters.acknowledged,
            redelivered: counters.redelivered,
            expired: counters.expired,
            dead_lettered: counters.dead_lettered,
            dropped: counters.dropped,
            duplicates: counters.duplicates,
        }
    }
}

impl From<&DestinationStats> for Destination {
    fn from(stats: &DestinationStats) -> Destination {
        Destination {
            name: stats.name.path().to_owned(),
            messages: stats.messages,
            bytes: stats.bytes,
            ready: stats.ready,
            unacknowledged: stats.unacknowledged,
            delayed: stats.delayed,
            consumers: stats.consumers,
            blocked_producers: stats.blocked_producers,
            counters: stats.counters.into(),
        }
    }
}

impl Row for Destination {
    const SORTS: &'static [&'static str] =
        &["name", "messages", "bytes", "ready", "unacknowledged", "delayed", "consumers"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "messages" => self.messages,
            "bytes" => self.bytes,
            "ready" => self.ready,
            "unacknowledged" => self.unacknowledged,
            "delayed" => self.delayed,
            "consumers" => self.consumers,
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List queues.
#[utoipa::path(
    get, path = "/api/v1/queues", tag = "queues", params(ListQuery),
    responses((status = 200, body = Page<Destination>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_queues(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<Destination>>, Problem> {
    list(&admin, Kind::Queue, &query).await
}

/// List topics.
#[utoipa::path(
    get, path = "/api/v1/topics", tag = "topics", params(ListQuery),
    responses((status = 200, body = Page<Destination>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_topics(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<Destination>>, Problem> {
    list(&admin, Kind::Topic, &query).await
}

/// Show a queue.
#[utoipa::path(
    get, path = "/api/v1/queues/{name}", tag = "queues", params(("name" = String, Path)),
    responses((status = 200, body = Destination), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_queue(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
) -> Result<Json<Destination>, Problem> {
    show(&admin, Kind::Queue, &name).await
}

/// Show a topic.
#[utoipa::path(
    get, path = "/api/v1/topics/{name}", tag = "topics", params(("name" = String, Path)),
    responses((status = 200, body = Destination), (status = "4XX", body = Problem))
)]
pub(crate) async fn show_topic(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
) -> Result<Json<Destination>, Problem> {
    show(&admin, Kind::Topic, &name).await
}

/// Drop every message of a queue that nobody is working on.
#[utoipa::path(
    post, path = "/api/v1/queues/{name}/purge", tag = "queues", params(("name" = String, Path)),
    responses((status = 200, body = Affected), (status = "4XX", body = Problem))
)]
pub(crate) async fn purge_queue(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
) -> Result<Json<Affected>, Problem> {
    let queue = DestinationName::new(Kind::Queue, &name)?;
    let at_first = admin.asker.ask(|reply| Ask::Destination(queue.clone(), reply)).await?;
    let limit = at_first.ok_or_else(|| unknown(&queue))?.messages;
    let step = |limit| Action::Purge { queue: queue.clone(), limit };
    let done = act_in_steps(&admin, limit, step).await;
    conclude("purged", &queue, &user, done)
}

/// Move messages of a dead-letter queue back to where each came from, oldest first.
#[utoipa::path(
    post, path = "/api/v1/queues/{name}/redrive", tag = "queues",
    params(("name" = String, Path), RedriveQuery),
    responses((status = 200, body = Affected), (status = "4XX", body = Problem))
)]
pub(crate) async fn redrive_queue(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<RedriveQuery>,
) -> Result<Json<Affected>, Problem> {
    let queue = DestinationName::new(Kind::Queue, &name)?;
    let limit = query.limit.unwrap_or(REDRIVE_DEFAULT);
    let step = |limit| Action::Redrive { queue: queue.clone(), limit };
    let done = act_in_steps(&admin, limit, step).await;
    conclude("redriven", &queue, &user, done)
}

/// Remove a queue that nobody consumes from, with its messages.
#[utoipa::path(
    delete, path = "/api/v1/queues/{name}", tag = "queues", params(("name" = String, Path)),
    responses((status = 200, body = Affected), (status = "4XX", body = Problem))
)]
pub(crate) async fn delete_queue(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
) -> Result<Json<Affected>, Problem> {
    let queue = DestinationName::new(Kind::Queue, &name)?;
    let messages = act(&admin, Action::RemoveDestination(queue.clone())).await?;
    conclude("deleted", &queue, &user, (messages, Ok(())))
}

/// Does something, and tells to how many messages.
pub(super) async fn act(admin: &Admin, action: Action) -> Result<u64, Problem> {
    let messages = begin(admin, action).await?;
    settle(admin).await?;
    Ok(messages)
}

/// Does something that a crash may still undo.
async fn begin(admin: &Admin, action: Action) -> Result<u64, Problem> {
    Ok(admin.asker.ask(|reply| Ask::Act(action, reply)).await??)
}

/// Waits until no crash can undo what was done.
async fn settle(admin: &Admin) -> Result<(), Problem> {
    Ok(admin.asker.ask(Ask::Settled).await?)
}

/// Does something to at most `limit` messages, a part at a time, so that messages of others are
/// not held up. What comes in meanwhile is not followed for ever. Tells to how many messages it
/// was done, also when a part was refused.
async fn act_in_steps(
    admin: &Admin,
    limit: u64,
    step: impl Fn(u64) -> Action,
) -> (u64, Result<(), Problem>) {
    let mut messages = 0;
    while messages < limit {
        let part = (limit - messages).min(BATCH_MAX);
        let done = match begin(admin, step(part)).await {
            Ok(done) => done,
            Err(problem) => return (messages, Err(problem)),
        };
        messages += done;
        if done < part {
            break;
        }
    }
    (messages, settle(admin).await)
}

/// Answers a request that changed a queue, and writes it down once, however many parts it had.
fn conclude(
    what: &str,
    queue: &DestinationName,
    user: &Principal,
    (messages, ended): (u64, Result<(), Problem>),
) -> Result<Json<Affected>, Problem> {
    if ended.is_ok() || messages > 0 {
        tracing::info!(%queue, messages, user = %user.name(), "{what}");
    }
    ended.map(|()| Json(Affected { messages }))
}

async fn list(
    admin: &Admin,
    kind: Kind,
    query: &ListQuery,
) -> Result<Json<Page<Destination>>, Problem> {
    let all = admin.asker.destinations().await?;
    let of_kind = all.iter().filter(|stats| stats.name.kind == kind);
    Ok(Json(page(of_kind.map(Destination::from).collect(), query)?))
}

async fn show(admin: &Admin, kind: Kind, name: &str) -> Result<Json<Destination>, Problem> {
    let name = DestinationName::new(kind, name)?;
    let found = admin.asker.ask(|reply| Ask::Destination(name.clone(), reply)).await?;
    match found {
        Some(stats) => Ok(Json(Destination::from(&stats))),
        None => Err(unknown(&name)),
    }
}

fn unknown(name: &DestinationName) -> Problem {
    let detail = format!("there is no {} \"{}\"", name.kind.as_str(), name.path());
    Problem::missing(refusal::Code::DestinationUnknown, detail)
}
