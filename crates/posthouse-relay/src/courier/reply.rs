//! What a receiver's own word on a request means.

use posthouse_pump::attempt::{Blame, Verdict};
use posthouse_wire::frame::{Answer as Reply, Outcome as ReplyOutcome};

use super::excerpt::detail;
use super::limits::RETRY_AFTER_MS_MAX;

/// What a reply means.
pub(crate) fn judge(reply: Reply) -> Verdict {
    let Reply { outcome, status, retry_after_ms, detail: why } = reply;
    let why = detail(&why.unwrap_or_default());
    let retry_after_ms = retry_after_ms.map(|ms| ms.min(RETRY_AFTER_MS_MAX));
    let failed = |blame, usual: &str| Verdict::Failed {
        status,
        detail: if why.is_empty() { usual.to_owned() } else { why.clone() },
        retry_after_ms,
        blame,
    };
    match outcome {
        ReplyOutcome::Done => Verdict::Done { status },
        ReplyOutcome::Rejected if why.is_empty() => {
            Verdict::Rejected { status, detail: "the receiver rejects it".into() }
        }
        ReplyOutcome::Rejected => Verdict::Rejected { status, detail: why },
        ReplyOutcome::Failed => failed(Blame::Endpoint, "the receiver has failed"),
        ReplyOutcome::Postponed => failed(Blame::Request, "the receiver postpones it"),
    }
}
