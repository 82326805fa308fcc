//! What carries requests and replies between a simulated client and the node.
//!
//! The node's end is a [`Front`], the client's a [`Peer`]. With values the front does what a
//! session does, in little: it turns requests into commands and effects into replies, holds what
//! is held, and tells the broker what was written. With STOMP it is the real session.

mod message;
mod stomp;
mod values;

use posthouse_core::driver::Driver;
use posthouse_core::effect::Effect;
use posthouse_core::ids::HolderId;
use posthouse_core::time::Now;

use crate::plan::{Carrier, Plan};
use crate::port::{Reply, Request};

pub use message::{key_of, large_key};
pub use stomp::StompPeer;
pub use values::resolve;

use stomp::StompFront;
pub use values::ValueFront;

/// What travels over a link in one piece.
#[derive(Clone, Debug)]
pub enum Parcel {
    /// A request as it is.
    Request(Box<Request>),
    /// A reply as it is.
    Reply(Box<Reply>),
    /// Bytes of a protocol.
    Bytes(Vec<u8>),
    /// Nothing follows: the sender has closed its end.
    End,
}

/// The node's end of a link.
pub enum Front {
    /// See [`Carrier::Values`].
    Values(Box<ValueFront>),
    /// See [`Carrier::Stomp`].
    Stomp(Box<StompFront>),
}

impl Front {
    /// The front of a link that has just been made.
    pub fn new(plan: &Plan, now: Now) -> Front {
        match plan.carrier {
            Carrier::Values => Front::Values(Box::new(ValueFront::new(plan))),
            Carrier::Stomp => Front::Stomp(Box::new(StompFront::new(plan, now))),
        }
    }

    /// Takes what the client sent.
    pub fn on_parcel(&mut self, now: Now, parcel: Parcel, driver: &mut Driver) {
        match (self, parcel) {
            (Front::Values(front), Parcel::Request(request)) => {
                front.on_request(now, *request, driver);
            }
            (Front::Stomp(front), Parcel::Bytes(bytes)) => front.on_bytes(now, &bytes, driver),
            _ => unreachable!("each end speaks what the other understands"),
        }
    }

    /// Takes an effect for the front's holder.
    pub fn on_effect(&mut self, now: Now, effect: Effect, driver: &mut Driver) {
        match self {
            Front::Values(front) => front.on_effect(now, effect, driver),
            Front::Stomp(front) => front.on_effect(now, effect, driver),
        }
    }

    /// Takes the next thing to be sent, which counts as written from now on.
    pub fn write(&mut self, now: Now, bytes_max: usize, driver: &mut Driver) -> Option<Parcel> {
        match self {
            Front::Values(front) => front.write(now, driver),
            Front::Stomp(front) => front.write(now, bytes_max, driver),
        }
    }

    /// The link is gone.
    pub fn on_closed(&mut self, now: Now, driver: &mut Driver) {
        match self {
            Front::Values(front) => front.on_closed(now, driver),
            Front::Stomp(front) => front.on_closed(now, driver),
        }
    }

    /// Time has passed.
    pub fn on_timeout(&mut self, now: Now) {
        if let Front::Stomp(front) = self {
            front.on_timeout(now);
        }
    }

    /// When [`Front::on_timeout`] is due, in milliseconds.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        match self {
            Front::Values(_) => None,
            Front::Stomp(front) => front.next_deadline_ms(),
        }
    }

    /// Whether the client's parcels are to be taken now.
    pub fn wants_input(&self) -> bool {
        match self {
            Front::Values(front) => front.wants_input(),
            Front::Stomp(front) => front.wants_input(),
        }
    }

    /// Whether the link is to be closed once everything is written.
    pub fn is_closing(&self) -> bool {
        match self {
            Front::Values(front) => front.is_closing(),
            Front::Stomp(front) => front.is_closing(),
        }
    }

    /// The holder at the broker, once there is one.
    pub fn holder(&self) -> Option<HolderId> {
        match self {
            Front::Values(front) => front.holder(),
            Front::Stomp(front) => front.holder(),
        }
    }
}

/// The client's end of a link.
pub enum Peer {
    /// See [`Carrier::Values`].
    Values,
    /// See [`Carrier::Stomp`].
    Stomp(Box<StompPeer>),
}

impl Peer {
    /// The client's end of a new link. `choice` picks among what a protocol leaves open.
    pub fn new(plan: &Plan, choice: u64) -> Peer {
        match plan.carrier {
            Carrier::Values => Peer::Values,
            Carrier::Stomp => Peer::Stomp(Box::new(StompPeer::new(choice))),
        }
    }

    /// A request as the link carries it.
    pub fn ask(&mut self, request: Request) -> Parcel {
        match self {
            Peer::Values => Parcel::Request(Box::new(request)),
            Peer::Stomp(peer) => Parcel::Bytes(peer.encode(&request)),
        }
    }

    /// The replies that a parcel completes.
    pub fn hear(&mut self, parcel: Parcel) -> Vec<Reply> {
        match (self, parcel) {
            (Peer::Values, Parcel::Reply(reply)) => vec![*reply],
            (Peer::Stomp(peer), Parcel::Bytes(bytes)) => peer.decode(&bytes),
            _ => unreachable!("each end speaks what the other understands"),
        }
    }
}
