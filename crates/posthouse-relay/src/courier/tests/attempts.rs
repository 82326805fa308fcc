//! An attempt to begin with, and a clock that stands where it is put.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use posthouse_pump::attempt::{Attempt, AttemptNo};
use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::request::{Content, Request, RequestId, Slot, Standing};
use tokio::time::Instant;

use crate::courier::Clock;

/// 2021-02-25 15:02:10 UTC, the instant of the example in the Standard Webhooks specification.
pub(super) const WALL_MS: i64 = 1_614_265_330_000;

/// Stands still unless somebody moves it.
#[derive(Default)]
pub(super) struct StandingClock(AtomicU64);

impl StandingClock {
    pub(super) fn set(&self, mono_ms: u64) {
        self.0.store(mono_ms, Ordering::Relaxed);
    }
}

impl Clock for StandingClock {
    fn mono_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn wall_ms(&self) -> i64 {
        WALL_MS
    }
}

/// Goes with the runtime's clock, which tests pause.
pub(super) struct RunningClock(Instant);

impl RunningClock {
    /// Begins at 0.
    pub(super) fn new() -> RunningClock {
        RunningClock(Instant::now())
    }
}

impl Clock for RunningClock {
    fn mono_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    fn wall_ms(&self) -> i64 {
        WALL_MS
    }
}

/// The second try of request 42 for order "A/7", with every column filled.
pub(super) fn content() -> Content {
    Content {
        protocol: None,
        service: Some("billing".into()),
        method: Some("charge".into()),
        headers: vec![("X-Tenant".into(), "north".into())],
        content_type: Some("application/json".into()),
        body: Bytes::from_static(br#"{"total":3}"#),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        flaw: None,
    }
}

pub(super) fn request(content: Content) -> Request {
    Request {
        id: RequestId(42),
        request_id: "req-1".into(),
        standing: Standing::Ready,
        code: "order.paid".into(),
        group: None,
        region: "east".into(),
        key: Some("A/7".into()),
        slot: Slot(3),
        priority: 4,
        window: None,
        due_ms: 0,
        expires_ms: None,
        attempts: 1,
        created_ms: 0,
        content: Some(Arc::new(content)),
        unreadable: None,
    }
}

pub(super) fn attempt(request: Request) -> Attempt {
    Attempt {
        number: AttemptNo(1),
        request: Arc::new(request),
        endpoint: "billing".into(),
        try_no: 2,
        bucket: BucketNo(5),
        fence: Fence(9),
        start_by_mono_ms: 10_000,
        end_by_mono_ms: 20_000,
        not_after_ms: 1_614_265_390_000,
        after_gap: None,
    }
}
