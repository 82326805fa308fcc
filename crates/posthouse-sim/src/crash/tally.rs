//! How much was tried.

use std::fmt;
use std::ops::AddAssign;

/// Counts of what was tried, and found to be well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lives that were traced.
    pub scripts: u64,
    /// Operations of their disks: each is a place to crash at.
    pub places: u64,
    /// Disks after a crash that a node was started on.
    pub images: u64,
    /// Of these, after a second crash.
    pub double: u64,
    /// Lives whose history was judged by the checker.
    pub judged: u64,
    /// Errors that were ordered and met.
    pub errors: u64,
    /// Bits that were turned over.
    pub flips: u64,
    /// Of these, noticed.
    pub noticed: u64,
    /// Lives on a disk that became full.
    pub full: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.scripts += other.scripts;
        self.places += other.places;
        self.images += other.images;
        self.double += other.double;
        self.judged += other.judged;
        self.errors += other.errors;
        self.flips += other.flips;
        self.noticed += other.noticed;
        self.full += other.full;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { scripts, places, images, double, judged, errors, flips, noticed, full } = self;
        write!(
            f,
            "{images} images of {places} crash points in {scripts} lives, {double} of them double \
             crashes, {judged} histories judged, {errors} errors injected, {flips} bits flipped \
             ({noticed} noticed), {full} full disks"
        )
    }
}
