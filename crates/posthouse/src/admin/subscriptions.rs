//! Durable subscriptions.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use posthouse_core::broker::view::SubscriptionStats;
use serde::Serialize;
use utoipa::ToSchema;

use super::Admin;
use super::access::Principal;
use super::destinations::{Affected, act};
use super::extract::{Asked, Named};
use super::page::{ListQuery, Page, Row, SortKey, page};
use super::problem::Problem;
use crate::broker_thread::Action;

/// A durable subscription as it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Subscription {
    /// The client's name.
    client: String,
    /// Its own name.
    name: String,
    /// Which topics.
    pattern: String,
    /// Which of their messages; all when absent.
    selector: Option<String>,
    /// Whether somebody consumes from it.
    active: bool,
    /// Messages not yet acknowledged.
    pending: u64,
    /// Of these, handed out and not settled.
    unacknowledged: u64,
}

impl From<&SubscriptionStats> for Subscription {
    fn from(stats: &SubscriptionStats) -> Subscription {
        Subscription {
            client: stats.client.to_string(),
            name: stats.name.to_string(),
            pattern: stats.pattern.clone(),
            selector: stats.selector.as_deref().map(str::to_owned),
            active: stats.active,
            pending: stats.pending,
            unacknowledged: stats.unacknowledged,
        }
    }
}

impl Row for Subscription {
    const SORTS: &'static [&'static str] =
        &["client", "name", "pattern", "pending", "unacknowledged"];

    fn sort_key(&self, field: &str) -> SortKey {
        match field {
            "name" => SortKey::Text(self.name.clone()),
            "pattern" => SortKey::Text(self.pattern.clone()),
            "pending" => SortKey::Number(self.pending),
            "unacknowledged" => SortKey::Number(self.unacknowledged),
            _ => SortKey::Text(format!("{}/{}", self.client, self.name)),
        }
    }

    fn contains(&self, text: &str) -> bool {
        self.client.contains(text) || self.name.contains(text)
    }
}

/// List durable subscriptions.
#[utoipa::path(
    get, path = "/api/v1/subscriptions", tag = "subscriptions", params(ListQuery),
    responses((status = 200, body = Page<Subscription>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_subscriptions(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<Subscription>>, Problem> {
    let all = admin.asker.subscriptions().await?;
    Ok(Json(page(all.iter().map(Subscription::from).collect(), &query)?))
}

/// Remove a durable subscription that nobody consumes from, with what waits for it.
#[utoipa::path(
    delete, path = "/api/v1/subscriptions/{client}/{name}", tag = "subscriptions",
    params(("client" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Affected), (status = "4XX", body = Problem))
)]
pub(crate) async fn delete_subscription(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named((client, name)): Named<(String, String)>,
) -> Result<Json<Affected>, Problem> {
    let (client, name): (Box<str>, Box<str>) = (client.into(), name.into());
    let action = Action::RemoveSubscription { client: client.clone(), name: name.clone() };
    let messages = act(&admin, action).await?;
    let (client, subscription) = (client.escape_debug(), name.escape_debug());
    tracing::info!(%client, %subscription, messages, user = %user.name(), "deleted");
    Ok(Json(Affected { messages }))
}
