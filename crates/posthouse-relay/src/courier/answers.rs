//! What an answer means: taken, never to be taken, or to be tried again.

use hyper::StatusCode;
use hyper::header::{DATE, LOCATION, RETRY_AFTER};
use posthouse_net::{Answer, BodyEnd};
use posthouse_pump::attempt::{Blame, Verdict};

use super::excerpt::{detail, excerpt};
use super::retry_after;
use super::status_set::StatusSet;

/// Statuses that mean success, if a target does not say.
pub(crate) const SUCCESS: &str = "200-299";

/// Statuses that mean never, if a target does not say: the receiver's verdict on the request, less
/// those that time may change (408, 409, 425, 429) and less 410, by which a receiver says that its
/// whole address is gone (Standard Webhooks): that must not finish one request after the other.
pub(crate) const NEVER: &str = "400-407, 411-424, 426-428, 430-499";

/// What the body of a success must look like. Only its first 64 KiB are looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyRule {
    /// It contains this text.
    Contains(String),
    /// It is JSON and has this value at this place (RFC 6901).
    Pointer {
        /// The place, such as `/result/code`.
        pointer: String,
        /// The value.
        equals: serde_json::Value,
    },
}

/// The rules of one target.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) success: StatusSet,
    pub(crate) never: StatusSet,
    pub(crate) body: Option<BodyRule>,
}

impl Answers {
    /// What `answer`, which came at `wall_ms`, means.
    pub(crate) fn judge(&self, answer: &Answer, wall_ms: i64) -> Verdict {
        let status = Some(i32::from(answer.status));
        if self.success.contains(answer.status) {
            return self.judge_body(answer);
        }
        if self.never.contains(answer.status) {
            return Verdict::Rejected { status, detail: describe(answer) };
        }
        let text = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        Verdict::Failed {
            status,
            detail: describe(answer),
            retry_after_ms: text(RETRY_AFTER)
                .and_then(|wait| retry_after::parse(wait, text(DATE), wall_ms)),
            blame: blame(answer.status),
        }
    }

    /// Without a rule the status is the receiver's word, whatever becomes of the rest.
    fn judge_body(&self, answer: &Answer) -> Verdict {
        let status = Some(i32::from(answer.status));
        let Some(rule) = &self.body else { return Verdict::Done { status } };
        if rule.holds(&answer.body) {
            return Verdict::Done { status };
        }
        let is_broken = answer.body_end == BodyEnd::Broken;
        let blame = if is_broken { Blame::Endpoint } else { Blame::Request };
        let why = if is_broken { "its body broke off" } else { rule.complaint() };
        let text = format!("answered {}, but {why}: {}", answer.status, excerpt(&answer.body));
        Verdict::Failed { status, detail: detail(&text), retry_after_ms: None, blame }
    }
}

impl BodyRule {
    fn holds(&self, body: &[u8]) -> bool {
        match self {
            BodyRule::Contains(text) => String::from_utf8_lossy(body).contains(text.as_str()),
            BodyRule::Pointer { pointer, equals } => serde_json::from_slice(body)
                .is_ok_and(|value: serde_json::Value| value.pointer(pointer) == Some(equals)),
        }
    }

    fn complaint(&self) -> &'static str {
        match self {
            BodyRule::Contains(_) => "its body does not contain what means success",
            BodyRule::Pointer { .. } => "its body does not have the value that means success",
        }
    }
}

/// A conflict, or an unusual refusal that the target wants tried again, is about the request. All
/// else says that the endpoint is overloaded, broken, gone or elsewhere.
fn blame(status: u16) -> Blame {
    match status {
        408 | 410 | 425 | 429 => Blame::Endpoint,
        200..=299 | 400..=499 => Blame::Request,
        _ => Blame::Endpoint,
    }
}

fn describe(answer: &Answer) -> String {
    let known = StatusCode::from_u16(answer.status).ok().and_then(|code| code.canonical_reason());
    let mut text = format!("answered {} {}", answer.status, known.unwrap_or("(unknown)"));
    match answer.status {
        300..=399 => text.push_str(&describe_redirect(answer)),
        410 => text.push_str("; the receiver says that this address is gone: correct the URL"),
        _ => {}
    }
    let shown = excerpt(&answer.body);
    if !shown.is_empty() {
        text.push_str(": ");
        text.push_str(&shown);
    }
    detail(&text)
}

/// Without what may be secret in an address: user name and password, parameters, query.
fn describe_redirect(answer: &Answer) -> String {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let place = location.map_or("nowhere".into(), without_secrets);
    format!("; redirects (here to {place}) are not followed: correct the URL")
}

/// A password may hold what ends the path of an address, and a query an `@`; where nobody can tell
/// which it is, nothing is shown.
fn without_secrets(address: &str) -> String {
    // A host may be named without a scheme, too (RFC 3986, section 4.2).
    let (scheme, rest) = match address.split_once("//") {
        Some((scheme, rest)) => (format!("{scheme}//"), rest),
        None => (String::new(), address),
    };
    let (path, behind) = rest.split_at(rest.find(['?', '#', ';']).unwrap_or(rest.len()));
    let shown = match behind.contains('@') {
        true => "***",
        false => path.rsplit_once('@').map_or(path, |(_, host)| host),
    };
    scheme + shown
}
