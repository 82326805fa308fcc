//! The courier for standard HTTP: one call for each attempt.
//!
//! Everything that depends on the row is put together first, so that a row that lacks something
//! is rejected before anybody is called. Then a connection is got ready, the clock is looked at
//! once more, and the request is written. It is written once: if nobody knows what became of it,
//! the verdict says so, and the pump decides.
//!
//! Where a discovery knows the receivers, an instance that takes no connection is set aside, and
//! the next one is called in the same attempt: nothing has been sent yet.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Uri};
use posthouse_net::discovery::Choice;
use posthouse_net::limits::{ANSWER_BODY_KEPT_BYTES_MAX, ANSWER_BODY_READ_BYTES_MAX};
use posthouse_net::{Connection, Error, Origin};
use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::request::Content;
use tokio::time::Instant;

use super::deadline::Deadline;
use super::excerpt::detail;
use super::fault::Fault;
use super::field::Values;
use super::headers;
use super::limits::{STALE_CONNECTIONS_MAX, URL_BYTES_MAX};
use super::signature::Key;
use super::site::is_refusal;
use super::target::{Checked, HttpTarget, Url};
use super::{Clock, unread};

/// Makes calls to one target.
pub struct HttpCourier {
    target: Checked,
}

/// A call, but for the headers that depend on the very moment.
struct Call {
    origin: Origin,
    request: Request<Bytes>,
}

impl HttpCourier {
    /// Checks the target and reads its keys.
    ///
    /// # Errors
    /// Every mistake in the target.
    pub fn new(target: HttpTarget) -> Result<HttpCourier, Vec<Fault>> {
        Ok(HttpCourier { target: target.check()? })
    }

    /// Begins to follow the instances that it will call. Needs a tokio runtime.
    pub fn follow(&self) {
        if let Url::Found { instances, .. } = &self.target.url {
            instances.follow();
        }
    }

    /// Makes the attempt, and says what came of it. Needs a tokio runtime.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        let deadline = Deadline::new(attempt, self.target.timeout_ms, clock);
        if deadline.is_late(clock) {
            return Verdict::NotStarted;
        }
        let Some(content) = attempt.request.content.as_deref() else { return unread() };
        let mut last = Error::Stale { is_reused: true };
        for _ in 0..STALE_CONNECTIONS_MAX {
            match self.send(attempt, content, deadline, clock).await {
                Ok(verdict) => return verdict,
                Err(Miss { error, has_others: true }) => last = error,
                Err(Miss { error: Error::Stale { is_reused: true }, .. }) => {}
                Err(Miss { error, .. }) => return self.explain(&error, deadline, clock),
            }
        }
        self.explain(&last, deadline, clock)
    }

    /// Sends the call, unless the row or the clock is against it.
    async fn send(
        &self,
        attempt: &Attempt,
        content: &Content,
        deadline: Deadline,
        clock: &dyn Clock,
    ) -> Result<Verdict, Miss> {
        let values = self.target.assembly.values(attempt, content);
        let choice = match self.choose(&values, deadline.start_until(clock)).await {
            Ok(choice) => choice,
            Err(_) if deadline.has_missed_start(clock) => return Ok(Verdict::NotStarted),
            Err(verdict) => return Ok(verdict),
        };
        let Call { origin, mut request } = match self.prepare(&values, choice.as_ref()) {
            Ok(call) => call,
            Err(why) => return Ok(Verdict::Rejected { status: None, detail: detail(&why) }),
        };
        let keys = self.target.keys.current(clock.mono_ms()).await;
        let connected = self.target.client.connect(&origin, deadline.start_until(clock)).await;
        let connection = learn(connected, choice.as_ref())?;
        if deadline.is_late(clock) {
            return Ok(Verdict::NotStarted);
        }
        if let Err(why) = sign(&mut request, attempt, clock.wall_ms(), &keys) {
            return Ok(Verdict::Rejected { status: None, detail: detail(&why) });
        }
        let kept_bytes_max = match self.target.answers.body {
            Some(_) => ANSWER_BODY_READ_BYTES_MAX,
            None => ANSWER_BODY_KEPT_BYTES_MAX,
        };
        let answer =
            connection.exchange(request, kept_bytes_max, deadline.end_until(clock)).await?;
        Ok(self.target.answers.judge(&answer, clock.wall_ms()))
    }

    /// The instance to call, if the URL does not name the host.
    async fn choose(&self, values: &Values<'_>, until: Instant) -> Result<Option<Choice>, Verdict> {
        match &self.target.url {
            Url::Found { instances, .. } => {
                Box::pin(instances.choose(values, until)).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// No answer. If only the start was missed, or all connections were taken, the endpoint has
    /// done nothing wrong and this was no try.
    fn explain(&self, error: &Error, deadline: Deadline, clock: &dyn Clock) -> Verdict {
        match error {
            Error::Busy { .. } => Verdict::NotStarted,
            Error::ConnectTimeout { .. } if deadline.has_missed_start(clock) => Verdict::NotStarted,
            Error::Url { .. } => Verdict::Rejected { status: None, detail: error.to_string() },
            _ => self.failed(error),
        }
    }

    /// Where each row brings its own URL, a wrong one says nothing about the others. A refusal by
    /// the guard is no reason to finish a row: the allow-list may be what is wrong.
    fn failed(&self, error: &Error) -> Verdict {
        let blame = match &self.target.url {
            Url::Fixed { .. } => Blame::Endpoint,
            Url::Row { .. } => Blame::Request,
            Url::Found { instances, .. } => instances.blame(),
        };
        let detail = detail(&error.to_string());
        Verdict::Failed { status: None, detail, retry_after_ms: None, blame }
    }

    /// Puts the call together.
    ///
    /// # Errors
    /// What is missing in the row or wrong with it.
    fn prepare(&self, values: &Values<'_>, choice: Option<&Choice>) -> Result<Call, String> {
        let (origin, url) = self.target.url.fill(values, choice)?;
        let mut headers = self.target.assembly.headers(values)?;
        const UNKNOWN: HeaderValue = HeaderValue::from_static("application/octet-stream");
        headers.entry(CONTENT_TYPE).or_insert(UNKNOWN);
        headers::set_attempt(&mut headers, values.attempt)?;
        let body = self.target.assembly.body(values)?;
        let mut request = Request::new(body);
        *request.method_mut() = self.target.method.clone();
        *request.uri_mut() = url;
        *request.headers_mut() = headers;
        Ok(Call { origin, request })
    }
}

/// No answer, and whether another instance may be called instead: nothing was sent to this one.
struct Miss {
    error: Error,
    has_others: bool,
}

impl From<Error> for Miss {
    fn from(error: Error) -> Miss {
        Miss { error, has_others: false }
    }
}

/// Remembers of an instance whether it has taken a connection.
fn learn(
    connected: Result<Connection, Error>,
    choice: Option<&Choice>,
) -> Result<Connection, Miss> {
    let Some(choice) = choice else { return Ok(connected?) };
    match connected {
        Ok(connection) => {
            choice.accepted();
            Ok(connection)
        }
        Err(error) => {
            let has_others = is_refusal(&error) && choice.refused();
            Err(Miss { error, has_others })
        }
    }
}

/// Adds what depends on the very moment.
fn sign(
    request: &mut Request<Bytes>,
    attempt: &Attempt,
    wall_ms: i64,
    keys: &[Key],
) -> Result<(), String> {
    let body = request.body().clone();
    let id = &attempt.request.request_id;
    headers::set_webhook(request.headers_mut(), id, wall_ms, &body, keys)
}

impl Url {
    fn fill(&self, values: &Values<'_>, choice: Option<&Choice>) -> Result<(Origin, Uri), String> {
        match self {
            Url::Fixed { origin, template } => {
                let text = template.fill_text(values, URL_BYTES_MAX)?;
                if !template.is_fixed() {
                    check_segments(&text)?;
                }
                let url = text.parse().map_err(|error| format!("the URL is not one: {error}"))?;
                Ok((origin.clone(), url))
            }
            Url::Row { version, template } => {
                let text = template.fill_text(values, URL_BYTES_MAX)?;
                let wrong = |what: String| format!("column headers: the URL in it: {what}");
                let url: Uri = text.parse().map_err(|error| wrong(format!("{error}")))?;
                let origin =
                    Origin::of(&url, *version).map_err(|error| wrong(error.to_string()))?;
                Ok((origin, url))
            }
            Url::Found { is_tls, version, template, instances } => {
                let choice = choice.ok_or("no instance was chosen")?;
                let origin = choice.origin(*is_tls, *version, instances.host.as_ref());
                let path = template.fill_text(values, URL_BYTES_MAX)?;
                check_segments(&path)?;
                let scheme = if *is_tls { "https" } else { "http" };
                let text = format!("{scheme}://{}{path}", origin.authority());
                let url = text.parse().map_err(|error| format!("the URL is not one: {error}"))?;
                Ok((origin, url))
            }
        }
    }
}

/// Receivers resolve `.` and `..` (RFC 3986, section 5.2.4), and a value must not climb out of its
/// place, not even by being empty between two dots of the template.
pub(crate) fn check_segments(url: &str) -> Result<(), String> {
    let path = url.split('?').next().unwrap_or_default();
    match path.split('/').find(|segment| matches!(*segment, "." | "..")) {
        Some(segment) => Err(format!("the row makes a part of the URL's path \"{segment}\"")),
        None => Ok(()),
    }
}
