//! What becomes of a list when the discovery says something else, or nothing.

use crate::discovery::entry;
use crate::discovery::instance::{Health, Instance};
use crate::discovery::ledger::{Ledger, Report};

const KEEP_MS: u64 = 10_000;

/// Follows a script: each line is an instant in seconds, what happens then, and what is to be told
/// afterwards: the state, for how long nothing was believed, the list, and `!` if it is news.
///
/// What happens: `-` nothing, `x` a failure, `[...]` a list, `a` being healthy and `A` not.
fn check(script: &str) {
    let mut ledger = Ledger::new(0, KEEP_MS);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (happens, expected) = line.split_once("=>").unwrap();
        let (at, event) = happens.trim().split_once(' ').unwrap();
        let now_ms = at.parse::<u64>().unwrap() * 1_000;
        let is_news = match event.trim() {
            "-" => ledger.expire(now_ms),
            "x" => ledger.take(now_ms, Report::Failure("broken".into())),
            list => ledger.take(now_ms, Report::List(list.chars().filter_map(instance).collect())),
        };
        let list = ledger.instances().iter().map(|one| &*one.host).collect::<String>();
        let age = ledger.age_ms(now_ms).map_or("never".into(), |ms| (ms / 1_000).to_string());
        let state = ledger.standing().state.as_str();
        let news = if is_news { " !" } else { "" };
        assert_eq!(format!("{state} {age} [{list}]{news}"), expected.trim(), "{line}");
    }
}

fn instance(letter: char) -> Option<Instance> {
    let instance = entry::from_bytes(format!("{letter}:1").as_bytes()).ok()?;
    let health = if letter.is_ascii_uppercase() { Health::Down } else { Health::Up };
    letter.is_ascii_alphabetic().then_some(Instance { health, ..instance })
}

#[test]
fn a_list_replaces_the_one_before() {
    check(
        "
        0 -    => waiting never []
        1 [ab] => fresh 0 [ab] !
        5 -    => fresh 4 [ab]
        6 [b]  => fresh 0 [b]
        ",
    );
}

#[test]
fn the_last_good_list_is_kept_for_its_time_and_then_dropped() {
    check(
        "
        1 [ab] => fresh 0 [ab] !
        5 x    => kept 4 [ab] !
        9 x    => kept 8 [ab]
        14 -   => kept 13 [ab]
        15 -   => lost 14 [] !
        16 x   => lost 15 []
        20 [c] => fresh 0 [c] !
        ",
    );
}

#[test]
fn nobody_is_doubted_like_no_answer() {
    check(
        "
        1 [a] => fresh 0 [a] !
        2 []  => kept 1 [a] !
        9 x   => kept 8 [a]
        12 [] => lost 11 [] !
        ",
    );
}

#[test]
fn trouble_that_ends_begins_anew() {
    check(
        "
        1 [a] => fresh 0 [a] !
        2 x   => kept 1 [a] !
        9 [a] => fresh 0 [a] !
        11 x  => kept 2 [a] !
        20 -  => kept 11 [a]
        21 -  => lost 12 [] !
        ",
    );
}

#[test]
fn who_is_listed_as_unwell_is_believed_to_be() {
    check(
        "
        1 [aB] => fresh 0 [ab] !
        2 [AB] => unhealthy 0 [ab] !
        3 []   => kept 1 [ab] !
        4 [A]  => unhealthy 0 [a] !
        5 [a]  => fresh 0 [a] !
        ",
    );
}

#[test]
fn a_discovery_that_never_answered_has_nothing_to_keep() {
    check(
        "
        1 x   => lost never [] !
        2 []  => lost never []
        3 [a] => fresh 0 [a] !
        ",
    );
}
