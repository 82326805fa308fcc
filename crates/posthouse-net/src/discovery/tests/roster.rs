//! What calls teach of instances, and who is called then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::discovery::balance::Balance;
use crate::discovery::entry;
use crate::discovery::instance::Instance;
use crate::discovery::ledger::Report;
use crate::discovery::roster::Roster;

/// A service, and what operators have drained of it.
struct Scene {
    roster: Roster,
    drained: BTreeSet<Arc<str>>,
    under_way: Vec<(String, Arc<AtomicU32>)>,
}

impl Scene {
    fn new(instances: &[&str]) -> Scene {
        let roster = Roster::new(0, 10_000);
        let mut scene = Scene { roster, drained: BTreeSet::new(), under_way: Vec::new() };
        scene.hear(0, instances);
        scene
    }

    fn hear(&mut self, now_ms: u64, instances: &[&str]) {
        let list = instances.iter().map(|text| entry::from_bytes(text.as_bytes()).unwrap());
        self.roster.take(now_ms, Report::List(list.collect::<Vec<Instance>>()));
    }

    /// Chooses in turn, and forgets at once.
    fn next(&mut self, now_ms: u64) -> String {
        match self.roster.choose(now_ms, Balance::RoundRobin, None, &self.drained) {
            Ok((instance, busy)) => {
                busy.fetch_sub(1, Ordering::Relaxed);
                instance.host.to_string()
            }
            Err(problem) => problem.to_string(),
        }
    }

    /// Chooses the least busy, which is busier from then on.
    fn start(&mut self) -> String {
        let chosen = self.roster.choose(0, Balance::LeastBusy, None, &self.drained);
        let (instance, busy) = chosen.unwrap();
        self.under_way.push((instance.host.to_string(), busy));
        instance.host.to_string()
    }

    fn end(&mut self, host: &str) {
        let at = self.under_way.iter().position(|(one, _)| one == host).unwrap();
        self.under_way.remove(at).1.fetch_sub(1, Ordering::Relaxed);
    }

    fn states(&self, now_ms: u64) -> String {
        let view = self.roster.view(now_ms, &self.drained);
        let words = view.iter().map(|one| format!("{}={}", one.instance.host, one.state.as_str()));
        words.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn one_that_refuses_is_set_aside_each_time_for_longer() {
    let mut scene = Scene::new(&["a:1", "b:1"]);
    for (now_ms, free_ms) in [(0, 1_000), (1_000, 3_000), (3_000, 7_000), (7_000, 15_000)] {
        scene.roster.refused(now_ms, "a:1");
        // What was under way to it all the while says the same, and changes nothing.
        scene.roster.refused(now_ms + 1, "a:1");
        assert_eq!(scene.states(free_ms - 1), "a=aside b=up");
        assert_eq!(scene.states(free_ms), "a=up b=up");
        assert_eq!([scene.next(free_ms - 1), scene.next(free_ms - 1)], ["b", "b"]);
    }
    scene.roster.accepted("a:1");
    scene.roster.refused(20_000, "a:1");
    assert_eq!(scene.states(21_000), "a=up b=up");
}

#[test]
fn it_is_never_set_aside_for_more_than_a_minute() {
    let mut scene = Scene::new(&["a:1", "b:1"]);
    for hour in 0..100 {
        let now_ms = hour * 3_600_000;
        scene.roster.refused(now_ms, "a:1");
        assert_eq!(scene.states(now_ms + 60_000), "a=up b=up");
    }
}

#[test]
fn those_that_are_set_aside_are_called_when_there_is_nobody_else() {
    let mut scene = Scene::new(&["a:1", "b:1"]);
    scene.roster.refused(0, "a:1");
    scene.roster.refused(0, "b:1");
    assert_eq!([scene.next(1), scene.next(1)], ["a", "b"]);
}

#[test]
fn one_that_is_drained_is_never_called() {
    let mut scene = Scene::new(&["a:1", "b:1"]);
    scene.drained.insert("a:1".into());
    assert_eq!([scene.next(0), scene.next(0)], ["b", "b"]);
    scene.roster.refused(0, "b:1");
    assert_eq!(scene.next(1), "b");
    scene.hear(0, &["a:1"]);
    assert_eq!(scene.next(0), "those that are healthy are drained by hand");
    assert_eq!(scene.states(0), "a=drained");
    scene.hear(1, &["b:1"]);
    scene.hear(2, &["a:1"]);
    assert_eq!(scene.states(2), "a=drained");
}

#[test]
fn a_lower_rank_comes_first_as_long_as_somebody_of_it_can_be_called() {
    let second = r#"{"host":"b","port":1,"rank":2}"#;
    let mut scene = Scene::new(&["a:1", second]);
    assert_eq!([scene.next(0), scene.next(0)], ["a", "a"]);
    scene.roster.refused(0, "a:1");
    assert_eq!(scene.next(1), "b");
    scene.roster.refused(1, "b:1");
    assert_eq!(scene.next(2), "a");
}

#[test]
fn attempts_count_until_they_end() {
    let mut scene = Scene::new(&["a:1", "b:1"]);
    assert_eq!([scene.start(), scene.start(), scene.start()], ["a", "b", "b"]);
    scene.end("b");
    scene.end("b");
    assert_eq!([scene.start(), scene.start()], ["b", "a"]);
}

#[test]
fn the_unwell_are_shown_and_not_called() {
    let mut scene = Scene::new(&["a:1", r#"{"host":"b","port":1,"enabled":false}"#]);
    assert_eq!(scene.states(0), "a=up b=disabled");
    assert_eq!([scene.next(0), scene.next(0)], ["a", "a"]);
    scene.hear(0, &[r#"{"host":"b","port":1,"enabled":false}"#]);
    assert_eq!(scene.next(0), "no instance of it is healthy");
}
