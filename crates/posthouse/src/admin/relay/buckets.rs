//! Buckets with their owners, and the nodes that share them.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use posthouse_pump::outcome::BucketNo;
use posthouse_relay::source::look::{BucketRow, NodeRow};
use posthouse_relay::source::operate::Action;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Changed, actions, ask};
use crate::admin::Admin;
use crate::admin::access::Principal;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;

/// A range of slots that is owned as a whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayBucket {
    /// Its number within its layout, from 0, as text.
    name: String,
    /// Its layout, which grows when the number of buckets changes.
    layout: u64,
    /// Its first slot.
    slot_first: u16,
    /// Its last slot.
    slot_last: u16,
    /// The node that owns it.
    owner: Option<String>,
    /// Whether that is this node.
    ours: bool,
    /// The fence of its lease.
    fence: i64,
    /// How long its lease lasts, in milliseconds; less than 0: it has ended.
    lease_left_ms: i64,
    /// Whether its owner is to give it back.
    draining: bool,
}

/// A node that relays from this source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayNode {
    /// Its name, which is another one for every life of a process.
    name: String,
    /// Whether it is this node.
    ours: bool,
    /// How long ago it was heard of, in milliseconds.
    seen_ago_ms: i64,
    /// Whether it counts as alive.
    alive: bool,
    /// Whether it wants buckets.
    wanting: bool,
    /// How many buckets it has.
    buckets: u64,
}

/// Into how many buckets to divide.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BucketsQuery {
    /// 1 to 1024.
    count: u32,
}

impl Row for RelayBucket {
    const SORTS: &'static [&'static str] = &["slot_first", "owner", "fence", "lease_left_ms"];

    fn sort_key(&self, field: &str) -> SortKey {
        let number = |value: i64| SortKey::Number(u64::try_from(value).unwrap_or(0));
        match field {
            "owner" => SortKey::Text(self.owner.clone().unwrap_or_default()),
            "fence" => number(self.fence),
            "lease_left_ms" => number(self.lease_left_ms),
            _ => SortKey::Number(self.slot_first.into()),
        }
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text) || self.owner.as_ref().is_some_and(|owner| owner.contains(text))
    }
}

impl Row for RelayNode {
    const SORTS: &'static [&'static str] = &["name", "seen_ago_ms", "buckets"];

    fn sort_key(&self, field: &str) -> SortKey {
        match field {
            "seen_ago_ms" => SortKey::Number(u64::try_from(self.seen_ago_ms).unwrap_or(0)),
            "buckets" => SortKey::Number(self.buckets),
            _ => SortKey::Text(self.name.clone()),
        }
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the buckets of a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/buckets", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayBucket>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_buckets(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayBucket>>, Problem> {
    let source = ask::source(&admin, &name)?;
    let node = ask::status(source).await?.node;
    let buckets = ask::buckets(source).await?;
    let buckets = buckets.iter().map(|bucket| describe(bucket, &node));
    Ok(Json(page(buckets.collect(), &query)?))
}

/// Divide the slots of a source into another number of buckets. Order is kept: a slot is given to
/// its new owner only after its former one has let it go.
#[utoipa::path(
    post, path = "/api/v1/relay/sources/{name}/buckets", tag = "relay",
    params(("name" = String, Path), BucketsQuery),
    responses((status = 200, body = Changed), (status = "4XX", body = Problem))
)]
pub(crate) async fn set_buckets(
    State(admin): State<Arc<Admin>>,
    Extension(user): Extension<Principal>,
    Named(name): Named<String>,
    Asked(query): Asked<BucketsQuery>,
) -> Result<Json<Changed>, Problem> {
    let source = ask::source(&admin, &name)?;
    let action = Action::Buckets(query.count);
    actions::carry_out(source, &user, "changed the number of buckets", action).await
}

/// List the nodes that relay from a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/nodes", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayNode>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_nodes(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayNode>>, Problem> {
    let source = ask::source(&admin, &name)?;
    let ours = ask::status(source).await?.node;
    let buckets = ask::buckets(source).await?;
    let nodes = ask::nodes(source).await?;
    let nodes = nodes.into_iter().map(|node| describe_node(node, &ours, &buckets));
    Ok(Json(page(nodes.collect(), &query)?))
}

fn describe(bucket: &BucketRow, ours: &Arc<str>) -> RelayBucket {
    let BucketNo(number) = bucket.bucket;
    RelayBucket {
        name: (number & u64::from(u32::MAX)).to_string(),
        layout: number >> u32::BITS,
        slot_first: bucket.slots.first.0,
        slot_last: bucket.slots.last.0,
        owner: bucket.owner.as_deref().map(str::to_owned),
        ours: bucket.owner.as_ref() == Some(ours),
        fence: bucket.fence.0,
        lease_left_ms: bucket.lease_left_ms,
        draining: bucket.is_draining,
    }
}

fn describe_node(node: NodeRow, ours: &str, buckets: &[BucketRow]) -> RelayNode {
    let is_its = |bucket: &&BucketRow| bucket.owner.as_deref() == Some(&*node.node);
    let buckets = buckets.iter().filter(is_its).count() as u64;
    RelayNode {
        ours: node.node == ours,
        name: node.node,
        seen_ago_ms: node.seen_ago_ms,
        alive: node.is_alive,
        wanting: node.is_wanting,
        buckets,
    }
}
