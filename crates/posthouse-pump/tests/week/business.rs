//! What the programs of the platforms do: they write orders, trade them and settle them, and take
//! what the others tell them.

use std::sync::Arc;

use posthouse_pump::attempt::{Attempt, Blame, Verdict};
use posthouse_pump::request::{Request, RequestId, SLOTS, Slot, Standing};

use crate::platform::{Change, Name, Part};
use crate::world::{Event, World};

/// A quote is worth something for so long, in milliseconds.
const QUOTE_MS: i64 = 60_000;

/// Orders that a burst adds each second.
const BURST_ORDERS: u64 = 330;

/// The participant's members do something now and then: often by day, seldom at night.
pub fn write(world: &mut World, name: Name) {
    let hour = (world.true_ms / 3_600_000 + 8) % 24;
    let usual_ms: u64 = if (8..22).contains(&hour) { 40_000 } else { 200_000 };
    let pause_ms = (usual_ms / 2 + world.dice.below(usual_ms)) as i64;
    if world.is_over {
        return;
    }
    world.at(pause_ms, Event::Write(name));
    if world.platforms[&name].is_database_down {
        return;
    }
    for _ in 0..=world.dice.below(3) {
        let key = some_order(world, name);
        change(world, name, &key);
    }
    if world.dice.below(4) == 0 {
        let quote = quote(world, name);
        commit(world, name, vec![(quote, None)]);
    }
    if std::mem::take(&mut world.platforms.get_mut(&name).unwrap().writes_unknown) {
        let report = request(world, name, "REPORT", None);
        commit(world, name, vec![(report, None)]);
    }
}

/// An order that is there already, or the next one.
fn some_order(world: &mut World, name: Name) -> Arc<str> {
    let orders = world.orders;
    if orders > 0 && world.dice.below(3) == 0 {
        let recent = orders - world.dice.below(orders.min(40));
        return format!("order-{recent}").into();
    }
    world.orders += 1;
    let key = format!("order-{}", world.orders).into();
    debug_assert_eq!(name, Name::Participant);
    key
}

/// A second of the burst.
pub fn burst(world: &mut World, name: Name, until_ms: i64) {
    if world.true_ms >= until_ms {
        return;
    }
    world.at(1_000, Event::Burst(name, until_ms));
    for _ in 0..BURST_ORDERS {
        world.bursts += 1;
        let key: Arc<str> = format!("burst-{}", world.bursts).into();
        change(world, name, &key);
    }
}

/// Changes the part of an order that a platform owns, and writes to the others of it, in one
/// transaction. Whoever changes an order has its row locked until then.
pub fn change(world: &mut World, name: Name, key: &Arc<str>) {
    if !world.busy.insert((name, key.clone())) {
        return;
    }
    let known = world.platforms[&name].records.get(key).and_then(|record| record.get(&name));
    let part = Part {
        version: known.map_or(0, |part| part.version) + 1,
        value: world.dice.below(1_000_000),
    };
    let mut rows = Vec::new();
    for other in name.others() {
        let row = request(world, name, name.code_to(other), Some(key.clone()));
        rows.push((row, Some(Change { key: key.clone(), part })));
    }
    if world.dice.below(20) == 0 {
        // It is rolled back; its ids are missing for ever.
        world.busy.remove(&(name, key.clone()));
        return;
    }
    commit(world, name, rows);
}

fn commit(world: &mut World, name: Name, rows: Vec<(Request, Option<Change>)>) {
    let late_ms = if world.dice.below(6) == 0 { world.dice.below(2_000) as i64 } else { 0 };
    world.at(late_ms, Event::Commit(name, rows));
}

/// A transaction is there for all to see.
pub fn committed(world: &mut World, name: Name, rows: Vec<(Request, Option<Change>)>) {
    let is_down = world.platforms[&name].is_database_down;
    for (request, change) in rows {
        let platform = world.platforms.get_mut(&name).unwrap();
        if let Some(change) = &change {
            world.busy.remove(&(name, change.key.clone()));
        }
        if is_down {
            // The transaction ends with its database.
            continue;
        }
        if let Some(change) = change {
            let record = platform.records.entry(change.key.clone()).or_default();
            record.insert(name, change.part);
            platform.says.insert(request.id.0, change);
        }
        platform.table.insert(request);
    }
    world.wake(name);
}

fn request(world: &mut World, name: Name, code: &str, key: Option<Arc<str>>) -> Request {
    let id = world.platforms.get_mut(&name).unwrap().table.draw_id();
    let spread = match &key {
        Some(key) => key.bytes().fold(7_u64, |hash, byte| hash * 31 % 65_521 + u64::from(byte)),
        None => world.dice.roll(),
    };
    Request {
        id,
        request_id: format!("{}-{}", name.word(), id.0).into(),
        standing: Standing::Ready,
        code: code.into(),
        group: None,
        region: "here".into(),
        key,
        slot: Slot(u16::try_from(spread % u64::from(SLOTS)).unwrap()),
        priority: 4,
        window: None,
        due_ms: 0,
        expires_ms: None,
        attempts: 0,
        created_ms: world.true_ms,
        content: None,
        unreadable: None,
    }
}

fn quote(world: &mut World, name: Name) -> Request {
    let expires_ms = Some(world.true_ms + QUOTE_MS);
    Request { expires_ms, ..request(world, name, "QUOTE", None) }
}

/// What a platform's services make of a request that another has sent.
pub fn receive(world: &mut World, from: Name, attempt: &Attempt) -> Verdict {
    let request = &attempt.request;
    let to = Name::named(&attempt.endpoint);
    let failed = |detail: &str| Verdict::Failed {
        status: None,
        detail: detail.to_owned(),
        retry_after_ms: None,
        blame: Blame::Endpoint,
    };
    let receiver = &world.platforms[&to];
    let (is_down, is_empty) = (receiver.are_services_down, receiver.is_database_down);
    let is_open = receiver.window.is_open(world.true_ms);
    let is_in_time = request.expires_ms.is_none_or(|at_ms| world.true_ms < at_ms);
    world.demand(is_open, "is sent outside its window", from, attempt);
    world.demand(is_in_time, "is sent after its expiry", from, attempt);
    if is_down {
        return failed("connection refused");
    }
    if is_empty {
        return failed("503 no database");
    }
    let Some(change) = world.platforms[&from].says.get(&request.id.0).cloned() else {
        return Verdict::Done { status: Some(200) };
    };
    if is_turned_down(world, to, request, &change) {
        return Verdict::Rejected { status: Some(422), detail: "it has no such field".to_owned() };
    }
    if world.dice.below(200) == 0 {
        return failed("connection reset");
    }
    take(world, from, to, attempt, change);
    // Sometimes the answer is lost, and the same comes again.
    if world.dice.below(100) == 0 {
        return failed("no answer");
    }
    Verdict::Done { status: Some(200) }
}

/// The first request of the code that comes is the one that is turned down.
fn is_turned_down(world: &mut World, to: Name, request: &Request, change: &Change) -> bool {
    if world.platforms[&to].turns_down.as_ref() != Some(&request.code) {
        return false;
    }
    let first = world.turned_down.get_or_insert((request.id, change.clone(), to));
    first.0 == request.id
}

/// Takes a change over. It must be the next one, or the last one again.
fn take(world: &mut World, from: Name, to: Name, attempt: &Attempt, change: Change) {
    let known = world.platforms[&to].records.get(&change.key).and_then(|it| it.get(&from));
    let known = known.map_or(0, |part| part.version);
    let is_given_up = |version: &u64| {
        let what = (to, change.key.clone(), *version);
        world.platforms[&from].given_up.contains(&what)
    };
    let mut between = known + 1..change.part.version;
    let is_next = change.part.version > known && between.all(|version| is_given_up(&version));
    let is_again = change.part.version == known;
    let what = format!("comes after {known} and is {}", change.part.version);
    world.demand(is_next || is_again, &what, from, attempt);
    if is_again {
        return;
    }
    let record = world.platforms.get_mut(&to).unwrap().records.entry(change.key.clone());
    record.or_default().insert(from, change.part);
    react(world, to, from, change.key);
}

/// The exchange trades orders, and the bank settles trades.
fn react(world: &mut World, to: Name, from: Name, key: Arc<str>) {
    let is_rare = key.starts_with("burst");
    let one_in = if is_rare { 20 } else { 2 };
    let acts = matches!(
        (to, from),
        (Name::Operation, Name::Participant) | (Name::Collaboration, Name::Operation)
    );
    if acts && world.dice.below(one_in) == 0 {
        let after_ms = 500 + world.dice.below(20_000) as i64;
        world.at(after_ms, Event::React(to, key));
    }
}

/// What an operator does about the request that was turned down, once its receiver is mended.
pub fn decide(world: &mut World, from: Name, is_for_good: bool) {
    let Some((id, change, to)) = world.turned_down.take() else {
        return world.blame("nothing came that could be turned down");
    };
    let platform = world.platforms.get_mut(&from).unwrap();
    platform.table.set_state(id.0, if is_for_good { 4 } else { 0 });
    if is_for_good {
        platform.given_up.insert((to, change.key.clone(), change.part.version));
    }
    platform.version += 1;
    platform.changed.push((platform.version, id));
    if is_for_good {
        self::change(world, from, &change.key);
    }
}

/// The request that was turned down, as the world remembers it.
pub type TurnedDown = (RequestId, Change, Name);
