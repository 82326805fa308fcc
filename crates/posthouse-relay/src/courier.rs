//! Couriers: one attempt at one request, over one protocol.
//!
//! A courier is built from a target, which is configuration; every mistake in it is reported when
//! it is built. After that it keeps no state but connections: it is given an attempt and answers
//! with exactly one verdict. It sends at most once per attempt. Whoever drops the future of a
//! courier aborts the attempt: what it had open is closed.

mod answers;
mod assembly;
mod call;
mod call_target;
mod deadline;
mod destination;
mod escape;
mod excerpt;
mod fault;
mod field;
mod frame;
mod grpc;
mod headers;
mod http;
mod instances;
mod key_ring;
pub mod limits;
mod multiplex;
mod nearest;
mod reply;
mod retry_after;
mod signature;
mod site;
mod status_set;
mod target;
mod template;

#[cfg(test)]
mod tests;

use posthouse_pump::attempt::{Attempt, Blame, Verdict};

pub use answers::BodyRule;
pub use call_target::CallTarget;
pub use destination::{
    DestinationCourier, DestinationTarget, Publication, PublishError, Published, Publisher,
};
pub use fault::Fault;
pub use frame::{FrameCourier, FrameProtocol};
pub use grpc::GrpcCourier;
pub use http::HttpCourier;
pub use instances::Instances;
pub use key_ring::{SecretSource, looks_like_key};
pub use multiplex::{Call, Event, MultiplexCourier, Protocol, Reply, ReplyOutcome, Session, Terms};
pub use target::HttpTarget;

/// The clocks of the node. An argument, so that tests decide how late it is.
pub trait Clock: Send + Sync {
    /// Milliseconds since some fixed point, as in [`Now::mono_ms`](posthouse_pump::time::Now).
    fn mono_ms(&self) -> u64;
    /// Milliseconds since 1970-01-01 UTC, by this node's own clock.
    fn wall_ms(&self) -> i64;
}

/// Whoever carries: finds the courier of an attempt's endpoint. MUST answer exactly once, and give
/// up when the attempt says so.
pub trait Carrier: Send + Sync + 'static {
    /// Makes the attempt, and says what came of it.
    fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> impl Future<Output = Verdict> + Send;
}

/// One courier of any kind.
pub enum AnyCourier {
    /// Calls services over HTTP. In a box, because it is the larger one by far.
    Http(Box<HttpCourier>),
    /// Publishes into a broker destination.
    Destination(DestinationCourier),
    /// Calls services over the frame protocol. In a box, too.
    Frame(Box<FrameCourier>),
    /// Calls services over gRPC. In a box, too.
    Grpc(Box<GrpcCourier>),
}

impl AnyCourier {
    /// Begins to follow the instances that it will call, if it asks somebody where they are. Needs
    /// a tokio runtime.
    pub fn follow(&self) {
        match self {
            AnyCourier::Http(courier) => courier.follow(),
            AnyCourier::Frame(courier) => courier.follow(),
            AnyCourier::Grpc(courier) => courier.follow(),
            AnyCourier::Destination(_) => {}
        }
    }

    /// Makes the attempt, and says what came of it. Each attempt is a task that is moved about, so
    /// that only what is carried most often is not in a box.
    pub async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        match self {
            AnyCourier::Http(courier) => courier.carry(attempt, clock).await,
            AnyCourier::Destination(courier) => Box::pin(courier.carry(attempt, clock)).await,
            AnyCourier::Frame(courier) => Box::pin(courier.carry(attempt, clock)).await,
            AnyCourier::Grpc(courier) => Box::pin(courier.carry(attempt, clock)).await,
        }
    }
}

/// For a request that was read without its content: nobody has done anything wrong but the one who
/// started it, so it stays open.
fn unread() -> Verdict {
    Verdict::Failed {
        status: None,
        detail: "the content of the request was not read; this is a mistake in the relay".into(),
        retry_after_ms: None,
        blame: Blame::Request,
    }
}
