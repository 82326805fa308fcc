//! One week of three platforms in simulated time: the participant, the collaboration and the
//! operation platform, each with its own hours and days off, its own database, and its own relay
//! of two nodes. They tell each other of every change; services, databases, nodes and operators
//! come and go by a script; the health rules of every node are watched all the time. In the end
//! every platform knows the same, and no alarm was told without cause, and none with one was not.
//!
//! `WEEK_SEED=n` plays one week, `WEEK_SEEDS=n` so many.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod alarms;
mod business;
mod happenings;
mod node;
mod platform;
mod script;
mod table;
mod world;

use world::World;

const DAY_MS: i64 = 86_400_000;

fn live(seed: u64) {
    let mut world = World::new(seed, script::read(include_str!("week.txt")));
    world.run(7 * DAY_MS);
    world.close();
    // Everybody is there once more before the middle of Tuesday.
    world.run(DAY_MS + DAY_MS / 2);
    world.check_end();
    assert!(world.wrong.is_empty(), "{}", world.verdict());
    println!("{}", world.summary());
    if std::env::var("WEEK_TALK").is_ok() {
        println!("{}", world.verdict());
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn three_platforms_agree_after_a_week_and_every_alarm_has_its_cause() {
    match number("WEEK_SEED") {
        Some(seed) => live(seed),
        None => (1..=number("WEEK_SEEDS").unwrap_or(1)).for_each(live),
    }
}
