//! A network of links, each with two ends, that delays, splits, stalls and breaks.
//!
//! What one end sends arrives at the other in order, some time later, unless the link breaks; a
//! break loses what is on its way. Each direction takes only so much until its reader has read,
//! as sockets do.

use std::collections::{BTreeMap, VecDeque};

use crate::carrier::Parcel;
use crate::plan::Plan;
use crate::random::{Random, Stream};

/// Names a link; never used again.
pub type LinkId = u32;

/// Bytes that a piece has at most; longer ones are split.
const PIECE_BYTES_MAX: u64 = 300;

/// One of the ends of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The client's.
    Client,
    /// The node's.
    Node,
}

/// What is on its way to one end.
#[derive(Debug, Default)]
struct Pipe {
    parcels: VecDeque<(u64, Parcel)>,
    last_due_ms: u64,
}

/// One link.
#[derive(Debug, Default)]
struct Link {
    to_node: Pipe,
    to_client: Pipe,
    is_broken: bool,
}

impl Link {
    fn pipe(&mut self, to: End) -> &mut Pipe {
        match to {
            End::Node => &mut self.to_node,
            End::Client => &mut self.to_client,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Network {
    links: BTreeMap<LinkId, Link>,
    last: LinkId,
    random: Random,
    latency_ms_max: u64,
    window: usize,
}

impl Network {
    /// A network without links.
    pub fn new(plan: &Plan) -> Network {
        Network {
            links: BTreeMap::new(),
            last: 0,
            random: Random::new(plan.seed, Stream::Network),
            latency_ms_max: plan.latency_ms_max,
            window: plan.window_parcels,
        }
    }

    /// Makes a link.
    pub fn open(&mut self) -> LinkId {
        self.last += 1;
        self.links.insert(self.last, Link::default());
        self.last
    }

    /// Sends `parcel` to an end; answers when its pieces arrive there. On a broken link, and one
    /// that is gone, it is lost.
    pub fn send(&mut self, now_ms: u64, id: LinkId, to: End, parcel: Parcel) -> Vec<u64> {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.is_broken) else {
            return Vec::new();
        };
        let pipe = link.pipe(to);
        let mut due = Vec::new();
        for piece in split(&mut self.random, parcel) {
            let delay_ms = self.random.below(self.latency_ms_max + 1);
            pipe.last_due_ms = pipe.last_due_ms.max(now_ms + delay_ms);
            pipe.parcels.push_back((pipe.last_due_ms, piece));
            due.push(pipe.last_due_ms);
        }
        due
    }

    /// Takes what has arrived at an end and comes first.
    pub fn receive(&mut self, now_ms: u64, id: LinkId, at: End) -> Option<Parcel> {
        let pipe = self.links.get_mut(&id)?.pipe(at);
        let (due_ms, _) = pipe.parcels.front()?;
        if *due_ms > now_ms {
            return None;
        }
        pipe.parcels.pop_front().map(|(_, parcel)| parcel)
    }

    /// Whether a direction takes more. A broken link takes everything, and loses it.
    pub fn has_room(&mut self, id: LinkId, to: End) -> bool {
        let window = self.window;
        let link = self.links.get_mut(&id);
        link.is_some_and(|link| link.is_broken || link.pipe(to).parcels.len() < window)
    }

    /// How many bytes one write takes at most.
    pub fn write_bytes_max(&mut self) -> usize {
        self.random.between(1, PIECE_BYTES_MAX) as usize
    }

    /// Breaks a link: what is on its way is lost, and so is what is sent from now on. Neither end
    /// is told.
    pub fn break_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            *link = Link { is_broken: true, ..Link::default() };
        }
    }

    /// From now on the network is quick, so that what is measured is the node.
    pub fn heal(&mut self) {
        self.latency_ms_max = self.latency_ms_max.min(2);
        self.window = self.window.max(20);
    }

    /// The links that are broken.
    pub fn broken(&self) -> Vec<LinkId> {
        let broken = self.links.iter().filter(|(_, link)| link.is_broken);
        broken.map(|(id, _)| *id).collect()
    }

    /// Forgets a link of which both ends know that it is over.
    pub fn forget(&mut self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Whether nothing is on its way over a link.
    pub fn is_quiet(&self, id: LinkId) -> bool {
        self.links
            .get(&id)
            .is_none_or(|link| link.to_node.parcels.is_empty() && link.to_client.parcels.is_empty())
    }

    /// A random delay up to `most_ms`.
    pub fn delay_ms(&mut self, most_ms: u64) -> u64 {
        self.random.below(most_ms + 1)
    }
}

/// Bytes arrive in pieces of any size.
fn split(random: &mut Random, parcel: Parcel) -> Vec<Parcel> {
    let Parcel::Bytes(bytes) = parcel else { return vec![parcel] };
    let mut pieces = Vec::new();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let whole = random.chance(60);
        let cut = if whole { rest.len() } else { random.between(1, rest.len() as u64) as usize };
        let (piece, after) = rest.split_at(cut);
        pieces.push(Parcel::Bytes(piece.to_vec()));
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{End, Network};
    use crate::carrier::Parcel;
    use crate::plan::{Carrier, Plan};

    fn bytes_at(network: &mut Network, now_ms: u64, link: u32) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(Parcel::Bytes(bytes)) = network.receive(now_ms, link, End::Node) {
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn what_is_sent_arrives_whole_and_in_order_unless_the_link_breaks() {
        let mut network = Network::new(&Plan::new(1, Carrier::Stomp));
        let link = network.open();
        for byte in 0..100_u8 {
            network.send(5, link, End::Node, Parcel::Bytes(vec![byte; 10]));
        }
        assert!(!network.is_quiet(link));
        let expected: Vec<u8> = (0..100_u8).flat_map(|byte| [byte; 10]).collect();
        assert_eq!(bytes_at(&mut network, 1_000, link), expected);
        network.send(2_000, link, End::Node, Parcel::Bytes(vec![1]));
        network.break_link(link);
        network.send(2_000, link, End::Node, Parcel::Bytes(vec![2]));
        assert!(bytes_at(&mut network, 9_000, link).is_empty());
    }

    #[test]
    fn a_direction_takes_only_so_much() {
        let plan = Plan { window_parcels: 2, ..Plan::new(1, Carrier::Stomp) };
        let mut network = Network::new(&plan);
        let link = network.open();
        assert!(network.has_room(link, End::Node));
        network.send(0, link, End::Node, Parcel::End);
        network.send(0, link, End::Node, Parcel::End);
        assert!(!network.has_room(link, End::Node));
        assert!(network.has_room(link, End::Client));
    }
}
