//! What writers write, couriers answer and operators do, all drawn from the world's dice.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::calendar::{Window, WindowSpec};
use posthouse_pump::input::Hold;
use posthouse_pump::outcome::Settlement;
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_pump::pump::Room;
use posthouse_pump::request::{Request, RequestId, Slot, Standing};

use crate::table::{BUCKET_SLOTS, BUCKETS};
use crate::world::{BEGIN_MS, Event, MIDNIGHT_MS, World, failed};

const KEYS: u64 = 12;

/// How long an endpoint may take for a call.
pub const TIMEOUT_MS: u64 = 500;

/// Every second world has so little room that everything overflows all the time.
pub fn room(seed: u64) -> Room {
    if seed.is_multiple_of(2) {
        return Room::default();
    }
    Room {
        resident_max: 12,
        lane_max: 3,
        blocked_max: 4,
        changed_max: 2,
        read_rows_max: 5,
        withheld_keys_max: if seed % 8 == 7 { 4 } else { Room::default().withheld_keys_max },
        ..Room::default()
    }
}

/// Whether others take requests from the table, too. Worlds that have shown faults once stay as
/// they were.
pub fn is_shared(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

/// The plan that a world begins with.
pub fn plan(seed: u64) -> Plan {
    let group = |order, on_failure, on_expired| Group {
        is_active: true,
        region: None,
        order,
        claim: if order == Order::None && is_shared(seed) { Claim::Mark } else { Claim::Lease },
        on_failure,
        on_expired,
        attempts_max: 4,
        backoff: Backoff { base_ms: 50, cap_ms: 1_000 },
        window: None,
    };
    let groups = BTreeMap::from([
        ("orders".into(), group(Order::Key, OnFailure::Block, OnExpired::Skip)),
        ("stock".into(), group(Order::Key, OnFailure::SkipAndMark, OnExpired::Block)),
        ("mail".into(), group(Order::KeyAndCode, OnFailure::BlockFor { ms: 700 }, OnExpired::Skip)),
        ("loose".into(), group(Order::None, OnFailure::Skip, OnExpired::Skip)),
    ]);
    let code = |group: &str, endpoint: &str, window: Option<&str>| Code {
        group: group.into(),
        endpoint: endpoint.into(),
        window: window.map(Arc::from),
    };
    let codes = BTreeMap::from([
        ("new".into(), code("orders", "shop", None)),
        ("pay".into(), code("orders", "bank", Some("day"))),
        ("move".into(), code("stock", "depot", None)),
        ("send".into(), code("mail", "shop", None)),
        ("note".into(), code("mail", "depot", Some("day"))),
        ("ping".into(), code("loose", "bank", None)),
    ]);
    let breaker = Breaker { failures_max: 3, pause_ms: 100, pause_cap_ms: 400 };
    let endpoint = |concurrency_max, rate_per_s| Endpoint {
        concurrency_max,
        rate_per_s,
        timeout_ms: TIMEOUT_MS,
        breaker,
    };
    let endpoints = BTreeMap::from([
        ("shop".into(), endpoint(4, 0)),
        ("bank".into(), endpoint(2, 50)),
        ("depot".into(), endpoint(8, 0)),
    ]);
    let always = || Arc::new(Window::Always);
    let windows = BTreeMap::from([("day".into(), always()), ("night".into(), always())]);
    Plan { region: "here".into(), groups, codes, endpoints, windows }
}

/// A transaction begins: its ids are drawn now, its rows are seen when it commits, if it does.
pub fn write(world: &mut World) {
    let pause_ms = world.dice.below(40) as i64;
    if world.is_calm {
        return;
    }
    world.at(pause_ms, Event::Write);
    let mut rows = Vec::new();
    for _ in 0..=world.dice.below(5) {
        world.table.last_id += 1;
        if let Some(row) = draw(world) {
            if let Some(key) = &row.key {
                world.busy_keys.insert(key.clone());
            }
            rows.push(row);
        }
    }
    if world.dice.below(12) == 0 {
        // It is rolled back; its ids are missing for ever.
        for row in &rows {
            row.key.as_ref().map(|key| world.busy_keys.remove(key));
        }
        return;
    }
    let late_ms = if world.dice.below(4) == 0 { world.dice.below(800) } else { 0 };
    world.at(late_ms as i64, Event::Commit(rows));
}

/// A request; `None` if another transaction is just writing for its key.
fn draw(world: &mut World) -> Option<Request> {
    let id = RequestId(world.table.last_id);
    let codes = ["new", "pay", "move", "send", "note", "ping", "later"];
    let code = codes[world.dice.below(codes.len() as u64) as usize];
    let key_no = world.dice.below(KEYS + 2);
    let key: Option<Arc<str>> = (key_no < KEYS).then(|| format!("K{key_no}").into());
    if key.as_ref().is_some_and(|key| world.busy_keys.contains(key)) {
        return None;
    }
    let slots = BUCKETS * u64::from(BUCKET_SLOTS);
    let slot = if key.is_some() { key_no * 97 % slots } else { world.dice.below(slots) };
    let now_ms = world.true_ms;
    let is_due_later = world.dice.below(10) == 0;
    let expires = world.dice.below(8) == 0;
    let due_ms = if is_due_later { now_ms + world.dice.below(3_000) as i64 } else { 0 };
    let expires_ms = expires.then(|| now_ms + world.dice.below(4_000) as i64);
    Some(Request {
        id,
        request_id: format!("r{}", id.0).into(),
        standing: Standing::Ready,
        code: code.into(),
        group: None,
        region: "here".into(),
        key,
        slot: Slot(slot as u16),
        priority: world.dice.below(10) as u8,
        window: (world.dice.below(6) == 0).then(|| "night".into()),
        due_ms,
        expires_ms,
        attempts: 0,
        created_ms: now_ms,
        content: None,
        unreadable: None,
    })
}

/// What a receiver makes of an attempt.
pub fn verdict(world: &mut World, attempt: &Attempt) -> Verdict {
    let done = Verdict::Done { status: Some(200) };
    if world.is_calm {
        return done;
    }
    // The bank has bad seconds, in which nothing works.
    let is_bad = &*attempt.endpoint == "bank" && (world.true_ms - BEGIN_MS) / 1_000 % 5 == 3;
    if is_bad {
        return failed("closed", Blame::Endpoint);
    }
    match world.dice.below(12) {
        0 => failed("broken", Blame::Endpoint),
        1 => failed("not now", Blame::Request),
        2 => Verdict::Rejected { status: Some(400), detail: "never".to_owned() },
        3 => Verdict::NotStarted,
        _ => done,
    }
}

/// Somebody else may have a lock on rows of which the outcome is to be written. Worlds that have
/// shown faults once stay as they were.
pub fn lock(world: &mut World, settlement: &Settlement) {
    let now_ms = world.true_ms;
    world.table.locks.retain(|_, until_ms| *until_ms > now_ms);
    let has_locks = world.seed % 4 == 2 || world.seed % 8 == 7;
    if world.is_calm || !has_locks {
        return;
    }
    for outcome in &settlement.outcomes {
        if world.dice.below(12) == 0 {
            let until_ms = now_ms + 1 + world.dice.below(1_500) as i64;
            world.table.locks.insert(outcome.id.0, until_ms);
        }
    }
}

/// An operator switches, holds, retries, skips or cancels something.
pub fn operate(world: &mut World) {
    if world.is_calm {
        return;
    }
    let pause_ms = 50 + world.dice.below(900) as i64;
    world.at(pause_ms, Event::Operate);
    world.version += 1;
    let mut plan = (*world.plan).clone();
    match world.dice.below(8) {
        0 | 1 => switch(world, &mut plan),
        2 => {
            let name = if world.dice.below(2) == 0 { "day" } else { "night" };
            plan.windows.insert(name.into(), Arc::new(window(world)));
        }
        3 => hold(world),
        4 if world.dice.below(3) == 0 => learn(&mut plan),
        _ => decide(world),
    }
    world.note(format!("operator: version {}", world.version));
    world.plan = Arc::new(plan);
}

/// A window that opens or shuts soon, or does not. Sessions begin with a minute, and every world
/// begins near the end of one; they may shut at any time.
fn window(world: &mut World) -> Window {
    let minute = (world.true_ms - MIDNIGHT_MS) / 60_000 + world.dice.below(2) as i64;
    let time = |minute: i64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let spec = WindowSpec {
        zone: "UTC".to_owned(),
        weekly: vec![format!("mon-sun {}-{}", time(minute), time(minute + 1))],
        margin_before_close_ms: world.dice.below(3) * world.dice.below(20_000),
        ..WindowSpec::default()
    };
    match world.dice.below(4) {
        0 => Window::Always,
        1 => Window::Never,
        _ => spec.check().unwrap(),
    }
}

fn switch(world: &mut World, plan: &mut Plan) {
    let names: Vec<Arc<str>> = plan.groups.keys().cloned().collect();
    let name = &names[world.dice.below(names.len() as u64) as usize];
    if let Some(group) = plan.groups.get_mut(name) {
        group.is_active = !group.is_active;
        world.note(format!("operator: {name} {}", group.is_active));
    }
}

fn hold(world: &mut World) {
    world.holds = match world.dice.below(4) {
        0 => vec![Hold::Code("new".into())],
        1 => vec![Hold::Endpoint("depot".into())],
        2 => vec![Hold::Key { slot: Slot(97), key: "K1".into() }],
        _ => Vec::new(),
    };
}

/// A code that was not known is, or the other way round; and a group's order changes.
pub fn learn(plan: &mut Plan) {
    let later = Code { group: "orders".into(), endpoint: "depot".into(), window: None };
    if plan.codes.remove("later").is_none() {
        plan.codes.insert("later".into(), later);
    }
}

/// Decides about a row: a blocked one is retried, skipped or cancelled, another one may be
/// cancelled.
fn decide(world: &mut World) {
    let open = world.table.rows.iter().filter(|(_, row)| row.state == 2 || row.state == 0);
    let open: Vec<i64> = open.map(|(id, _)| *id).collect();
    if open.is_empty() {
        return;
    }
    let id = open[world.dice.below(open.len() as u64) as usize];
    let (choice, version) = (world.dice.below(3), world.version);
    let Some(row) = world.table.rows.get_mut(&id) else { return };
    match (row.state, choice) {
        (2, 0 | 1) => {
            row.state = 0;
            row.request.attempts = 0;
            row.request.due_ms = 0;
        }
        (2, _) => row.state = 4,
        (_, 0) => row.state = 7,
        _ => return,
    }
    let state = row.state;
    row.last_outcome = None;
    world.note(format!("operator: {id} is {state}"));
    world.changed.push((version, RequestId(id)));
}

/// Everything is put right, so that all that is open can be delivered.
pub fn calm(world: &mut World) {
    world.is_calm = true;
    world.holds.clear();
    let mut plan = plan(world.seed);
    if !plan.codes.contains_key("later") {
        learn(&mut plan);
    }
    world.plan = Arc::new(plan);
    for node in world.nodes.values_mut() {
        node.cut_off_until_ms = 0;
    }
}

/// All that is blocked is tried again.
pub fn unblock(world: &mut World) {
    world.version += 1;
    let version = world.version;
    for (id, row) in world.table.rows.iter_mut().filter(|(_, row)| row.state == 2) {
        row.state = 0;
        row.request.attempts = 0;
        row.request.expires_ms = None;
        row.last_outcome = None;
        world.changed.push((version, RequestId(*id)));
    }
}

/// How long others may keep a request that they have taken, in milliseconds.
const PATIENCE_MS: i64 = 400;

/// Somebody else takes a request that is ready, or that another of them has kept for too long. They
/// finish it, give it back, or die.
pub fn take(world: &mut World) {
    let pause_ms = 20 + world.dice.below(120) as i64;
    if world.is_calm {
        return;
    }
    world.at(pause_ms, Event::Take);
    let now_ms = world.true_ms;
    let table = &world.table;
    let is_free = |id: &i64, state: u8, due_ms: i64| match table.foreign.get(id) {
        Some(until_ms) if state == 1 => *until_ms <= now_ms,
        _ => state == 0 && due_ms <= now_ms,
    };
    let free = table.rows.iter().find(|(id, row)| {
        &*row.request.code == "ping"
            && !table.locks.contains_key(id)
            && is_free(id, row.state, row.request.due_ms)
    });
    let Some((id, _)) = free else { return };
    let id = *id;
    world.check_take(id);
    let until_ms = now_ms + PATIENCE_MS;
    world.note(format!("somebody else takes {id} until {}", until_ms - BEGIN_MS));
    let Some(row) = world.table.rows.get_mut(&id) else { return };
    (row.state, row.last_outcome) = (1, None);
    world.table.foreign.insert(id, until_ms);
    let takes_ms = world.dice.below(600) as i64;
    match world.dice.below(3) {
        0 => {}
        1 => world.at(takes_ms, Event::Finish(id, until_ms, 0)),
        _ => world.at(takes_ms, Event::Finish(id, until_ms, 3)),
    }
}

/// Somebody else is done with a request, if it is theirs still.
pub fn finish(world: &mut World, id: i64, until_ms: i64, state: u8) {
    let Some(row) = world.table.rows.get_mut(&id) else { return };
    if row.state == 1 && world.table.foreign.get(&id) == Some(&until_ms) {
        row.state = state;
        world.table.foreign.remove(&id);
        world.note(format!("somebody else leaves {id} in {state}"));
    }
}
