//! The end of a chapter: fresh consumers empty everything, until the node says that it has nothing
//! left.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use posthouse_sim::client::{Client, Role};
use posthouse_sim::history::{Durable, Subscribe, What};
use posthouse_sim::random::{Random, Stream};
use posthouse_sim::workload::{self, Scene};

use super::{IDS_PER_CHAPTER, Load};
use crate::command::http;

/// Drainers have the ids of a chapter from this one on.
const FIRST_ID: u32 = 50;
/// What they may have open: enough that their pace is not what is waited for.
const PREFETCH: u32 = 200;
/// The checker says whether that was in time; this is for a node that never gets there.
const DRAIN_MAX: Duration = Duration::from_secs(90);

impl Load {
    /// Starts drainers and waits until nothing is kept any more.
    pub(super) fn run_drainers(&mut self, http: SocketAddr) {
        let durables: Vec<Durable> = self.durables.iter().cloned().collect();
        let all = std::iter::once(None).chain(durables.iter().map(Some));
        let drainers: Vec<Client> =
            all.zip(FIRST_ID..).map(|(durable, id)| self.drainer(id, durable)).collect();
        self.workers = drainers.into_iter().map(|drainer| self.start(drainer)).collect();
        let deadline = Instant::now() + DRAIN_MAX;
        while messages_kept(http) > 0 {
            assert!(Instant::now() < deadline, "after {DRAIN_MAX:?} something still waits");
            self.chronicle.pause();
        }
        self.chronicle.note(0, What::Drained);
        self.gate.dismiss();
        self.join();
    }

    fn drainer(&self, number: u32, durable: Option<&Durable>) -> Client {
        let id = self.chapter * IDS_PER_CHAPTER + number;
        let mut client = Client::new(id, Role::Drainer);
        client.name = durable.map(|durable| durable.client.clone());
        let mut random = Random::new(self.seed ^ u64::from(id), Stream::Plan);
        let now_ms = self.chronicle.now_ms();
        let (plan, random) = (&*self.plan, &mut random);
        let errands = self.chronicle.with_numbers(|numbers| {
            workload::errand(&mut Scene { now_ms, plan, random, numbers }, durable)
        });
        let eager = errands.into_iter().map(|wish| Subscribe { prefetch: PREFETCH, ..wish });
        client.errands = eager.collect();
        client
    }
}

/// How many messages the node keeps, as its metrics say.
fn messages_kept(address: SocketAddr) -> u64 {
    let (status, answer) = http(address, "GET /metrics", &["Host: localhost"], "");
    assert_eq!(status, 200, "{answer}");
    let line = answer.lines().find_map(|line| line.strip_prefix("posthouse_messages "));
    let count = line.and_then(|count| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("no posthouse_messages in {answer}"))
}
