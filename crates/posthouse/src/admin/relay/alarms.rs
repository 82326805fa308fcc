//! Alarms that are on, those that were, and the limits of the rules behind them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use posthouse_pump::health::{Alarm, Limit, Rule};
use serde::Serialize;
use utoipa::ToSchema;

use super::ask;
use crate::admin::Admin;
use crate::admin::extract::{Asked, Named};
use crate::admin::page::{ListQuery, Page, Row, SortKey, page};
use crate::admin::problem::Problem;
use crate::relay::{Past, Standing, edge_word, severity_word, unit_word};

/// Something that is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayAlarm {
    /// The source that it is about.
    source: String,
    /// The rule that is broken.
    rule: &'static str,
    /// `warning` or `error`.
    severity: &'static str,
    /// What it is about: `source`, `code`, `group`, `window`, `endpoint` or `service`.
    kind: &'static str,
    /// The name of that; empty for the source itself.
    subject: String,
    /// Since when, in milliseconds since 1970.
    since_ms: i64,
    /// What was measured last.
    value: i64,
    /// The limit.
    limit: u64,
    /// What both are counted in.
    unit: &'static str,
    /// What it means, in one sentence.
    detail: String,
    /// Whether it has come and gone so often that it ends only after a longer time.
    flapping: bool,
}

/// An alarm that began or ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PastRelayAlarm {
    /// When, in milliseconds since 1970.
    at_ms: i64,
    /// `begins` or `ends`.
    edge: &'static str,
    /// The alarm.
    #[serde(flatten)]
    alarm: RelayAlarm,
}

/// A health rule, as it holds for a source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RelayRule {
    /// Its name.
    name: String,
    /// What kind of thing it is about.
    kind: &'static str,
    /// What it is about, where that has a limit of its own; empty for all the others.
    subject: String,
    /// Whether it is on.
    active: bool,
    /// `warning` or `error`.
    severity: &'static str,
    /// The limit.
    limit: Option<u64>,
    /// What that is counted in.
    unit: &'static str,
    /// For how long it must be passed, in milliseconds.
    for_ms: Option<u64>,
    /// For how long it must not be passed until the alarm ends, in milliseconds.
    clear_ms: Option<u64>,
}

impl Row for RelayAlarm {
    const SORTS: &'static [&'static str] = &["source", "rule", "since_ms", "severity"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Text(match field {
            "rule" => self.rule.to_owned(),
            "severity" => self.severity.to_owned(),
            "since_ms" => {
                return SortKey::Number(u64::try_from(self.since_ms).unwrap_or(0));
            }
            _ => self.source.clone(),
        })
    }

    fn contains(&self, text: &str) -> bool {
        [&*self.source, self.rule, &*self.subject].iter().any(|part| part.contains(text))
    }
}

impl Row for PastRelayAlarm {
    const SORTS: &'static [&'static str] = &["at_ms", "source", "rule"];

    fn sort_key(&self, field: &str) -> SortKey {
        match field {
            "at_ms" => SortKey::Number(u64::try_from(self.at_ms).unwrap_or(0)),
            other => self.alarm.sort_key(other),
        }
    }

    fn contains(&self, text: &str) -> bool {
        self.alarm.contains(text)
    }
}

impl Row for RelayRule {
    const SORTS: &'static [&'static str] = &["name", "kind"];

    fn sort_key(&self, field: &str) -> SortKey {
        SortKey::Text(match field {
            "kind" => self.kind.to_owned(),
            _ => self.name.clone(),
        })
    }

    fn contains(&self, text: &str) -> bool {
        self.name.contains(text) || self.subject.contains(text)
    }
}

/// List the alarms that are on at this node.
#[utoipa::path(
    get, path = "/api/v1/relay/alarms", tag = "relay",
    params(ListQuery),
    responses((status = 200, body = Page<RelayAlarm>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_alarms(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayAlarm>>, Problem> {
    let alarms = admin.relay.alarms().into_iter();
    let alarms = alarms.map(|Standing { source, alarm }| describe(&source, alarm));
    Ok(Json(page(alarms.collect(), &query)?))
}

/// List the alarms that have begun and ended at this node, the newest first: the last thousand
/// since its start.
#[utoipa::path(
    get, path = "/api/v1/relay/alarms/past", tag = "relay",
    params(ListQuery),
    responses((status = 200, body = Page<PastRelayAlarm>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_past_alarms(
    State(admin): State<Arc<Admin>>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<PastRelayAlarm>>, Problem> {
    let query = query.or_sorted_by("-at_ms");
    let past = admin.relay.past_alarms().into_iter();
    let past = past.map(|Past { source, at_ms, change }| PastRelayAlarm {
        at_ms,
        edge: edge_word(change.edge),
        alarm: describe(&source, change.alarm),
    });
    let past: Vec<PastRelayAlarm> = past.collect();
    Ok(Json(page(past, &query)?))
}

/// List the health rules of a source, with their limits.
#[utoipa::path(
    get, path = "/api/v1/relay/sources/{name}/rules", tag = "relay",
    params(("name" = String, Path), ListQuery),
    responses((status = 200, body = Page<RelayRule>), (status = "4XX", body = Problem))
)]
pub(crate) async fn list_rules(
    State(admin): State<Arc<Admin>>,
    Named(name): Named<String>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<Page<RelayRule>>, Problem> {
    let source = ask::source(&admin, &name)?;
    let limits = admin.relay.limits_of(&source.config.name);
    let general = Rule::ALL.into_iter().map(|rule| (rule, "", limits.of(rule, "")));
    let special = limits.subjects.iter();
    let special = special.map(|((rule, subject), limit)| (*rule, subject.as_str(), *limit));
    let rules = general.chain(special).map(|(rule, subject, limit)| of_rule(rule, subject, limit));
    Ok(Json(page(rules.collect(), &query)?))
}

fn describe(source: &str, alarm: Alarm) -> RelayAlarm {
    RelayAlarm {
        source: source.to_owned(),
        rule: alarm.rule.name(),
        severity: severity_word(alarm.severity),
        kind: alarm.subject.kind(),
        subject: alarm.subject.name().to_owned(),
        since_ms: alarm.since_ms,
        value: alarm.value,
        limit: alarm.limit,
        unit: unit_word(alarm.rule.unit()),
        detail: alarm.detail,
        flapping: alarm.is_flapping,
    }
}

fn of_rule(rule: Rule, subject: &str, limit: Option<Limit>) -> RelayRule {
    RelayRule {
        name: rule.name().to_owned(),
        kind: rule.subject_kind(),
        subject: subject.to_owned(),
        active: limit.is_some(),
        severity: severity_word(rule.severity()),
        limit: limit.map(|limit| limit.value),
        unit: unit_word(rule.unit()),
        for_ms: limit.map(|limit| limit.for_ms),
        clear_ms: limit.map(|limit| limit.clear_ms),
    }
}
