//! A request in memory.

use std::sync::Arc;

use super::lane::LaneNo;
use crate::attempt::AttemptNo;
use crate::outcome::{BucketNo, Fence};
use crate::request::Request;

/// What is being done about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing.
    Idle,
    /// It is being marked at the source, before it is tried.
    Marking,
    /// It is being tried.
    Running(AttemptNo),
    /// What became of it is being written back.
    Settling,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As it stands at the source, as far as is known.
    pub request: Arc<Request>,
    pub lane: LaneNo,
    pub bucket: BucketNo,
    pub fence: Fence,
    pub phase: Phase,
    pub endpoint: Option<Arc<str>>,
    pub bytes: usize,
    /// When it came into memory, or what is known of it last changed, in the count of events.
    pub since: u64,
    /// Whether somebody else has changed it, so that it must be read before it may start.
    pub is_unsure: bool,
    /// Not before this instant, Unix milliseconds, whatever stands at the source.
    pub not_before_ms: i64,
    /// Whether it is marked at the source as being tried.
    pub is_marked: bool,
    /// Whether the attempt under way is the trial of its endpoint's breaker.
    pub is_trial: bool,
    /// When its alarm for expiry rings, milliseconds of the steady clock.
    pub expiry_mono_ms: Option<u64>,
}

impl Row {
    /// A request that has just been read.
    pub fn new(request: Request, lane: LaneNo, lease: (BucketNo, Fence), since: u64) -> Row {
        let bytes = request.footprint_bytes();
        Row {
            request: Arc::new(request),
            lane,
            bucket: lease.0,
            fence: lease.1,
            phase: Phase::Idle,
            endpoint: None,
            bytes,
            since,
            is_unsure: false,
            not_before_ms: 0,
            is_marked: false,
            is_trial: false,
            expiry_mono_ms: None,
        }
    }

    /// Whether nothing is being done about it.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// Whether a later reading shows it as it is known here.
    pub fn is_like(&self, read: &Request) -> bool {
        let known = &self.request;
        read.unreadable.is_none()
            && known.due_ms == read.due_ms
            && known.attempts == read.attempts
            && known.expires_ms == read.expires_ms
            && known.priority == read.priority
            && known.standing == read.standing
            && known.window == read.window
            && known.code == read.code
    }
}
