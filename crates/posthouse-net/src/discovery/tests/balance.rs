//! Who is next.

use std::collections::BTreeMap;

use crate::discovery::balance::{Balance, Candidate};

/// Chooses `times` times among `a1` (weight 1), `b2` and so on, each with the attempts under way
/// that stand behind a colon. Whoever is chosen has one more.
fn choose(balance: Balance, instances: &str, times: usize) -> String {
    let mut known: Vec<(String, u32, u32, i64)> = instances
        .split(' ')
        .map(|one| {
            let (name, busy) = one.split_once(':').unwrap_or((one, "0"));
            let (id, weight) = name.split_at(1);
            (id.to_owned(), weight.parse().unwrap(), busy.parse().unwrap(), 0)
        })
        .collect();
    let mut chosen = String::new();
    for _ in 0..times {
        let candidates = known.iter_mut().map(|(id, weight, busy, credit)| Candidate {
            id,
            weight: *weight,
            busy: *busy,
            credit,
        });
        let at = balance.choose(&mut candidates.collect::<Vec<_>>(), None).unwrap();
        known[at].2 += 1;
        chosen += &known[at].0;
    }
    chosen
}

#[test]
fn in_turn_each_gets_what_its_weight_says_and_not_all_at_once() {
    for (instances, expected) in [
        ("a1", "aaaa"),
        ("a1 b1", "abab"),
        ("a1 b1 c1", "abcabc"),
        ("a2 b1", "abaaba"),
        ("a5 b1 c1", "aabacaa"),
    ] {
        assert_eq!(choose(Balance::RoundRobin, instances, expected.len()), expected, "{instances}");
    }
}

#[test]
fn the_least_busy_is_next_for_its_weight() {
    for (instances, expected) in [
        ("a1:3 b1:1", "bbab"),
        ("a1 b1", "abba"),
        ("a2 b1", "aba"),
        ("a1:5 b1:5 c1:4", "cabc"),
        ("a10:9 b1:1", "a"),
    ] {
        assert_eq!(choose(Balance::LeastBusy, instances, expected.len()), expected, "{instances}");
    }
}

/// Where each of many keys goes.
fn spread(instances: &[(&str, u32)]) -> BTreeMap<String, usize> {
    let keys = (0..10_000).map(|number| format!("customer-{number}"));
    keys.map(|key| {
        let mut credits = vec![0; instances.len()];
        let candidates = instances
            .iter()
            .zip(&mut credits)
            .map(|((id, weight), credit)| Candidate { id, weight: *weight, busy: 0, credit });
        let at = Balance::ByKey.choose(&mut candidates.collect::<Vec<_>>(), Some(&key)).unwrap();
        (key, at)
    })
    .collect()
}

fn shares(instances: &[(&str, u32)]) -> Vec<usize> {
    let mut shares = vec![0; instances.len()];
    spread(instances).values().for_each(|at| shares[*at] += 1);
    shares
}

#[test]
fn keys_are_spread_by_weight() {
    for share in shares(&[("10.0.0.1:80", 1), ("10.0.0.2:80", 1), ("10.0.0.3:80", 1)]) {
        assert!((3_100..3_600).contains(&share), "{share}");
    }
    let shares = shares(&[("10.0.0.1:80", 3), ("10.0.0.2:80", 1)]);
    assert!((7_300..7_700).contains(&shares[0]), "{shares:?}");
}

#[test]
fn only_the_keys_of_the_one_that_goes_move() {
    let three = spread(&[("10.0.0.1:80", 1), ("10.0.0.2:80", 1), ("10.0.0.3:80", 1)]);
    let two = spread(&[("10.0.0.1:80", 1), ("10.0.0.2:80", 1)]);
    for (key, at) in &three {
        assert!(*at == 2 || two[key] == *at, "{key} has moved");
    }
}

/// Nodes of different versions must agree, and so must those of before and after an update.
#[test]
fn keys_stay_where_they_are_with_every_version() {
    let instances = [("10.0.0.1:80", 1), ("10.0.0.2:80", 1), ("10.0.0.3:80", 1)];
    let spread = spread(&instances);
    let first: Vec<usize> = (0..12).map(|number| spread[&format!("customer-{number}")]).collect();
    assert_eq!(first, [2, 2, 2, 0, 2, 0, 2, 0, 0, 0, 2, 1]);
}
