//! Whole attempts over gRPC, with servers that do as they are told.

mod carry;
mod server;
mod target;

use posthouse_net::{Client, ClientSettings, Reach};
use posthouse_pump::attempt::Verdict;

use crate::courier::CallTarget;

fn target(url: &str) -> CallTarget {
    let reach = Reach::parse(&["127.0.0.1"]).unwrap();
    let client = Client::new(ClientSettings { reach, ..ClientSettings::default() }).unwrap();
    CallTarget::new(client, url)
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
