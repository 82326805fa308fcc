//! Rounds: what a node tells its source again and again, and what it makes of the answer.
//!
//! At most one round is out at a time. A lease is counted from before its renewal was asked for, so
//! the node always believes it to end earlier than the database does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use posthouse_pump::input::{Grant, Input};
use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::plan::Plan;
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::Slot;

use super::Tempo;
use crate::source::{Control, Granted, Greeting, Round, SourceError, SourceErrorKind};

/// The wait after a round that failed, in milliseconds.
const FAILED_MS: u64 = 200;

/// The wait before a source that is not as it must be is looked at again, in milliseconds.
const UNFIT_MS: u64 = 2_000;

/// Of a lease, so much is given away at its end, as a divisor: clocks drift, and requests take
/// their way.
const MARGIN_DIVISOR: u64 = 8;

/// A round that is out.
#[derive(Debug)]
pub(super) struct RoundTask {
    /// What is said.
    pub(super) greeting: Greeting,
    /// Whether the source is to be checked first.
    pub(super) prepares: bool,
    lease_ms: u64,
}

impl RoundTask {
    /// How long the answer may take. Beyond it leases would be lost without anybody trying again.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis((self.lease_ms / 3).clamp(200, 10_000))
    }
}

/// What came of a round.
#[derive(Debug)]
pub(super) struct RoundAnswer {
    /// What was said.
    pub(super) task: RoundTask,
    /// When it was said, steady milliseconds.
    pub(super) sent_ms: u64,
    /// When the answer came, steady milliseconds.
    pub(super) heard_ms: u64,
    /// The answer.
    pub(super) result: Result<Round, SourceError>,
}

/// What one node knows of its leases and of the control tables.
#[derive(Debug)]
pub(super) struct Rounds {
    /// The name of this node.
    pub(super) node: Arc<str>,
    tempo: Tempo,
    /// The plan without the operators' switches.
    pub(super) configured: Arc<Plan>,
    held: BTreeMap<BucketNo, (Fence, SlotRange)>,
    released: BTreeSet<BucketNo>,
    control: Control,
    has_control: bool,
    is_out: bool,
    is_prepared: bool,
    due_ms: u64,
    is_stopping: bool,
    /// What was wrong with the last round.
    pub(super) trouble: Option<String>,
}

impl Rounds {
    pub(super) fn new(node: Arc<str>, tempo: Tempo, configured: Plan) -> Rounds {
        Rounds {
            node,
            tempo,
            configured: Arc::new(configured),
            held: BTreeMap::new(),
            released: BTreeSet::new(),
            control: Control { version: -1, ..Control::default() },
            has_control: false,
            is_out: false,
            is_prepared: false,
            due_ms: 0,
            is_stopping: false,
            trouble: None,
        }
    }

    /// When the next round is to begin, steady milliseconds; `None` while one is out.
    pub(super) fn due_ms(&self) -> Option<u64> {
        (!self.is_out).then_some(self.due_ms)
    }

    /// The next round, if it is due.
    pub(super) fn begin(&mut self, now_ms: u64) -> Option<RoundTask> {
        if self.is_out || now_ms < self.due_ms {
            return None;
        }
        self.is_out = true;
        let of = |buckets: &BTreeSet<BucketNo>| {
            buckets.iter().filter_map(|b| Some((*b, self.held.get(b)?.0))).collect()
        };
        let greeting = Greeting {
            node: self.node.clone(),
            lease_ms: self.tempo.lease_ms,
            renew: self.held.iter().map(|(bucket, (fence, _))| (*bucket, *fence)).collect(),
            release: of(&self.released),
            wants_more: !self.is_stopping,
            known_version: if self.has_control { self.control.version } else { -1 },
        };
        Some(RoundTask { greeting, prepares: !self.is_prepared, lease_ms: self.tempo.lease_ms })
    }

    /// Gives a bucket back with the next round, which begins at once.
    pub(super) fn release(&mut self, bucket: BucketNo) {
        self.released.insert(bucket);
        self.due_ms = 0;
    }

    /// Has the source checked again with the next round.
    pub(super) fn look_again(&mut self) {
        self.is_prepared = false;
    }

    /// Whether the source was found fit, and the last round went well.
    pub(super) fn is_working(&self) -> bool {
        self.is_prepared && self.trouble.is_none()
    }

    /// Asks for no more buckets.
    pub(super) fn stop(&mut self) {
        self.is_stopping = true;
        self.due_ms = 0;
    }

    /// Whether nothing is held any more.
    pub(super) fn has_nothing(&self) -> bool {
        self.held.is_empty() && !self.is_out
    }

    /// Whether a slot is in a bucket that is held.
    pub(super) fn holds(&self, slot: Slot) -> bool {
        self.held.values().any(|(_, slots)| slots.contains(slot))
    }

    /// The version of the control tables that holds.
    pub(super) fn control_version(&self) -> i64 {
        self.control.version
    }

    /// Another plan has been configured.
    pub(super) fn replan(&mut self, configured: Plan) -> Input {
        self.configured = Arc::new(configured);
        Input::Plan(Arc::new(self.plan()))
    }

    /// What a round's answer means to the pump.
    pub(super) fn hear(&mut self, answer: RoundAnswer) -> Vec<Input> {
        self.is_out = false;
        match answer.result {
            Ok(round) => {
                self.trouble = None;
                self.is_prepared = true;
                self.due_ms = answer.heard_ms.max(answer.sent_ms + self.tempo.round_ms);
                self.take(&answer.task.greeting, answer.sent_ms, answer.heard_ms, round)
            }
            Err(error) => {
                // Somebody may have changed the tables; a source that did not answer is as it was.
                let is_replaced = error.kind == SourceErrorKind::Replaced;
                self.is_prepared &= error.kind != SourceErrorKind::Unfit && !is_replaced;
                let is_soon = self.is_prepared || is_replaced;
                self.due_ms = answer.heard_ms + if is_soon { FAILED_MS } else { UNFIT_MS };
                self.trouble = Some(error.to_string());
                if is_replaced { self.forget() } else { Vec::new() }
            }
        }
    }

    /// The source is another one: no lease, no switch and no request of the former one counts.
    fn forget(&mut self) -> Vec<Input> {
        self.held.clear();
        self.released.clear();
        self.control = Control { version: -1, ..Control::default() };
        self.has_control = false;
        vec![Input::Replaced]
    }

    fn take(&mut self, said: &Greeting, sent_ms: u64, heard_ms: u64, round: Round) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (bucket, _) in &said.release {
            self.released.remove(bucket);
            self.held.remove(bucket);
        }
        // The control tables come first: a switch is obeyed by everything that the same round
        // brings.
        if let Some(control) = round.control {
            inputs.extend(self.obey(control));
        }
        let until_mono_ms = sent_ms + self.tempo.lease_ms - self.tempo.lease_ms / MARGIN_DIVISOR;
        for (bucket, fence) in round.renewed {
            inputs.push(Input::Renewed { bucket, fence, until_mono_ms });
        }
        for bucket in round.lost {
            self.released.remove(&bucket);
            if self.held.remove(&bucket).is_some() {
                // Another node has it, or nobody can: somebody may have deleted it.
                self.is_prepared = false;
                inputs.push(Input::Lost(bucket));
            }
        }
        for granted in round.granted {
            inputs.push(self.grant(&granted, heard_ms, until_mono_ms));
        }
        inputs.extend(round.drain.into_iter().map(Input::Drain));
        inputs
    }

    fn grant(&mut self, granted: &Granted, heard_ms: u64, until_mono_ms: u64) -> Input {
        let Granted { bucket, slots, fence, was_silent } = *granted;
        self.held.insert(bucket, (fence, slots));
        // Whoever fell silent gave up its attempts with its lease; what it sent in its last moment
        // may still be on its way.
        let grace_ms = if was_silent { self.tempo.lease_ms / MARGIN_DIVISOR } else { 0 };
        let quiet_until_mono_ms = heard_ms + grace_ms;
        Input::Granted(Grant { bucket, slots, fence, until_mono_ms, quiet_until_mono_ms })
    }

    fn obey(&mut self, control: Control) -> Vec<Input> {
        let is_first = !self.has_control;
        let mut inputs = Vec::new();
        let changed = control.changed.clone();
        self.has_control = true;
        self.control = control;
        inputs.push(Input::Plan(Arc::new(self.plan())));
        inputs.push(Input::Holds(self.control.holds.clone()));
        match changed {
            Some(ids) if !is_first && !ids.is_empty() => inputs.push(Input::Changed(ids)),
            _ => {}
        }
        inputs
    }

    /// The configured plan with the operators' switches on top.
    fn plan(&self) -> Plan {
        let mut plan = Plan::clone(&self.configured);
        for (name, is_active) in &self.control.switches {
            if let Some(group) = plan.groups.get_mut(name) {
                group.is_active = *is_active;
            }
        }
        plan
    }
}
