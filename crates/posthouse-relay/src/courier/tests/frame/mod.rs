//! Whole attempts over the frame protocol, with a receiver that is played step by step.

mod ends;
mod peer;
mod tls;
mod verdicts;

use posthouse_net::{Client, ClientSettings, Reach};
use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_pump::request::Request;

use super::attempts::{attempt, content, request};
use crate::courier::{CallTarget, FrameCourier, FrameProtocol};
use peer::Listener;

fn target(listener: &Listener) -> CallTarget {
    let reach = Reach::parse(&["127.0.0.1"]).unwrap();
    let client = Client::new(ClientSettings { reach, ..ClientSettings::default() }).unwrap();
    CallTarget::new(client, format!("frame://127.0.0.1:{}", listener.port))
}

fn courier(listener: &Listener) -> FrameCourier {
    FrameCourier::new(FrameProtocol, target(listener)).unwrap()
}

/// The usual attempt, at a request of this id.
fn attempt_at(id: &str) -> Attempt {
    attempt(Request { request_id: id.into(), ..request(content()) })
}

/// The verdict in one line.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Done { status } => format!("done {status:?}"),
        Verdict::Rejected { status, detail } => format!("rejected {status:?}: {detail}"),
        Verdict::Failed { status, detail, retry_after_ms, blame } => {
            format!("failed by {blame:?} {status:?} {retry_after_ms:?}: {detail}")
        }
        Verdict::NotStarted => "not started".into(),
    }
}
