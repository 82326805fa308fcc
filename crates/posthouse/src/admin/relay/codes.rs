//! Request codes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use super::groups::CodeCounts;
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;

/// What requests of one kind are called, and where they go.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayCode {
    /// The code.
    name: String,
    /// Its group.
    group: String,
    /// Where its requests go.
    endpoint: String,
    /// Its processing window, beside its group's.
    window: Option<String>,
    /// What has happened on this node.
    #[serde(flatten)]
    figures: CodeCounts,
}

impl Row for RelayCode {
    const SORTS: &'static [&'static str] = &[
        "name",
        "group",
        "endpoint",
        "resident",
        "in_flight",
        "done",
        "failed",
        "expired",
        "rejected",
    ];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Number(match field {
            "group" => return SortKey::Text(self.group.clone()),
            "endpoint" => return SortKey::Text(self.endpoint.clone()),
            "resident" => self.figures.resident,
            "in_flight" => self.figures.in_flight,
            "done" => self.figures.done,
            "failed" => self.figures.failed,
            "expired" => self.figures.expired,
            "rejected" => self.figures.rejected,
            _ => return SortKey::Text(self.name.clone()),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text)
    }
}

/// List the request codes of a source.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/codes", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayCode>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_codes(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayCode>>, Problem> {
    let status = ask::status(ask::source(&admin, &name)?).await?;
    let codes = status.plan.codes.iter().map(|(name, code)| {
        let mut figures = CodeCounts::default();
        status.figures.codes.get(name).into_iter().for_each(|code| figures.add(code));
        RelayCode {
            name: name.to_string(),
            group: code.group.to_string(),
            endpoint: code.endpoint.to_string(),
            window: code.window.as_deref().map(str::to_owned),
            figures,
        }
    });
    Ok(Json(page(codes.collect(), &query)?))
}
