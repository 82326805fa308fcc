//! One node of a platform: its pump, its health rules, its leases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use posthouse_pump::calendar::Window;
use posthouse_pump::health::{Health, Limits, Sight, Table};
use posthouse_pump::input::{Grant, Input};
use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::plan::Plan;
use posthouse_pump::pump::{Cause, Pace, Pump, Room};
use posthouse_pump::time::Now;

use crate::platform::Name;
use crate::table::{BUCKETS, Lease, slots_of};
use crate::world::{BEGIN_MS, Event, World};

const LEASE_MS: i64 = 15_000;
const LEASE_MARGIN_MS: i64 = 1_500;
const ROUND_MS: i64 = 4_000;
const LOOK_MS: i64 = 20_000;
const ERROR_MS: i64 = 10;

/// See the module.
pub struct Node {
    number: u64,
    pub platform: Name,
    pub pump: Pump,
    pub health: Health,
    plan: Arc<Plan>,
    known_version: u64,
    pub held: BTreeMap<u64, i64>,
    pub cut_off_until_ms: i64,
    /// How far its own wall clock is ahead.
    pub clock_off_ms: i64,
    trouble: Option<String>,
    pub fenced: u64,
    pub is_tick_set: Option<u64>,
    pub running: BTreeSet<u64>,
}

/// A week is long: idle nodes look seldom, and are woken by writers.
fn pace() -> Pace {
    Pace { wait_ms_max: 8_000, sweep_rest_ms: 300_000, ..Pace::default() }
}

impl Node {
    pub fn new(number: u64, platform: Name, seed: u64) -> Node {
        Node {
            number,
            platform,
            pump: Pump::with(seed + number, pace(), Room::default()),
            health: Health::default(),
            plan: Arc::default(),
            known_version: 0,
            held: BTreeMap::new(),
            cut_off_until_ms: 0,
            clock_off_ms: 0,
            trouble: None,
            fenced: 0,
            is_tick_set: None,
            running: BTreeSet::new(),
        }
    }

    /// Each node's steady clock began at another time.
    pub fn mono_ms(&self, true_ms: i64) -> u64 {
        u64::try_from(true_ms - BEGIN_MS).unwrap() + self.number * 1_000
    }

    /// When its steady clock will show an instant.
    pub fn true_at(&self, mono_ms: u64) -> i64 {
        let since_ms = mono_ms.saturating_sub(self.number * 1_000).min(u64::MAX / 4);
        BEGIN_MS + i64::try_from(since_ms).unwrap()
    }

    pub fn now(&self, true_ms: i64) -> Now {
        Now { mono_ms: self.mono_ms(true_ms), source_ms: true_ms, error_ms: ERROR_MS }
    }
}

impl World {
    /// The platform of a node, if the node reaches its database now.
    pub fn reached(&self, number: u64) -> Option<Name> {
        let node = self.nodes.get(&number)?;
        let is_down = self.platforms[&node.platform].is_database_down;
        (!is_down && node.cut_off_until_ms <= self.true_ms).then_some(node.platform)
    }

    /// Heart-beat, leases and control tables; one transaction.
    pub fn round(&mut self, number: u64) {
        if !self.nodes.contains_key(&number) {
            return;
        }
        self.at(ROUND_MS, Event::Round(number));
        let is_reached = self.reached(number).is_some();
        let node = self.nodes.get_mut(&number).unwrap();
        node.trouble = (!is_reached).then(|| "no answer".to_owned());
        if !is_reached {
            return;
        }
        let mut inputs = self.control(number);
        inputs.extend(self.renew(number));
        inputs.extend(self.share(number));
        for input in inputs {
            self.feed(number, input);
        }
    }

    fn control(&mut self, number: u64) -> Vec<Input> {
        let node = self.nodes.get_mut(&number).unwrap();
        let platform = &self.platforms[&node.platform];
        if node.known_version == platform.version {
            return Vec::new();
        }
        let known = std::mem::replace(&mut node.known_version, platform.version);
        node.plan = platform.plan.clone();
        let changed = platform.changed.iter().filter(|(version, _)| *version > known);
        let changed = changed.map(|(_, id)| *id).collect();
        vec![
            Input::Plan(platform.plan.clone()),
            Input::Holds(platform.holds.clone()),
            Input::Changed(changed),
        ]
    }

    fn renew(&mut self, number: u64) -> Vec<Input> {
        let node = self.nodes.get_mut(&number).unwrap();
        let until_mono_ms = node.mono_ms(self.true_ms + LEASE_MS - LEASE_MARGIN_MS);
        let leases = &mut self.platforms.get_mut(&node.platform).unwrap().table.leases;
        let mut inputs = Vec::new();
        for (bucket, fence) in node.held.clone() {
            let lease = &mut leases[usize::try_from(bucket).unwrap()];
            if lease.fence == fence && lease.owner == Some(number) {
                lease.until_ms = self.true_ms + LEASE_MS;
                let (bucket, fence) = (BucketNo(bucket), Fence(fence));
                inputs.push(Input::Renewed { bucket, fence, until_mono_ms });
            } else {
                node.held.remove(&bucket);
                inputs.push(Input::Lost(BucketNo(bucket)));
            }
        }
        inputs
    }

    /// Takes free buckets up to a fair share, and gives away what is more.
    fn share(&mut self, number: u64) -> Vec<Input> {
        let name = self.nodes[&number].platform;
        let live = self.nodes_of(name).len() as u64;
        let share = BUCKETS.div_ceil(live);
        let mut inputs = Vec::new();
        let held: Vec<u64> = self.nodes[&number].held.keys().copied().collect();
        let surplus = held.iter().skip(usize::try_from(share).unwrap());
        inputs.extend(surplus.map(|bucket| Input::Drain(BucketNo(*bucket))));
        for bucket in 0..BUCKETS {
            if (self.nodes[&number].held.len() as u64) < share {
                inputs.extend(self.grab(number, name, bucket));
            }
        }
        inputs
    }

    fn grab(&mut self, number: u64, name: Name, bucket: u64) -> Option<Input> {
        let leases = &mut self.platforms.get_mut(&name).unwrap().table.leases;
        let lease = &mut leases[usize::try_from(bucket).unwrap()];
        if lease.until_ms >= self.true_ms {
            return None;
        }
        let quiet_ms = if lease.owner.is_some() { LEASE_MARGIN_MS } else { 0 };
        let fence = lease.fence + 1;
        *lease = Lease { owner: Some(number), fence, until_ms: self.true_ms + LEASE_MS };
        let node = self.nodes.get_mut(&number).unwrap();
        node.held.insert(bucket, fence);
        Some(Input::Granted(Grant {
            bucket: BucketNo(bucket),
            slots: slots_of(bucket),
            fence: Fence(fence),
            until_mono_ms: node.mono_ms(self.true_ms + LEASE_MS - LEASE_MARGIN_MS),
            quiet_until_mono_ms: node.mono_ms(self.true_ms + quiet_ms),
        }))
    }

    pub fn release(&mut self, number: u64, bucket: u64) {
        let Some(node) = self.nodes.get_mut(&number) else { return };
        let Some(fence) = node.held.remove(&bucket) else { return };
        let leases = &mut self.platforms.get_mut(&node.platform).unwrap().table.leases;
        let lease = &mut leases[usize::try_from(bucket).unwrap()];
        if lease.fence == fence {
            *lease = Lease { owner: None, fence, until_ms: 0 };
        }
    }

    /// Judges a source by the health rules.
    pub fn look(&mut self, number: u64) {
        if !self.nodes.contains_key(&number) {
            return;
        }
        self.at(LOOK_MS, Event::Look(number));
        let true_ms = self.true_ms;
        let node = &self.nodes[&number];
        let name = node.platform;
        let figures = node.pump.figures();
        let is_full = figures.withheld.iter().any(|it| matches!(it.cause, Cause::EndpointFull(_)));
        let table = self.reached(number).map(|_| self.counted(number, is_full));
        let node = self.nodes.get_mut(&number).unwrap();
        let sight = Sight {
            now: node.now(true_ms),
            wall_ms: true_ms + node.clock_off_ms,
            plan: &node.plan,
            figures: &figures,
            trouble: node.trouble.as_deref(),
            fenced: node.fenced,
            gap_keys: 0,
            table: table.as_ref(),
            finders: &[],
        };
        let changes = node.health.look(&sight, &Limits::default());
        self.tell(name, number, changes);
    }

    /// What the database itself would tell.
    fn counted(&self, number: u64, counts: bool) -> Table {
        let table = &self.platforms[&self.nodes[&number].platform].table;
        let is_unowned = |lease: &&Lease| lease.owner.is_none() || lease.until_ms < self.true_ms;
        let mut ready: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let open = counts.then(|| table.open().filter(|row| row.state == 0));
        for row in open.into_iter().flatten() {
            *ready.entry(row.request.code.clone()).or_default() += 1;
        }
        Table {
            ready,
            buckets: BUCKETS,
            own_buckets: self.nodes[&number].held.len() as u64,
            unowned_buckets: table.leases.iter().filter(is_unowned).count() as u64,
            ..Table::default()
        }
    }

    /// Whether a window is open now, in words.
    pub fn local(&self, window: &Window) -> String {
        window.local_time(self.true_ms)
    }
}
