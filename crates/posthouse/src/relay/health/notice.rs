//! An alarm as it is told to programs: a JSON object, carried like a request.

use std::sync::Arc;

use posthouse_pump::health::{Edge, Severity, Unit};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};
use serde_json::json;

use super::board::Past;

/// The code of such requests: what `{code}` stands for in the templates of their endpoint.
const CODE: &str = "posthouse.alarm";

/// The request that tells of a change. Its request id is the same however often it is tried.
pub(super) fn request(past: &Past, node: &str, request_id: &str) -> Request {
    let alarm = &past.change.alarm;
    let headers = [
        ("posthouse-alarm-rule", alarm.rule.name()),
        ("posthouse-alarm-edge", edge_word(past.change.edge)),
        ("posthouse-alarm-severity", severity_word(alarm.severity)),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let content = Content {
        service: Some(past.source.to_string()),
        method: Some(alarm.rule.name().to_owned()),
        headers: headers.into(),
        content_type: Some("application/json".to_owned()),
        body: body(past, node).into_bytes().into(),
        ..Content::default()
    };
    Request {
        id: RequestId(0),
        request_id: request_id.into(),
        standing: Standing::Ready,
        code: CODE.into(),
        group: None,
        region: Arc::from(""),
        key: None,
        slot: Slot(0),
        priority: 4,
        window: None,
        due_ms: 0,
        expires_ms: None,
        attempts: 0,
        created_ms: past.at_ms,
        content: Some(Arc::new(content)),
        unreadable: None,
    }
}

fn body(past: &Past, node: &str) -> String {
    let alarm = &past.change.alarm;
    json!({
        "edge": edge_word(past.change.edge),
        "rule": alarm.rule.name(),
        "severity": severity_word(alarm.severity),
        "node": node,
        "source": &*past.source,
        "subject": { "kind": alarm.subject.kind(), "name": alarm.subject.name() },
        "detail": alarm.detail,
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": unit_word(alarm.rule.unit()),
        "since_ms": alarm.since_ms,
        "at_ms": past.at_ms,
        "flapping": alarm.is_flapping,
    })
    .to_string()
}

/// The word for an edge.
pub(crate) fn edge_word(edge: Edge) -> &'static str {
    match edge {
        Edge::Begins => "begins",
        Edge::Ends => "ends",
    }
}

/// The word for how bad it is.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The word for a unit.
pub(crate) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Ms => "ms",
        Unit::Count => "count",
        Unit::Percent => "percent",
        Unit::DaysLeft => "days left",
        Unit::MiB => "MiB",
    }
}
