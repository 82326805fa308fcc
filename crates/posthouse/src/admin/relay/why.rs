//! Why a request is not sent yet, told from what is known of it from outside the pump.
//!
//! The order is the one in which the pump judges. Everything that holds is told, not only the
//! first: whoever opens a window wants to know that a hold comes after it.

use posthouse_pump::input::Hold;
use posthouse_pump::plan::{Code, Group};
use posthouse_pump::pump::{Cause, Why};
use posthouse_pump::request::RequestId;
use posthouse_relay::runner::Status;
use posthouse_relay::source::look::{BucketRow, Row};
use posthouse_relay::source::{Control, slot_of};
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::foreign_note;
use super::states;

/// One reason to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Wait {
    /// The kind of reason, one of a few words.
    reason: &'static str,
    /// The reason in a sentence.
    detail: String,
    /// When it ends by itself, in milliseconds since 1970, if that is known.
    until_ms: Option<i64>,
}

/// What is known around a request.
pub(super) struct Sight {
    /// The source on this node.
    pub(super) status: Status,
    /// What operators have set.
    pub(super) control: Control,
    /// Who owns what.
    pub(super) buckets: Vec<BucketRow>,
    /// The first open request that must go before this one.
    pub(super) before: Option<Row>,
    /// The number of its business id that must come first, and that no request has.
    pub(super) missing: Option<i64>,
    /// What the pump of this node says.
    pub(super) here: Option<Why>,
}

/// Everything that an open request waits for.
pub(super) fn waits(row: &Row, sight: &Sight) -> Vec<Wait> {
    let mut waits = Vec::new();
    waits.extend(own(row, sight));
    waits.extend(of_plan(row, sight));
    waits.extend(due(row, sight));
    waits.extend(order(row, sight));
    waits.extend(gap(row, sight));
    waits.extend(owner(row, sight));
    if let Some(trouble) = &sight.status.trouble {
        waits.push(wait("source in trouble", format!("the last round failed: {trouble}")));
    }
    if waits.is_empty() {
        waits.push(here(sight.here.as_ref()));
    }
    waits
}

fn wait(reason: &'static str, detail: String) -> Wait {
    Wait { reason, detail, until_ms: None }
}

/// What the request says of itself.
fn own(row: &Row, sight: &Sight) -> Vec<Wait> {
    let mut waits = Vec::new();
    if let Some(unreadable) = &row.unreadable {
        let help = "change the row and retry it, or skip it or cancel it";
        waits.push(wait("unreadable", format!("{}: {help}", unreadable.detail)));
    }
    if row.state == states::BLOCKED {
        waits.push(blocked(row));
    }
    waits.extend(taken(row, sight));
    let ours = &*sight.status.plan.region;
    if let Some(region) = row.region.as_deref().filter(|region| *region != ours) {
        let detail = format!("it belongs to the region \"{region}\", and this relay to \"{ours}\"");
        waits.push(wait("other region", detail));
    }
    if row.expires_ms.is_some_and(|at_ms| at_ms <= sight.status.now.source_ms) {
        waits.push(wait("expired", "its expiry has passed; it is about to be written down".into()));
    }
    waits
}

/// Somebody else who takes requests from the table has it.
fn taken(row: &Row, sight: &Sight) -> Option<Wait> {
    let is_kept = row.is_taken() && row.due_ms > sight.status.now.source_ms;
    let detail = "somebody else has taken it from the table, and may keep it until then";
    is_kept.then(|| Wait { reason: "taken", detail: detail.to_owned(), until_ms: Some(row.due_ms) })
}

/// Where nothing outside keeps a request, only the pump can say what does.
fn here(why: Option<&Why>) -> Wait {
    let (reason, detail) = match why {
        Some(Why::Running(_)) => ("on its way", "it is being sent"),
        Some(Why::Marking) => ("on its way", "it is being marked, before it is sent"),
        Some(Why::Settling) => ("on its way", "its outcome is being written down"),
        Some(Why::Locked) => (
            "row locked",
            "its outcome cannot be written down, because another transaction has locked its row",
        ),
        Some(Why::LeaseRests) => {
            ("lease rests", "the lease of its bucket is too new or too near its end")
        }
        Some(Why::Probed | Why::Changed | Why::NotRead) => {
            ("being read", "it, or what may have been committed before it, is to be read first")
        }
        Some(Why::Withheld(Cause::Unreadable, _)) => {
            ("unreadable", "its content cannot be read; the log says what is wrong with it")
        }
        Some(Why::Withheld(..)) => ("no room", "so many wait for its endpoint that it must wait"),
        Some(Why::EndpointBusy) => ("endpoint busy", "its endpoint has as much as it may bear"),
        Some(Why::EndpointRate(_)) => ("endpoint busy", "its endpoint's rate is used up"),
        _ => ("its turn", "it may go as soon as its turn comes"),
    };
    wait(reason, detail.to_owned())
}

/// It holds its business id until somebody decides, or for the time that its group gives it.
fn blocked(row: &Row) -> Wait {
    let given_up = match row.attempts {
        0 => "it was given up without a try".to_owned(),
        1 => "it was given up after one try".to_owned(),
        tries => format!("it was given up after {tries} tries"),
    };
    let detail = match row.due_ms {
        0 => format!("{given_up}; retry it, skip it or cancel it"),
        _ => format!("{given_up}, and holds its business id for a while"),
    };
    Wait { until_ms: Some(row.due_ms).filter(|at_ms| *at_ms > 0), ..wait("blocked", detail) }
}

/// What the configuration and the operators say of its code.
fn of_plan(row: &Row, sight: &Sight) -> Vec<Wait> {
    let plan = &sight.status.plan;
    let Some(code) = plan.codes.get(&*row.code) else {
        let detail = format!("the configuration of this source has no code \"{}\"", row.code);
        return vec![wait("code unknown", detail)];
    };
    let mut waits = Vec::new();
    if let Some(named) = row.group.as_deref().filter(|named| *named != &*code.group) {
        let detail =
            format!("it names the group \"{named}\", but its code is of \"{}\"", code.group);
        waits.push(wait("other group", detail));
    }
    let Some(group) = plan.groups.get(&code.group) else { return waits };
    waits.extend(switch(code, group, sight));
    waits.extend(holds(row, code, sight));
    let windows = [&group.window, &code.window].into_iter().flatten().map(|name| &**name);
    for name in windows.chain(row.window.as_deref()) {
        waits.extend(window(name, sight));
    }
    if sight.status.figures.endpoints.get(&code.endpoint).is_some_and(|figures| figures.is_down) {
        let detail =
            format!("the endpoint \"{}\" fails; only trials go there now and then", code.endpoint);
        waits.push(wait("endpoint down", detail));
    }
    waits
}

fn switch(code: &Code, group: &Group, sight: &Sight) -> Option<Wait> {
    if let Some(note) = foreign_note(&code.group, group, &sight.status.plan) {
        return Some(wait("other region", note));
    }
    let switched = sight.control.switches.iter().find(|(name, _)| *name == code.group);
    let (is_active, by) = match switched {
        Some((_, is_active)) => (*is_active, "by an operator"),
        None => (group.is_active, "in the configuration"),
    };
    let detail = format!("the group \"{}\" is switched off {by}", code.group);
    (!is_active).then(|| wait("group off", detail))
}

fn holds(row: &Row, code: &Code, sight: &Sight) -> Vec<Wait> {
    let holds = sight.control.holds.iter().filter_map(|hold| match hold {
        Hold::Key { key, .. } if row.key.as_deref() == Some(&**key) => Some(("business id", key)),
        Hold::Code(name) if **name == *row.code => Some(("code", name)),
        Hold::Endpoint(name) if *name == code.endpoint => Some(("endpoint", name)),
        _ => None,
    });
    let told = |(kind, name)| wait("held", format!("an operator holds the {kind} \"{name}\""));
    holds.map(told).collect()
}

fn window(name: &str, sight: &Sight) -> Option<Wait> {
    let Some(window) = sight.status.plan.windows.get(name) else {
        let detail = format!("the configuration has no window \"{name}\"");
        return Some(wait("window unknown", detail));
    };
    let now_ms = sight.status.now.source_ms;
    if window.is_open(now_ms) {
        return None;
    }
    let until_ms = window.next_open(now_ms);
    let until = match until_ms {
        Some(at_ms) => format!("until {}", window.local_time(at_ms)),
        None => "and no opening is known".to_owned(),
    };
    let detail = format!("the window \"{name}\" is shut {until}");
    Some(Wait { reason: "window shut", detail, until_ms })
}

fn due(row: &Row, sight: &Sight) -> Option<Wait> {
    let left_ms = row.due_ms.saturating_sub(sight.status.now.source_ms);
    if left_ms <= 0 || row.state == states::BLOCKED || row.is_taken() {
        return None;
    }
    let why = if row.attempts > 0 { "its next try is due" } else { "it is due" };
    let left_s = left_ms.saturating_add(999) / 1_000;
    let detail = format!("{why} in {left_s} s");
    Some(Wait { reason: "due later", detail, until_ms: Some(row.due_ms) })
}

fn order(row: &Row, sight: &Sight) -> Option<Wait> {
    let before = sight.before.as_ref()?;
    let RequestId(id) = before.id;
    let key = row.key.as_deref().unwrap_or_default();
    Some(match before.state {
        states::BLOCKED => {
            let detail = format!("its business id \"{key}\" is blocked by request {id}");
            wait("key blocked", detail)
        }
        _ => wait("behind another", format!("request {id} of its business id goes first")),
    })
}

fn gap(row: &Row, sight: &Sight) -> Option<Wait> {
    let number = sight.missing?;
    let key = row.key.as_deref().unwrap_or_default();
    let detail =
        format!("it waits for number {number} of its business id \"{key}\", which is not there");
    Some(wait("number missing", detail))
}

/// Who owns the bucket. Of a request without a business id only its writer knows the slot.
fn owner(row: &Row, sight: &Sight) -> Option<Wait> {
    let slot = slot_of(row.key.as_deref()?);
    let bucket = sight.buckets.iter().find(|bucket| bucket.slots.contains(slot))?;
    match &bucket.owner {
        Some(owner) if *owner == sight.status.node => None,
        Some(owner) if bucket.lease_left_ms >= 0 => {
            let detail = format!("its bucket belongs to the node {owner}; ask there for more");
            Some(wait("other node", detail))
        }
        _ => Some(wait("no owner", "no node owns its bucket at the moment".into())),
    }
}

#[cfg(test)]
mod tests;
