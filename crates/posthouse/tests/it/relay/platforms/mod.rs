//! Three platforms in real time: the participant on PostgreSQL, the collaboration platform on
//! MariaDB, the operation platform on SQLite, each with its own hours, its own node and its own
//! services. They tell each other of every change, in both directions, while databases, nodes and
//! services are disturbed and operators interfere; in the end all of them know the same, and every
//! alarm had its cause. Two minutes; with `POSTHOUSE_TEST_LONG` ten.
//!
//! The week of the same three in simulated time is among the tests of `posthouse-pump`.

mod hours;
mod name;
mod platform;
mod records;
mod services;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use posthouse_relay::source::operate::Action;
use posthouse_sim::random::{Random, Stream};
use rustix::process::Signal;

use super::clock::{await_until, linger, now_us};
use crate::load::seed;
use hours::Hours;
use name::Name;
use platform::Platform;
use records::Ledger;

/// Orders that members change again and again.
const ORDERS: u64 = 300;

/// The wait between two changes.
const PAUSE: Duration = Duration::from_millis(25);

const SECOND_US: i64 = 1_000_000;

struct World {
    platforms: Vec<Platform>,
    begin_us: i64,
    /// How long an eighth of it all is, in microseconds.
    step_us: i64,
}

#[test]
fn three_platforms_on_three_databases_agree_and_every_alarm_has_its_cause() {
    let is_long = std::env::var_os("POSTHOUSE_TEST_LONG").is_some();
    let minutes = if is_long { 10 } else { 2 };
    let mut world = World::start(minutes);
    let members = Members::start(world.of(Name::Participant).ledger.clone());
    world.live();
    let written = members.stop();
    world.come_to_rest(minutes);
    world.check(written);
}

impl World {
    /// The operation platform is there every second minute, the collaboration platform from the
    /// second minute on, and both at the end.
    fn start(minutes: i64) -> World {
        let begin_minute = now_us() / (60 * SECOND_US);
        let sessions: Vec<(i64, i64)> =
            (0..=minutes).step_by(2).map(|minute| (minute, minute + 1)).collect();
        let rest = (minutes + 1, minutes + 30);
        let of = |name| match name {
            Name::Participant => Hours::new(begin_minute, &[]),
            Name::Collaboration => Hours::new(begin_minute, &[(1, minutes + 30)]),
            Name::Operation => {
                let sessions: Vec<_> = sessions.iter().copied().chain([rest]).collect();
                Hours::new(begin_minute, &joined(&sessions))
            }
        };
        let mut platforms: Vec<Platform> =
            Name::ALL.into_iter().map(|name| Platform::start(name, of(name))).collect();
        let known: Vec<_> = platforms
            .iter()
            .map(|it| (it.name, it.services.address, it.hours.weekly.clone()))
            .collect();
        for platform in &mut platforms {
            let others = known.iter().filter(|(name, ..)| *name != platform.name);
            platform.start_node(&others.cloned().collect::<Vec<_>>());
        }
        World { platforms, begin_us: now_us(), step_us: minutes * 60 * SECOND_US / 8 }
    }

    fn of(&mut self, name: Name) -> &mut Platform {
        let mut platforms = self.platforms.iter_mut();
        platforms.find(|platform| platform.name == name).expect("there are three")
    }

    /// What happens, each at its eighth of the time.
    fn live(&mut self) {
        self.await_step(1);
        self.restart(Name::Participant);
        self.await_step(2);
        self.of(Name::Collaboration).services.set_down(true);
        linger(Duration::from_secs(8));
        self.of(Name::Collaboration).services.set_down(false);
        self.await_step(3);
        self.crash(Name::Participant);
        self.restart(Name::Operation);
        self.await_step(4);
        self.pause(Name::Collaboration, Duration::from_secs(9));
        self.await_step(5);
        let group = Name::Operation.word().to_owned();
        let switch = |is_active| Action::Switch { group: group.clone(), is_active };
        self.of(Name::Participant).operate(&switch(Some(false)));
        self.freeze(Name::Collaboration, Duration::from_secs(5));
        self.await_step(6);
        self.of(Name::Participant).operate(&switch(None));
        self.of(Name::Operation).operate(&Action::Buckets(5));
        self.crash(Name::Collaboration);
        self.await_step(7);
        self.restart(Name::Collaboration);
        self.await_step(8);
    }

    fn await_step(&self, step: i64) {
        let left_us = self.begin_us + step * self.step_us - now_us();
        linger(Duration::from_micros(u64::try_from(left_us).unwrap_or(0)));
    }

    fn restart(&mut self, name: Name) {
        let node = self.of(name).node();
        node.kill();
        node.start_elsewhere();
    }

    fn freeze(&mut self, name: Name, duration: Duration) {
        self.of(name).node().signal(Signal::STOP);
        linger(duration);
        self.of(name).node().signal(Signal::CONT);
    }

    fn crash(&mut self, name: Name) {
        let database = self.of(name).database.as_mut().expect("it has a server");
        database.crash().expect("the database starts again");
    }

    fn pause(&mut self, name: Name, duration: Duration) {
        let database = self.of(name).database.as_mut().expect("it has a server");
        database.pause().expect("the database can be paused");
        linger(duration);
        database.resume().expect("the database goes on");
    }

    /// Until everybody has been there once more, and nothing is left to send.
    fn come_to_rest(&mut self, minutes: i64) {
        let patience = Duration::from_secs(180);
        let platforms = &self.platforms;
        await_until(&format!("all is sent after {minutes} minutes"), patience, || {
            platforms.iter().all(|platform| platform.open() == 0)
        });
    }

    fn check(&mut self, written: u64) {
        let wrong: Vec<String> =
            self.platforms.iter().flat_map(|platform| platform.services.wrong()).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let known = self.of(Name::Participant).ledger.records();
        for name in [Name::Collaboration, Name::Operation] {
            assert_eq!(self.of(name).ledger.records(), known, "{name:?} knows something else");
        }
        let owned = |owner| known.keys().filter(|(_, name)| *name == owner).count();
        assert!(Name::ALL.into_iter().all(|name| owned(name) > 10), "too little has happened");
        let alarms: Vec<_> = self.platforms.iter_mut().map(|it| (it.name, it.alarms())).collect();
        println!("{written} changes by members; {} parts of records; {alarms:?}", known.len());
        for (name, alarms) in &alarms {
            for (rule, subject) in alarms {
                let alarm = (*name, &**rule, &**subject);
                assert!(CAUSED.contains(&alarm), "an alarm without cause: {alarm:?}");
            }
        }
        for must in MUST {
            let told = alarms.iter().filter(|(name, _)| *name == must.0);
            let mut told = told.flat_map(|(_, alarms)| alarms);
            let is_told = told.any(|(rule, subject)| (&**rule, &**subject) == (must.1, must.2));
            assert!(is_told, "no alarm {must:?}");
        }
    }
}

/// Alarms that must be told: the bank's services and its database were gone.
const MUST: [(Name, &str, &str); 2] =
    [(Name::Participant, "endpoint-down", "collaboration"), (Name::Collaboration, "trouble", "")];

/// Alarms that have a cause in what is done here.
const CAUSED: [(Name, &str, &str); 7] = [
    MUST[0],
    MUST[1],
    (Name::Operation, "endpoint-down", "collaboration"),
    (Name::Participant, "trouble", ""),
    (Name::Collaboration, "endpoint-down", "participant"),
    (Name::Operation, "endpoint-down", "participant"),
    // A node that stood still for longer than its lease.
    (Name::Collaboration, "fenced", ""),
];

/// Sessions without those that touch each other.
fn joined(sessions: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for session in sessions {
        match joined.last_mut() {
            Some(last) if last.1 == session.0 => last.1 = session.1,
            _ => joined.push(*session),
        }
    }
    joined
}

/// The members of the participant platform, who change orders until they are stopped.
struct Members {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Members {
    fn start(ledger: Arc<Ledger>) -> Members {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let mut random = Random::new(seed(), Stream::Workload);
        let thread = thread::spawn(move || {
            let mut written = 0;
            while !over.load(Ordering::Relaxed) {
                let order = format!("order-{}", random.below(ORDERS));
                let value = i64::try_from(random.below(1_000_000)).unwrap_or(0);
                written += u64::from(ledger.change(&order, value));
                linger(PAUSE);
            }
            written
        });
        Members { is_over, thread }
    }

    /// How many changes they have made.
    fn stop(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("they have not panicked")
    }
}
