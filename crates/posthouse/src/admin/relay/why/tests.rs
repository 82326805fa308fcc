//! Requests with what is known around them, and what they are said to wait for.

use std::sync::Arc;

use posthouse_pump::attempt::AttemptNo;
use posthouse_pump::calendar::Window;
use posthouse_pump::input::Hold;
use posthouse_pump::outcome::{BucketNo, Fence};
use posthouse_pump::plan::{Backoff, Claim, Code, Group, OnExpired, OnFailure, Order, Plan};
use posthouse_pump::pump::{EndpointFigures, Figures, Why};
use posthouse_pump::read::SlotRange;
use posthouse_pump::request::{RequestId, Slot, Unreadable};
use posthouse_pump::time::Now;
use posthouse_relay::runner::{RetentionTally, Status};
use posthouse_relay::source::look::{BucketRow, Row};
use posthouse_relay::source::{Control, slot_of};

use super::{Sight, waits};

const NOW_MS: i64 = 1_000_000;

fn row() -> Row {
    Row {
        id: RequestId(7),
        request_id: "r".into(),
        state: 0,
        code: "c".into(),
        group: None,
        region: None,
        key: Some("k".into()),
        key_seq: None,
        priority: 4,
        window: None,
        due_ms: 0,
        expires_ms: None,
        attempts: 0,
        status: None,
        error: None,
        fence: Fence(0),
        created_ms: 0,
        updated_ms: None,
        done_ms: None,
        archived_ms: None,
        body_bytes: 0,
        unreadable: None,
    }
}

fn plan() -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 0,
        backoff: Backoff { base_ms: 1, cap_ms: 1 },
        window: None,
    };
    let code = Code { group: "g".into(), endpoint: "e".into(), window: None };
    Plan {
        region: "here".into(),
        groups: [("g".into(), group)].into(),
        codes: [("c".into(), code)].into(),
        windows: [("night".into(), Arc::new(Window::Never))].into(),
        ..Plan::default()
    }
}

fn bucket(owner: Option<&str>) -> BucketRow {
    BucketRow {
        bucket: BucketNo(0),
        slots: SlotRange { first: Slot(0), last: Slot(1023) },
        owner: owner.map(Arc::from),
        fence: Fence(1),
        lease_left_ms: 10,
        is_draining: false,
    }
}

fn sight() -> Sight {
    let status = Status {
        name: "s".into(),
        node: "us".into(),
        plan: Arc::new(plan()),
        now: Now { mono_ms: 0, source_ms: NOW_MS, error_ms: 1 },
        figures: Figures::default(),
        trouble: None,
        control_version: 0,
        fenced: 0,
        gap_keys: 0,
        retention: RetentionTally::default(),
    };
    let (control, buckets) = (Control::default(), vec![bucket(Some("us"))]);
    let here = Some(Why::Next);
    Sight { status, control, buckets, before: None, missing: None, here }
}

/// What an otherwise free request waits for after it, and what is around it, were changed.
fn check(change: impl FnOnce(&mut Row, &mut Sight), expected: &[&str]) {
    let (mut row, mut sight) = (row(), sight());
    change(&mut row, &mut sight);
    let found: Vec<&str> = waits(&row, &sight).iter().map(|wait| wait.reason).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_request_says_itself_why_it_waits() {
    check(|_, _| (), &["its turn"]);
    check(|row, _| row.state = 2, &["blocked"]);
    check(|row, _| row.region = Some("there".into()), &["other region"]);
    check(|row, _| row.expires_ms = Some(NOW_MS), &["expired"]);
    check(|row, _| row.due_ms = NOW_MS + 1, &["due later"]);
    let take = |row: &mut Row, _: &mut Sight| {
        (row.state, row.fence, row.due_ms) = (1, Fence(-1), NOW_MS + 1);
    };
    check(take, &["taken"]);
    check(|row, _| row.code = "x".into(), &["code unknown"]);
    let (column, detail) = ("headers", "odd".to_owned());
    let wrong = Unreadable { column, detail, is_content: true };
    let unread = |row: &mut Row, sight: &mut Sight| {
        row.unreadable = Some(wrong);
        sight.here = Some(Why::NotRead);
    };
    check(unread, &["unreadable"]);
    check(|row, _| row.group = Some("x".into()), &["other group"]);
    check(|row, _| row.window = Some("night".into()), &["window shut"]);
    check(|row, _| row.window = Some("x".into()), &["window unknown"]);
}

#[test]
fn operators_keep_requests_waiting() {
    check(|_, sight| sight.control.switches = vec![("g".into(), false)], &["group off"]);
    check(|_, sight| sight.control.switches = vec![("x".into(), false)], &["its turn"]);
    let foreign = |_: &mut Row, sight: &mut Sight| {
        let mut plan = plan();
        plan.groups.values_mut().for_each(|group| group.region = Some("there".into()));
        sight.status.plan = Arc::new(plan);
        sight.control.switches = vec![("g".into(), true)];
    };
    check(foreign, &["other region"]);
    let held = |hold| move |_: &mut Row, sight: &mut Sight| sight.control.holds = vec![hold];
    check(held(Hold::Code("c".into())), &["held"]);
    check(held(Hold::Endpoint("e".into())), &["held"]);
    check(held(Hold::Key { slot: slot_of("k"), key: "k".into() }), &["held"]);
    check(held(Hold::Code("x".into())), &["its turn"]);
}

#[test]
fn others_keep_requests_waiting() {
    let before = |state| {
        move |_: &mut Row, sight: &mut Sight| {
            sight.before = Some(Row { id: RequestId(5), state, ..row() });
        }
    };
    check(before(2), &["key blocked"]);
    check(before(0), &["behind another"]);
    check(|_, sight| sight.missing = Some(7), &["number missing"]);
    check(|_, sight| sight.buckets = vec![bucket(Some("them"))], &["other node"]);
    check(|_, sight| sight.buckets = vec![bucket(None)], &["no owner"]);
    check(|_, sight| sight.status.trouble = Some("x".into()), &["source in trouble"]);
    let down = EndpointFigures { is_down: true, ..EndpointFigures::default() };
    let down = |_: &mut Row, sight: &mut Sight| {
        sight.status.figures.endpoints = [("e".into(), down)].into();
    };
    check(down, &["endpoint down"]);
}

#[test]
fn what_only_the_pump_knows_is_told_when_nothing_else_is() {
    check(|_, sight| sight.here = Some(Why::Running(AttemptNo(1))), &["on its way"]);
    check(|_, sight| sight.here = Some(Why::NotRead), &["being read"]);
    check(|_, sight| sight.here = Some(Why::EndpointBusy), &["endpoint busy"]);
    check(|_, sight| sight.here = None, &["its turn"]);
    let change = |row: &mut Row, sight: &mut Sight| {
        row.state = 2;
        sight.here = Some(Why::Blocked);
    };
    check(change, &["blocked"]);
}

#[test]
fn everything_that_holds_is_told() {
    let change = |row: &mut Row, sight: &mut Sight| {
        row.due_ms = NOW_MS + 1;
        sight.control.switches = vec![("g".into(), false)];
    };
    check(change, &["group off", "due later"]);
}
