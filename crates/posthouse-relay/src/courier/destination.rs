//! The courier into a broker destination: the request becomes a message, and is done when the
//! broker has confirmed it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::request::Content;
use tokio::time::timeout_at;

use super::deadline::Deadline;
use super::escape::Place;
use super::excerpt::detail;
use super::fault::{Fault, Faults};
use super::field::Values;
use super::headers;
use super::limits::{HEADER_BYTES_MAX, TARGET_HEADERS_MAX, TIMEOUT_MS, URL_BYTES_MAX};
use super::template::Template;
use super::{Clock, unread};

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The destination, such as `queue/orders.east`.
    pub destination: String,
    /// Whether it must survive a crash of the broker. The answer comes when it does.
    pub is_persistent: bool,
    /// The type of the body.
    pub content_type: Option<String>,
    /// Headers for the receiver, each name once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Why a message was not published, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// The broker could not be reached. Nothing was sent.
    Unreachable {
        /// One sentence for people.
        detail: String,
    },
    /// The broker refused it. Nothing happened.
    Refused {
        /// The stable code, such as `PH1204`, if the broker has such codes.
        code: Option<String>,
        /// One sentence for people.
        detail: String,
    },
    /// The connection broke before the broker confirmed it.
    Unknown {
        /// One sentence for people.
        detail: String,
    },
}

/// What comes of publishing.
pub type Published<'a> = Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

/// Publishes messages. It MUST answer `Ok` only when the broker has confirmed the message, and
/// MUST NOT publish a message twice on its own.
pub trait Publisher: Send + Sync + 'static {
    /// Publishes one message and waits until it is confirmed.
    ///
    /// # Errors
    /// See [`PublishError`].
    fn publish(&self, publication: Publication) -> Published<'_>;
}

/// How requests of some codes are published.
#[derive(Clone)]
pub struct DestinationTarget {
    /// Publishes.
    pub publisher: Arc<dyn Publisher>,
    /// The destination, such as `queue/orders.{key}`; a value is always one segment, or a part of
    /// one.
    pub destination: String,
    /// Whether messages must survive a crash of the broker.
    pub is_persistent: bool,
    /// Headers to add, names and templates. They replace the row's.
    pub headers: Vec<(String, String)>,
    /// The target service, if the row names none.
    pub service: Option<String>,
    /// The target method, if the row names none.
    pub service_method: Option<String>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

impl DestinationTarget {
    /// A target with the usual settings: persistent, nothing added.
    pub fn new(publisher: Arc<dyn Publisher>, destination: impl Into<String>) -> DestinationTarget {
        DestinationTarget {
            publisher,
            destination: destination.into(),
            is_persistent: true,
            headers: Vec::new(),
            service: None,
            service_method: None,
            timeout_ms: TIMEOUT_MS,
        }
    }
}

/// See the module.
pub struct DestinationCourier {
    target: DestinationTarget,
    destination: Template,
    headers: Vec<(String, Template)>,
}

/// Headers that mean something to the broker itself. Those of an HTTP connection, and those by
/// which receivers know a call of ours, are left out of messages as they are out of calls.
const RESERVED: [&str; 13] = [
    "ack",
    "content-length",
    "content-type",
    "destination",
    "expires",
    "id",
    "message-id",
    "persistent",
    "receipt",
    "redelivered",
    "subscription",
    "timestamp",
    "transaction",
];

/// Refusals of the message as it is: a name, a header or a size that cannot be. Others, such as a
/// full disk or a missing permission, are the broker's or its operator's and pass.
const NEVER: [&str; 13] = [
    "PH1005", "PH1006", "PH1007", "PH1008", "PH1014", "PH1031", "PH1032", "PH1033", "PH1034",
    "PH1035", "PH1201", "PH1202", "PH1206",
];

impl DestinationCourier {
    /// Checks the target.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn new(target: DestinationTarget) -> Result<DestinationCourier, Vec<Fault>> {
        let mut faults = Faults::default();
        let destination = faults.take("destination", check_destination(&target.destination));
        let headers = check_headers(&target.headers, &mut faults);
        if target.timeout_ms == 0 {
            faults.add("timeout_ms", "it is 0; write how long one attempt may take");
        }
        let built =
            destination.map(|destination| DestinationCourier { target, destination, headers });
        faults.finish(built)
    }

    /// Makes the attempt, and says what came of it. Needs a tokio runtime.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        let deadline = Deadline::new(attempt, self.target.timeout_ms, clock);
        let Some(content) = attempt.request.content.as_deref() else { return unread() };
        let publication = match self.prepare(attempt, content) {
            Ok(publication) => publication,
            Err(why) => return Verdict::Rejected { status: None, detail: detail(&why) },
        };
        if deadline.is_late(clock) {
            return Verdict::NotStarted;
        }
        let published = self.target.publisher.publish(publication);
        match timeout_at(deadline.end_until(clock), published).await {
            Ok(Ok(())) => Verdict::Done { status: None },
            Ok(Err(error)) => explain(&error),
            Err(_) => failed("the broker did not confirm the message in time; it may have it"),
        }
    }

    fn prepare(&self, attempt: &Attempt, content: &Content) -> Result<Publication, String> {
        let values = Values {
            attempt,
            content,
            service: self.target.service.as_deref(),
            method: self.target.service_method.as_deref(),
        };
        Ok(Publication {
            destination: self.destination.fill_text(&values, URL_BYTES_MAX)?,
            is_persistent: self.target.is_persistent,
            content_type: content.content_type.clone(),
            headers: self.fill_headers(&values)?,
            body: content.body.clone(),
        })
    }

    /// The row's, then the target's, then ours; each replaces its namesakes.
    fn fill_headers(&self, values: &Values<'_>) -> Result<Vec<(String, String)>, String> {
        headers::check_size(values.content)?;
        let mut headers = Vec::new();
        for (name, text) in &values.content.headers {
            if name.is_empty() {
                return Err("column headers has a header without a name".into());
            }
            if !is_reserved(name) {
                set(&mut headers, name, text);
            }
        }
        for (name, template) in &self.headers {
            set(&mut headers, name, &template.fill_text(values, HEADER_BYTES_MAX)?);
        }
        for (name, text) in headers::of_attempt(values.attempt) {
            set(&mut headers, name, &text);
        }
        Ok(headers)
    }
}

fn set(headers: &mut Vec<(String, String)>, name: &str, text: &str) {
    headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), text.chars().filter(|c| !c.is_control()).collect()));
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str()) || headers::is_reserved(&name)
}

fn check_destination(text: &str) -> Result<Template, String> {
    let template = Template::parse(text, Place::Segment)?;
    let sample = template.sample("x");
    let path = sample.strip_prefix("queue/").or_else(|| sample.strip_prefix("topic/"));
    let path = path.ok_or("write queue/NAME or topic/NAME")?;
    if path.split('.').any(|segment| matches!(segment, "" | "*" | ">")) {
        return Err("it has an empty segment between dots, or a wildcard".into());
    }
    let is_wrong = |c: char| c.is_whitespace() || c.is_control() || ",{}/".contains(c);
    match path.chars().find(|c| is_wrong(*c)) {
        Some(wrong) => Err(format!("its name contains {wrong:?}")),
        None => Ok(template),
    }
}

fn check_headers(raw: &[(String, String)], faults: &mut Faults) -> Vec<(String, Template)> {
    if raw.len() > TARGET_HEADERS_MAX {
        faults.add("headers", format!("there are more than {TARGET_HEADERS_MAX}"));
    }
    let mut checked = Vec::new();
    for (name, text) in raw.iter().take(TARGET_HEADERS_MAX) {
        let field = format!("headers.{name}");
        if name.is_empty() || is_reserved(name) {
            faults.add(&field, "this header is set for every message and cannot be changed");
        }
        let template = faults.take(&field, Template::parse(text, Place::Header));
        checked.extend(template.map(|template| (name.clone(), template)));
    }
    checked
}

fn explain(error: &PublishError) -> Verdict {
    match error {
        PublishError::Refused { code: Some(code), .. } if NEVER.contains(&code.as_str()) => {
            Verdict::Rejected { status: None, detail: detail(&error.to_string()) }
        }
        _ => failed(&error.to_string()),
    }
}

fn failed(why: &str) -> Verdict {
    let blame = Blame::Endpoint;
    Verdict::Failed { status: None, detail: detail(why), retry_after_ms: None, blame }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::Unreachable { detail } => write!(f, "no message was sent: {detail}"),
            PublishError::Refused { code: Some(code), detail } => {
                write!(f, "the broker refused the message ({code}): {detail}")
            }
            PublishError::Refused { code: None, detail } => {
                write!(f, "the broker refused the message: {detail}")
            }
            PublishError::Unknown { detail } => {
                write!(f, "nobody knows whether the broker has the message: {detail}")
            }
        }
    }
}

impl std::error::Error for PublishError {}
