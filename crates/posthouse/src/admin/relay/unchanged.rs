//! Why an action left requests as they were.

use axum::http::StatusCode;
use posthouse_pump::request::RequestId;
use posthouse_relay::source::operate::Action;

use super::{ask, states};
use crate::admin::problem::Problem;
use crate::codes::Code;
use crate::relay::RunningSource;

/// Requests of which it is told why.
const REASONS_MAX: usize = 10;

/// Requests that were named and did not stand as the action needs it.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    ids: Vec<RequestId>,
    reasons: Vec<String>,
    /// Whether one of those that were looked at is there at all.
    is_any_there: bool,
}

impl Unchanged {
    /// Looks up why.
    ///
    /// # Errors
    /// 503 when the database does not answer.
    pub(super) async fn find(
        source: &RunningSource,
        action: &Action,
        ids: Vec<RequestId>,
    ) -> Result<Unchanged, Problem> {
        let mut found = Unchanged::default();
        for id in ids.iter().copied().take(REASONS_MAX) {
            let reason = match ask::row(source, id).await {
                Ok((row, _)) => {
                    found.is_any_there = true;
                    match row.archived_ms {
                        Some(_) => archived(id),
                        None => reason(action, id, row.state, row.expires_ms.is_some()),
                    }
                }
                Err(problem) if problem.is_not_found() => {
                    format!("there is no request {}", id.0)
                }
                Err(problem) => return Err(problem),
            };
            found.reasons.push(reason);
        }
        found.ids = ids;
        Ok(found)
    }

    /// The answer when nothing at all was changed.
    pub(super) fn refusal(self) -> Problem {
        let more = match self.ids.len() - self.reasons.len() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let detail = format!("{}{more}", self.reasons.join("; "));
        match self.is_any_there {
            true => Problem::new(StatusCode::CONFLICT, Code::RequestStanding, detail),
            false => ask::no_request(detail),
        }
    }

    /// Their ids, and what is said of the first.
    pub(super) fn told(self) -> (Vec<i64>, Vec<String>) {
        (self.ids.into_iter().map(|id| id.0).collect(), self.reasons)
    }
}

/// Its place in the order is gone, and so may be what came after it.
fn archived(id: RequestId) -> String {
    format!(
        "request {} is archived; write it anew, under another request id, if it is to be sent once \
         more",
        id.0
    )
}

fn reason(action: &Action, id: RequestId, state: u8, may_expire: bool) -> String {
    let (id, is_open) = (id.0, state < states::FINISHED);
    let is_replay = matches!(action, Action::Replay(_));
    if state == states::SENDING && matches!(action, Action::Retry(_)) {
        return format!(
            "request {id} is being sent, and would be sent twice: wait for what becomes of it, or \
             say --now if whoever sends it is gone"
        );
    }
    if may_expire && is_replay != is_open {
        let or = if is_replay { "" } else { ", or skip it" };
        return format!(
            "request {id} has expired and would not be sent: set its expires_at to a later time \
             first{or}"
        );
    }
    format!("request {id} is {}; this cannot be done to it", states::word(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(action: &Action, (state, may_expire): (u8, bool), expected: &str) {
        assert_eq!(reason(action, RequestId(7), state, may_expire), expected, "{action:?}");
    }

    #[test]
    fn the_reason_names_the_state_or_the_expiry() {
        let retry = Action::Retry(Vec::new());
        let replay = Action::Replay(Vec::new());
        let expired = "request 7 has expired and would not be sent: set its expires_at to a later \
                       time first";
        check(&retry, (3, true), "request 7 is done; this cannot be done to it");
        check(&retry, (2, true), &format!("{expired}, or skip it"));
        let sending = "request 7 is being sent, and would be sent twice: wait for what becomes of \
                       it, or say --now if whoever sends it is gone";
        check(&retry, (1, true), sending);
        check(&replay, (0, true), "request 7 is ready; this cannot be done to it");
        check(&replay, (5, true), expired);
    }
}
