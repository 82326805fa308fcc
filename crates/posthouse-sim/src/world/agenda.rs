//! What is to happen when. Of two happenings at the same millisecond the one that was planned
//! first comes first.

use std::collections::BTreeMap;

use crate::network::{End, LinkId};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A client may do something.
    Wake(u32),
    /// Something arrives at one end of a link.
    Arrive(LinkId, End),
    /// The node looks at what has arrived.
    Settle,
    /// The disk makes something durable.
    Sync,
    /// Something falls due at the node.
    Tick,
    /// The node's power is cut.
    Crash,
    /// The node starts again.
    Restart,
    /// A connection breaks.
    Break,
    /// The node notices that a link is gone.
    NodeLearns(LinkId),
    /// A client notices that a link is gone.
    ClientLearns(LinkId),
    /// Somebody purges or redrives a queue.
    Manage,
    /// Disturbances end.
    Heal,
    /// Fresh consumers come to empty everything.
    Drain,
    /// The node is compared with the shadow.
    Look,
    /// A look whether everything is empty.
    Watch,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Agenda {
    planned: BTreeMap<(u64, u64), Happening>,
    last: u64,
    settle_ms: Option<u64>,
    tick_ms: Option<u64>,
}

impl Agenda {
    /// Plans a happening.
    pub fn add(&mut self, at_ms: u64, happening: Happening) {
        self.last += 1;
        self.planned.insert((at_ms, self.last), happening);
    }

    /// Takes what comes next.
    pub fn next(&mut self) -> Option<(u64, Happening)> {
        self.planned.pop_first().map(|((at_ms, _), happening)| (at_ms, happening))
    }

    /// Plans that the node looks at what has arrived, unless it is going to by then.
    pub fn settle(&mut self, at_ms: u64) {
        if self.settle_ms.is_none_or(|planned_ms| planned_ms > at_ms) {
            self.settle_ms = Some(at_ms);
            self.add(at_ms, Happening::Settle);
        }
    }

    /// The node is looking.
    pub fn settled(&mut self) {
        self.settle_ms = None;
    }

    /// Plans a tick, unless there is going to be one by then.
    pub fn tick(&mut self, at_ms: u64) {
        if self.tick_ms.is_none_or(|planned_ms| planned_ms > at_ms) {
            self.tick_ms = Some(at_ms);
            self.add(at_ms, Happening::Tick);
        }
    }

    /// A tick is happening.
    pub fn ticked(&mut self) {
        self.tick_ms = None;
    }
}
