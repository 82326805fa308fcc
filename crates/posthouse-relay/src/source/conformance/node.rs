//! A node as a case plays it.

use std::sync::Arc;

use posthouse_pump::outcome::{BucketNo, Fence, Outcome, Settled, Settlement, SettlementNo, State};
use posthouse_pump::read::{Found, Read, ReadNo, SlotRange, Span};
use posthouse_pump::request::{RequestId, SLOTS, Slot};

use super::must;
use crate::source::{Concluded, Granted, Greeting, Round, Source};

/// A node: what it believes to hold.
pub(super) struct Node<S> {
    pub(super) source: S,
    pub(super) name: Arc<str>,
    pub(super) held: Vec<Granted>,
    pub(super) releasing: Vec<Granted>,
    pub(super) wants_more: bool,
    pub(super) version: i64,
}

/// Long enough that no lease ends by itself while a case runs.
pub(super) const LEASE_MS: u64 = 600_000;

impl<S: Source> Node<S> {
    pub(super) fn new(source: S, name: &str) -> Node<S> {
        Node {
            source,
            name: name.into(),
            held: Vec::new(),
            releasing: Vec::new(),
            wants_more: true,
            version: 0,
        }
    }

    pub(super) fn greeting(&self) -> Greeting {
        let pair = |granted: &Granted| (granted.bucket, granted.fence);
        Greeting {
            node: self.name.clone(),
            lease_ms: LEASE_MS,
            renew: self.held.iter().map(pair).collect(),
            release: self.releasing.iter().map(pair).collect(),
            wants_more: self.wants_more,
            known_version: self.version,
        }
    }

    /// A round, and what an honest node makes of it.
    pub(super) async fn round(&mut self) -> Round {
        let round = must(self.source.round(&self.greeting()).await);
        self.releasing.clear();
        self.held.retain(|granted| !round.lost.contains(&granted.bucket));
        self.held.extend(round.granted.iter().cloned());
        if let Some(control) = &round.control {
            self.version = control.version;
        }
        round
    }

    /// Gives back what it was asked for at the next round.
    pub(super) fn give_back(&mut self, buckets: &[BucketNo]) {
        let (back, held) =
            self.held.drain(..).partition(|granted| buckets.contains(&granted.bucket));
        self.held = held;
        self.releasing.extend::<Vec<Granted>>(back);
    }

    pub(super) fn grant_of(&self, slot: Slot) -> Option<&Granted> {
        self.held.iter().find(|granted| granted.slots.contains(slot))
    }

    pub(super) async fn settle(&self, outcomes: Vec<Outcome>) -> Vec<Settled> {
        self.conclude(outcomes).await.results
    }

    pub(super) async fn conclude(&self, outcomes: Vec<Outcome>) -> Concluded {
        must(self.source.settle(&Settlement { number: SettlementNo(1), outcomes }).await)
    }

    pub(super) async fn read(&self, span: Span) -> Found {
        self.read_with(span, &["a"], 500, 1 << 20).await
    }

    pub(super) async fn read_with(
        &self,
        span: Span,
        codes: &[&str],
        rows_max: u32,
        bytes_max: u64,
    ) -> Found {
        let codes: Vec<Arc<str>> = codes.iter().map(|code| Arc::from(*code)).collect();
        let read = Read {
            number: ReadNo(7),
            span,
            slots: Arc::from([EVERYTHING].as_slice()),
            codes: codes.into(),
            rows_max,
            bytes_max,
        };
        must(self.source.read(&read).await)
    }
}

/// All slots.
pub(super) const EVERYTHING: SlotRange = SlotRange { first: Slot(0), last: Slot(SLOTS - 1) };

/// An outcome with nothing special about it.
pub(super) fn outcome(id: i64, granted: &Granted, state: State) -> Outcome {
    Outcome {
        id: RequestId(id),
        bucket: granted.bucket,
        fence: granted.fence,
        state,
        due_ms: 0,
        attempts: 1,
        status: None,
        error: None,
    }
}

/// A fence that nobody has.
pub(super) const NO_FENCE: Fence = Fence(1);

/// The ids of what was found.
pub(super) fn ids(found: &Found) -> Vec<i64> {
    found.rows.iter().map(|row| row.id.0).collect()
}
