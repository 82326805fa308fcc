//! The explorer in small: many crashes, every error, many bits and some full disks pass, and every
//! bug that is planted in the journal on purpose is found.

use posthouse_store::journal::planted::PlantedBug;

use crate::crash::failure::Failure;
use crate::crash::setup::Setup;
use crate::crash::tally::Tally;
use crate::crash::{errors, explore, flips, full};

/// Disks after a crash on which the node must start and have everything.
const IMAGES: u64 = 15_000;

/// Lives in which every call fails in turn.
const LIVES_WITH_ERRORS: u64 = 5;

/// Bits that turn over.
const FLIPS: u64 = 3_000;

/// Lives on a disk that becomes full.
const LIVES_ON_FULL_DISKS: u64 = 100;

/// Crashes within which a planted bug must be found, or other mishaps that go with as many.
const IMAGES_PER_BUG: u64 = 6_000;

type Tried = Result<Tally, Box<Failure>>;

/// Tries one seed after the other until there is enough.
fn try_until(is_enough: impl Fn(&Tally) -> bool, one: impl Fn(u64, &Tally) -> Tried) {
    let mut tally = Tally::default();
    for seed in 1.. {
        if is_enough(&tally) {
            break;
        }
        match one(seed, &tally) {
            Ok(more) => tally += more,
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{tally}");
}

#[test]
fn crashes_pass() {
    let explore = |seed, so_far: &Tally| explore::explore(Setup::new(seed), IMAGES - so_far.images);
    try_until(|tally| tally.images >= IMAGES, explore);
}

#[test]
fn errors_of_the_disk_pass() {
    let (seeds, every) = (1..=LIVES_WITH_ERRORS, |seed| errors::every(&Setup::new(seed)));
    for met in seeds.map(every) {
        let met = met.unwrap_or_else(|failure| panic!("{failure}"));
        println!("{met}");
    }
}

#[test]
fn bits_that_turn_over_pass() {
    let explore = |seed, so_far: &Tally| flips::explore(Setup::new(seed), FLIPS - so_far.flips);
    try_until(|tally| tally.flips >= FLIPS, explore);
}

#[test]
fn full_disks_pass() {
    try_until(|tally| tally.full >= LIVES_ON_FULL_DISKS, |seed, _| full::explore(Setup::new(seed)));
}

#[test]
fn a_life_is_the_same_every_time_and_eventful() {
    let live = || Setup::new(3).live(explore::STEPS).expect("it passes");
    let (one, other) = (live(), live());
    assert_eq!(one.events(), other.events());
    let disk = &one.disks.journal;
    assert_eq!(disk.operations(), other.disks.journal.operations());
    for place in 0..disk.operations() {
        assert_eq!(disk.describe(place), other.disks.journal.describe(place));
    }
    let notes = one.notes();
    assert!(notes.checkpoints > 2, "{} checkpoints", notes.checkpoints);
    assert!(notes.loaded > 0, "{} messages loaded", notes.loaded);
    assert!(notes.relocated > 0, "{} messages moved", notes.relocated);
}

#[test]
fn some_lives_are_idle_for_long_enough_to_fill_spares() {
    let fills = |seed: u64| {
        let life = Setup::new(seed).live(explore::STEPS).expect("it passes");
        let disk = &life.disks.journal;
        let is_filling = |deed: String| deed.starts_with("write") && deed.contains(".spare");
        (0..disk.operations()).any(|place| is_filling(disk.describe(place)))
    };
    assert!((1..=30).any(fills), "no spare was filled with zeros");
}

/// What finds the bug, and after how many images.
fn hunt(bug: PlantedBug) -> Option<(u64, Box<Failure>)> {
    let images = std::cell::Cell::new(0);
    let search = |seed: u64| -> Tried {
        let setup = Setup::new(seed).with(Some(bug));
        let script = explore::Script::live(setup.clone())?;
        for image in 0..explore::IMAGES_PER_SCRIPT {
            images.set(images.get() + 1);
            script.crash(image)?;
        }
        if seed == 1 {
            errors::every(&setup)?;
        }
        flips::explore(setup, 100)
    };
    for seed in 1.. {
        if let Err(failure) = search(seed) {
            return Some((images.get(), failure));
        }
        if images.get() >= IMAGES_PER_BUG {
            break;
        }
    }
    None
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for bug in PlantedBug::ALL {
        match hunt(bug) {
            Some((images, failure)) => println!("{bug:?} within {images} images: {failure}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
