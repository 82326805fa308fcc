//! What the pump tells people, as lines of the log.

use posthouse_pump::effect::Notice;

use super::retainer::Told;
use crate::source::look::Gap;

/// Writes down that a business id waits for a number that is not there.
pub fn tell_gap(source: &str, gap: &Gap) {
    let Gap { key, missing, waiting, number, age_ms } = gap;
    tracing::warn!(
        source,
        key,
        missing,
        id = waiting.0,
        number,
        age_ms,
        "a request waits for a number of its business id that nobody has written"
    );
}

/// Writes one notice down.
pub fn tell(source: &str, notice: &Notice) {
    match notice {
        Notice::UnknownCode { id, code } => {
            tracing::error!(source, id = id.0, ?code, "a request has an unknown code; it waits");
        }
        Notice::OtherGroup { id, named, group } => {
            tracing::error!(
                source,
                id = id.0,
                ?named,
                ?group,
                "a request names a group that is not its code's; it waits"
            );
        }
        Notice::UnknownWindow { id, window } => {
            tracing::error!(
                source,
                id = id.0,
                ?window,
                "a request names an unknown window; it waits"
            );
        }
        Notice::Unreadable { id, column, detail } => {
            tracing::error!(
                source,
                id = id.0,
                column,
                error = detail,
                "a request cannot be read; it waits until its row is changed and it is retried"
            );
        }
        Notice::KeyBlocked { id, key, error } => {
            tracing::error!(
                source,
                id = id.0,
                ?key,
                error,
                "a request was given up; its business id waits"
            );
        }
        Notice::GivenUp { id, error } => {
            tracing::error!(source, id = id.0, error, "a request was given up");
        }
        Notice::Expired { id, attempts } => {
            tracing::info!(source, id = id.0, attempts, "a request expired");
        }
        Notice::EndpointFailing { endpoint, error, for_ms } => {
            tracing::warn!(
                source,
                %endpoint,
                error,
                for_ms,
                "calls to an endpoint have brought nothing but failures; they are tried again"
            );
        }
        Notice::EndpointDown { endpoint, error } => {
            tracing::error!(source, %endpoint, error, "an endpoint fails; only trials go there");
        }
        Notice::EndpointUp { endpoint } => {
            tracing::info!(source, %endpoint, "an endpoint works again");
        }
        Notice::Locked { .. } | Notice::WithheldFull { .. } | Notice::Fenced { .. } => {
            tell_obstacle(source, notice);
        }
    }
}

/// What is in the way of recording and reading.
fn tell_obstacle(source: &str, notice: &Notice) {
    match notice {
        Notice::Locked { id, requests, for_ms } => {
            tracing::error!(
                source,
                id = id.0,
                requests,
                for_ms,
                "another transaction holds a lock on a request; what became of it cannot be \
                 recorded, and its business id waits"
            );
        }
        Notice::WithheldFull { keys } => {
            tracing::error!(
                source,
                keys,
                "so many business ids are withheld that nothing new is read until some go on"
            );
        }
        Notice::Fenced { bucket, outcomes } => {
            tracing::error!(
                source,
                bucket = bucket.0,
                outcomes,
                "another node owns the bucket by now; nothing was written"
            );
        }
        _ => {}
    }
}

/// What the retention did.
pub(super) fn tell_retention(source: &str, told: &Told) {
    match told {
        Told::Walked(requests) => {
            tracing::info!(source, requests, "old requests have left the request table");
        }
        Told::Failed(error) => {
            tracing::warn!(
                source,
                error,
                "old requests cannot be removed; it is tried again every ten seconds"
            );
        }
    }
}
