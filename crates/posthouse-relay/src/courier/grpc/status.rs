//! What a status of gRPC means: the table in `docs/relay.md`.

use posthouse_pump::attempt::{Blame, Verdict};
use tonic::{Code, Status};

use super::message::retry_delay_ms;
use crate::courier::excerpt::{detail, excerpt};
use crate::courier::limits::RETRY_AFTER_MS_MAX;

/// How a server says when to come again (gRPC proposal A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The verdict on a request that was answered with this status, which is not OK.
pub(super) fn judge(status: &Status) -> Verdict {
    let code = status.code();
    let shown = excerpt(status.message().as_bytes());
    let text = match shown.is_empty() {
        true => format!("answered {code:?}: {}", code.description()),
        false => format!("answered {code:?}: {shown}"),
    };
    let (status_number, detail) = (Some(code as i32), detail(&text));
    match meaning(code) {
        None => Verdict::Rejected { status: status_number, detail },
        Some(blame) => Verdict::Failed {
            status: status_number,
            detail,
            retry_after_ms: retry_after_ms(status),
            blame,
        },
    }
}

/// Whose fault it is, if trying again may be of use.
fn meaning(code: Code) -> Option<Blame> {
    match code {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented => None,
        Code::Aborted => Some(Blame::Request),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => Some(Blame::Endpoint),
    }
}

/// A negative pushback says that trying again is of no use now; the back-off decides then.
fn retry_after_ms(status: &Status) -> Option<u64> {
    let pushback = status.metadata().get(PUSHBACK).and_then(|value| value.to_str().ok());
    let pushback = pushback.and_then(|text| text.parse::<u64>().ok());
    let wait_ms = pushback.or_else(|| retry_delay_ms(status.details()))?;
    Some(wait_ms.min(RETRY_AFTER_MS_MAX))
}
