//! What ends a session, and how it is told: a code, what happened, what to do.

use std::fmt;

use posthouse_core::refusal::Refusal;

use super::SessionConfig;
use crate::stomp::{Command, DecodeError, HeartBeat};

/// Why a session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The stable code, such as `PH1103`.
    pub(super) code: &'static str,
    /// What happened.
    pub(super) what: String,
    /// What to do about it.
    pub(super) advice: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.what)
    }
}

const SEE_MANUAL: &str = "The code's page says what leads to it and what to do";

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault { code: refusal.code.as_str(), what: refusal.detail, advice: SEE_MANUAL }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Fault {
        Fault {
            code: error.code(),
            what: error.to_string(),
            advice: "The bytes sent are not STOMP as this version has it; see the client library",
        }
    }
}

impl Fault {
    fn new(code: &'static str, what: impl Into<String>, advice: &'static str) -> Fault {
        Fault { code, what: what.into(), advice }
    }

    pub(super) fn not_connected(command: Command) -> Fault {
        let what = format!("{} came before CONNECT", command.as_str());
        Fault::new("PH1101", what, "Send CONNECT and wait for CONNECTED first")
    }

    pub(super) fn header_missing(command: Command, name: &str) -> Fault {
        let what = format!("{} needs the header \"{name}\"", command.as_str());
        Fault::new("PH1102", what, "Add the header")
    }

    pub(super) fn header_invalid(name: &str, value: &str, wanted: &str) -> Fault {
        let value: String = value.chars().take(64).collect();
        let what = format!("the header \"{name}\" is {value:?}; wanted is {wanted}");
        Fault::new("PH1103", what, "Correct the header's value")
    }

    pub(super) fn connected_twice() -> Fault {
        let what = "CONNECT came a second time";
        Fault::new("PH1104", what, "Open another connection for another login")
    }

    pub(super) fn login_timed_out(config: &SessionConfig) -> Fault {
        let what = format!("no CONNECT came within {} ms", config.login_ms_max);
        Fault::new("PH1105", what, "Send CONNECT as soon as the connection is open")
    }

    pub(super) fn peer_silent(heart_beat: HeartBeat) -> Fault {
        let what = format!("nothing came for twice the {} ms agreed on", heart_beat.want_ms);
        Fault::new("PH1106", what, "Send a line feed when there is nothing else to send")
    }

    /// `key` is a subscription's, with its kind before the first space.
    pub(super) fn subscription_exists(key: &str) -> Fault {
        let (_, id) = key.split_once(' ').unwrap_or(("", key));
        let what = format!("there is a subscription {id:?} already");
        Fault::new("PH1107", what, "Give each subscription of a connection an id of its own")
    }

    /// `key` is a subscription's, with its kind before the first space.
    pub(super) fn subscription_unknown(key: &str) -> Fault {
        let (_, id) = key.split_once(' ').unwrap_or(("", key));
        let what = format!("there is no subscription {id:?}");
        Fault::new("PH1108", what, "Use the id that SUBSCRIBE gave")
    }

    pub(super) fn not_a_request(command: Command) -> Fault {
        let what = format!("{} is what a server sends", command.as_str());
        Fault::new("PH1109", what, "Connect clients to servers, not servers to each other")
    }

    pub(super) fn destination_invalid(destination: &str) -> Fault {
        let destination: String = destination.chars().take(64).collect();
        let what = format!("{destination:?} names no kind of destination that is offered");
        Fault::new("PH1110", what, "Write /queue/NAME or /topic/NAME")
    }

    pub(super) fn transaction_exists(name: &str) -> Fault {
        let what = format!("the transaction {name:?} has begun already");
        Fault::new("PH1111", what, "Commit or abort it first, or use another name")
    }

    pub(super) fn transaction_unknown(name: &str) -> Fault {
        let what = format!("there is no transaction {name:?}, or it has ended");
        Fault::new("PH1112", what, "Begin it first; a transaction ends with COMMIT or ABORT")
    }

    pub(super) fn delivery_unknown(id: &str) -> Fault {
        let id: String = id.chars().take(64).collect();
        let what = format!("no unacknowledged message has the id {id:?}");
        Fault::new("PH1113", what, "Acknowledge each message once, on its own connection")
    }
}
