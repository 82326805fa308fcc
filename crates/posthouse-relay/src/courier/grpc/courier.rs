//! Making an attempt.

use bytes::Bytes;
use http::uri::PathAndQuery;
use posthouse_net::{Client, Connection, Error, Origin};
use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_pump::request::Content;
use posthouse_wire::frame::Request as Call;
use prost::Message;
use tonic::client::Grpc;
use tonic::{Request, Status};

use super::channel::Channel;
use super::codec::BytesCodec;
use super::message;
use super::target::{Method, check};
use super::{metadata, status};
use crate::courier::call_target::{CallTarget, Rules};
use crate::courier::deadline::Deadline;
use crate::courier::excerpt::detail;
use crate::courier::fault::Fault;
use crate::courier::http::check_segments;
use crate::courier::limits::{GRPC_REPLY_BYTES_MAX, STALE_CONNECTIONS_MAX, URL_BYTES_MAX};
use crate::courier::reply::judge;
use crate::courier::site::{Spot, is_refusal};
use crate::courier::{Clock, unread};

/// Makes calls to one target.
pub struct GrpcCourier {
    client: Client,
    method: Method,
    rules: Rules,
}

/// Why there is no verdict yet.
enum Trouble {
    /// Something is wrong with the row.
    Row(String),
    /// It is too late.
    Late,
    /// There is no answer.
    Net(Error),
    /// This instance takes no connection, and there are others.
    Refused(Error),
}

impl GrpcCourier {
    /// Checks the target and reads its keys.
    ///
    /// # Errors
    /// Every mistake in the target.
    pub fn new(target: CallTarget) -> Result<GrpcCourier, Vec<Fault>> {
        let checked = check(target)?;
        Ok(GrpcCourier { client: checked.client, method: checked.url, rules: checked.rules })
    }

    /// Begins to follow the instances that it will call. Needs a tokio runtime.
    pub fn follow(&self) {
        self.rules.site.follow();
    }

    /// Makes the attempt, and says what came of it. Needs a tokio runtime.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        let deadline = Deadline::new(attempt, self.rules.timeout_ms, clock);
        if deadline.is_late(clock) {
            return Verdict::NotStarted;
        }
        let Some(content) = attempt.request.content.as_deref() else { return unread() };
        let mut last = Error::Stale { is_reused: true };
        for _ in 0..STALE_CONNECTIONS_MAX {
            match self.send(attempt, content, deadline, clock).await {
                Err(Trouble::Net(Error::Stale { is_reused: true })) => {}
                Err(Trouble::Refused(error)) => last = error,
                Err(trouble) => return self.explain(trouble, deadline, clock),
                Ok(verdict) => return verdict,
            }
        }
        self.explain(Trouble::Net(last), deadline, clock)
    }

    /// Sends the call, unless the row or the clock is against it.
    async fn send(
        &self,
        attempt: &Attempt,
        content: &Content,
        deadline: Deadline,
        clock: &dyn Clock,
    ) -> Result<Verdict, Trouble> {
        let (mut call, headers) = self.rules.call(attempt, content).map_err(Trouble::Row)?;
        let path = self.path(attempt, content).map_err(Trouble::Row)?;
        self.rules.sign(&mut call, clock).await;
        let start_until = deadline.start_until(clock);
        let values = self.rules.assembly.values(attempt, content);
        let spot = match self.rules.site.spot(&values, start_until).await {
            Ok(spot) => spot,
            Err(_) if deadline.has_missed_start(clock) => return Ok(Verdict::NotStarted),
            Err(verdict) => return Ok(verdict),
        };
        let connection = learn(self.client.connect(&spot.origin, start_until).await, &spot)?;
        if deadline.is_late(clock) {
            return Err(Trouble::Late);
        }
        call.timeout_ms = deadline.left_ms(clock);
        let request = metadata::request(Bytes::new(), headers, attempt, &call);
        let request = request.map_err(Trouble::Row)?.map(|_| self.message(call));
        let base = base_of(&spot.origin);
        let channel = Channel::new(connection, base, deadline.end_until(clock));
        self.understand(call_once(channel, path, request).await)
    }

    fn path(&self, attempt: &Attempt, content: &Content) -> Result<PathAndQuery, String> {
        match &self.method {
            Method::Deliver(path) => Ok(path.clone()),
            Method::Raw(template) => {
                let values = self.rules.assembly.values(attempt, content);
                let path = template.fill_text(&values, URL_BYTES_MAX)?;
                check_segments(&path)?;
                path.parse().map_err(|error| format!("the method is none: {error}"))
            }
        }
    }

    fn message(&self, call: Call) -> Bytes {
        match &self.method {
            Method::Deliver(_) => message::Request::from(call).encode_to_vec().into(),
            Method::Raw(_) => call.body,
        }
    }

    /// What an answer means.
    fn understand(&self, answer: Result<Bytes, Status>) -> Result<Verdict, Trouble> {
        let bytes = match answer {
            Ok(bytes) => bytes,
            Err(status) => {
                let source = std::error::Error::source(&status);
                return match source.and_then(|error| error.downcast_ref::<Error>()) {
                    Some(error) => Err(Trouble::Net(error.clone())),
                    None => Ok(status::judge(&status)),
                };
            }
        };
        match &self.method {
            Method::Raw(_) => Ok(Verdict::Done { status: Some(0) }),
            Method::Deliver(_) => Ok(match message::Reply::read(bytes) {
                Ok(reply) => judge(reply),
                Err(why) => {
                    self.failed(&format!("answered with something else than a reply: {why}"))
                }
            }),
        }
    }

    /// No answer. If only the start was missed, or all connections were taken, the endpoint has
    /// done nothing wrong and this was no try.
    fn explain(&self, trouble: Trouble, deadline: Deadline, clock: &dyn Clock) -> Verdict {
        match trouble {
            Trouble::Late | Trouble::Net(Error::Busy { .. }) => Verdict::NotStarted,
            Trouble::Net(Error::ConnectTimeout { .. }) if deadline.has_missed_start(clock) => {
                Verdict::NotStarted
            }
            Trouble::Row(why) => Verdict::Rejected { status: None, detail: detail(&why) },
            Trouble::Net(error @ Error::Url { .. }) => {
                Verdict::Rejected { status: None, detail: detail(&error.to_string()) }
            }
            Trouble::Net(error) | Trouble::Refused(error) => self.failed(&error.to_string()),
        }
    }

    fn failed(&self, why: &str) -> Verdict {
        let blame = self.rules.site.blame();
        Verdict::Failed { status: None, detail: detail(why), retry_after_ms: None, blame }
    }
}

/// Messages are bounded where they are made and where they are read, and not here once more.
async fn call_once(
    channel: Channel,
    path: PathAndQuery,
    request: Request<Bytes>,
) -> Result<Bytes, Status> {
    let mut grpc = Grpc::new(channel).max_decoding_message_size(GRPC_REPLY_BYTES_MAX);
    grpc.unary(request, path, BytesCodec).await.map(tonic::Response::into_inner)
}

/// What stands before the path.
fn base_of(origin: &Origin) -> String {
    let scheme = if origin.is_tls { "https" } else { "http" };
    format!("{scheme}://{}", origin.authority())
}

/// Remembers of an instance whether it has taken a connection.
fn learn(connected: Result<Connection, Error>, spot: &Spot) -> Result<Connection, Trouble> {
    match connected {
        Ok(connection) => {
            spot.accepted();
            Ok(connection)
        }
        Err(error) if is_refusal(&error) && spot.refused() => Err(Trouble::Refused(error)),
        Err(error) => Err(Trouble::Net(error)),
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Net(error)
    }
}
