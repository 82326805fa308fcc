//! The machine: what has happened goes in, what is to be done comes out.
//!
//! Each concern has a file of its own that adds to `impl Pump`; this one holds the state and hands
//! on. Three rules keep it honest:
//!
//! * A request starts only at the head of its lane, and only after it has been judged anew in that
//!   very call. Everything that is queued is therefore a hint, and a plan, a hold or a clock that
//!   changes needs no search through the queues.
//! * What is not in memory is remembered as withheld, cut off, blocked, missing, or not yet read;
//!   each of these keeps what comes later of the same key from going first, and each has one way
//!   to be read again.
//! * The source is the truth. A sweep reads everything again in the long run, and corrects what
//!   the pump believes.
//!
//! Invariant: nothing here reads a clock, draws from the system's randomness, or iterates over
//! anything whose order could differ between two runs.

mod absent;
mod alarms;
mod anew;
mod blocked;
mod buckets;
mod cause;
mod changes;
mod failing;
mod figures;
mod free_since;
mod gaps;
mod hours;
mod intake;
mod lane;
mod lanes;
mod late;
mod locked;
mod mark;
mod place;
mod reading;
mod reads;
mod row;
mod rules;
mod settle;
mod share;
mod singles;
mod start;
mod station;
mod timing;
mod verdict;
mod walking;
mod warn;
mod why;
mod withheld;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use self::figures::{CodeFigures, EndpointFigures, Figures, LockedFigures, WithheldFigures};
pub use self::timing::{Pace, Room};
pub use self::why::Why;
pub use self::withheld::Cause;

use self::alarms::Alarms;
use self::blocked::Blocked;
use self::buckets::Buckets;
use self::gaps::Gaps;
use self::lane::{Lane, LaneNo};
use self::locked::Locked;
use self::reads::Reads;
use self::row::Row;
use self::rules::Rules;
use self::settle::Settling;
use self::singles::Singles;
use self::station::Station;
use self::warn::Told;
use self::withheld::Withheld;
use crate::attempt::AttemptNo;
use crate::dice::Dice;
use crate::effect::{Effect, Notice};
use crate::input::Input;
use crate::request::{Request, RequestId, Slot};
use crate::time::Now;

/// See the module.
#[derive(Debug)]
pub struct Pump {
    seed: u64,
    pace: Pace,
    room: Room,
    dice: Dice,
    now: Now,
    /// How far the source's earliest time was ahead of the steady clock when alarms were last set.
    offset_ms: i64,
    /// Counts events, so that it can be told which of two came first.
    events: u64,
    rules: Rules,
    buckets: Buckets,
    alarms: Alarms,

    rows: BTreeMap<RequestId, Row>,
    bytes: usize,
    lanes: BTreeMap<LaneNo, Lane>,
    stations: BTreeMap<Arc<str>, Station>,
    /// Endpoints at which something may have become possible in this call.
    ready: BTreeSet<Arc<str>>,
    /// Endpoints of which requests are withheld because those in memory are too many.
    full: BTreeSet<Arc<str>>,
    blocked: BTreeMap<RequestId, Blocked>,
    is_blocked_full: bool,
    /// What was skipped just before in a lane, for the next attempt to tell.
    skipped: BTreeMap<LaneNo, Arc<str>>,
    attempts: BTreeMap<AttemptNo, RequestId>,
    last_attempt: u64,

    withheld: Withheld,
    singles: Singles,
    gaps: Gaps,
    /// Lanes whose heads wait until gaps vouch for them, by the event at which those were seen.
    guarded: BTreeSet<(u64, LaneNo)>,
    changed: BTreeSet<RequestId>,
    refills: VecDeque<LaneNo>,
    /// Everything up to this id has been read at least once.
    high_water: RequestId,
    reads: Reads,
    /// See [`late`].
    late: BTreeMap<RequestId, Request>,

    settling: Settling,
    locked: Locked,
    told: Told,
    /// Requests that the source cannot read, with their slots.
    unreadable: BTreeMap<RequestId, Slot>,
    counts: BTreeMap<Arc<str>, CodeFigures>,
    is_stopping: bool,
    effects: Vec<Effect>,
}

impl Pump {
    /// A pump that has been told nothing yet. The seed decides how retries are spread.
    pub fn new(seed: u64) -> Pump {
        Pump::with(seed, Pace::default(), Room::default())
    }

    /// The same, at another pace and in other room.
    pub fn with(seed: u64, pace: Pace, room: Room) -> Pump {
        Pump {
            seed,
            reads: Reads::new(&pace),
            pace,
            room,
            dice: Dice::new(seed),
            now: Now::default(),
            offset_ms: i64::MAX,
            events: 0,
            rules: Rules::default(),
            buckets: Buckets::default(),
            alarms: Alarms::default(),
            rows: BTreeMap::new(),
            bytes: 0,
            lanes: BTreeMap::new(),
            stations: BTreeMap::new(),
            ready: BTreeSet::new(),
            full: BTreeSet::new(),
            blocked: BTreeMap::new(),
            is_blocked_full: false,
            skipped: BTreeMap::new(),
            attempts: BTreeMap::new(),
            last_attempt: 0,
            withheld: Withheld::default(),
            singles: Singles::default(),
            gaps: Gaps::default(),
            guarded: BTreeSet::new(),
            changed: BTreeSet::new(),
            refills: VecDeque::new(),
            high_water: RequestId::LOWEST,
            late: BTreeMap::new(),
            settling: Settling::default(),
            locked: Locked::default(),
            told: Told::default(),
            unreadable: BTreeMap::new(),
            counts: BTreeMap::new(),
            is_stopping: false,
            effects: Vec::new(),
        }
    }

    /// Takes what has happened, and adds what is to be done.
    pub fn apply(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        self.observe(now);
        self.take(now, input);
        self.ring(now);
        self.start_ready(now);
        self.use_memory();
        self.release_drained();
        self.send_settlements();
        self.warn_withheld_full();
        self.ask(now);
        out.append(&mut self.effects);
    }

    fn take(&mut self, now: Now, input: Input) {
        match input {
            Input::Plan(plan) => self.take_plan(now, plan),
            Input::Holds(holds) => self.take_holds(now, holds),
            Input::Changed(ids) => self.take_changed(ids),
            Input::Replaced => self.start_anew(),
            Input::Granted(grant) => self.grant(now, &grant),
            Input::Renewed { bucket, fence, until_mono_ms } => {
                self.renew(now, bucket, fence, until_mono_ms);
            }
            Input::Drain(bucket) => self.drain(bucket),
            Input::Lost(bucket) => self.lose(bucket),
            Input::Found(found) => self.found(now, found),
            Input::ReadFailed(number) => self.read_failed(now, number),
            Input::Verdict { attempt, verdict } => self.verdict(now, attempt, verdict),
            Input::Settled { number, results } => self.settled(now, number, &results),
            Input::SettleFailed(number) => self.settle_failed(now, number),
            Input::Wake => self.reads.wake(now.mono_ms),
            Input::Stop => self.stop(),
            Input::Tick => {}
        }
    }

    /// The number of the event that happens now.
    fn event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }

    fn tell(&mut self, notice: Notice) {
        self.effects.push(Effect::Tell(notice));
    }
}
