//! One traced life, and the crashes that it gives.

use posthouse_core::ids::BatchNo;
use posthouse_store::files::sim::Fate;

use crate::crash::disks::Disks;
use crate::crash::examine::{start_again, start_from};
use crate::crash::failure::{Failure, guarded};
use crate::crash::life::Life;
use crate::crash::oracle::{Digest, Oracle};
use crate::crash::setup::Setup;
use crate::crash::tally::Tally;
use crate::invariants::Breach;
use crate::random::{Random, Stream};

/// What happens in one traced life.
pub const STEPS: u64 = 1_000;

/// Things that happen between a recovery and the next crash, at most.
const STEPS_BETWEEN: u64 = 30;

/// Places from one crash to the next, so that few crashes already are all over the trace.
const STRIDE: u64 = 7_919;

/// Crashes of one life; then the next one begins.
pub const IMAGES_PER_SCRIPT: u64 = 500;

/// One life of a node, with the state that belongs to each of its batches.
pub struct Script {
    setup: Setup,
    life: Life,
    digests: Vec<Digest>,
}

/// A crash of some life.
#[derive(Clone, Copy, Debug)]
struct Crash {
    place: usize,
    fate: Fate,
    draw: u64,
}

impl Crash {
    fn at(place: usize, random: &mut Random) -> Crash {
        let index = random.weighted(&[15, 10, 30, 10, 10, 10, 15]);
        let fate = Fate::ALL.get(index).copied().unwrap_or(Fate::Some);
        Crash { place, fate, draw: random.bits() }
    }

    fn disks(self, disks: &Disks) -> Disks {
        disks.crashed(self.place, self.fate, self.draw)
    }

    fn describe(self, disks: &Disks) -> String {
        format!("{self:?}, that is {}", disks.journal.describe(self.place))
    }
}

impl Script {
    /// Lives the life of a seed.
    ///
    /// # Errors
    /// What went wrong without any crash.
    pub fn live(setup: Setup) -> Result<Script, Box<Failure>> {
        let lived = guarded(&setup, "--image 0", || "no crash".into(), || setup.live(STEPS));
        let life = lived?;
        let mut oracle = Oracle::new(&setup.policies());
        let mut digests = vec![oracle.digest()];
        for (_, batch) in &life.notes().submitted {
            oracle.hear(batch);
            digests.push(oracle.digest());
        }
        Ok(Script { setup, life, digests })
    }

    /// How many places there are to crash at: after each operation of the disk, and before all.
    pub fn places(&self) -> u64 {
        self.life.disks.journal.operations() as u64 + 1
    }

    /// Crashes in the way of the image's number and starts again.
    ///
    /// # Errors
    /// What is wrong then.
    pub fn crash(&self, image: u64) -> Result<Tally, Box<Failure>> {
        let mut random = Random::new(self.setup.seed ^ image << 32, Stream::Crash);
        let place = image.wrapping_mul(STRIDE) % self.places();
        let crash = Crash::at(usize::try_from(place).unwrap_or(0), &mut random);
        let cause = || crash.describe(&self.life.disks);
        let options = format!("--image {image}");
        guarded(&self.setup, &options, cause, || self.examine(image, crash, &mut random))
    }

    /// Half of the images are only started on; the others live on in several ways.
    fn examine(&self, image: u64, crash: Crash, random: &mut Random) -> Result<Tally, Breach> {
        let disks = crash.disks(&self.life.disks);
        let past = self.life.past_at(crash.place);
        let mut life = start_again(&self.setup, &disks, past, &|batch| self.state_of(batch))?;
        let mut tally = Tally { images: 1, ..Tally::default() };
        match image % 8 {
            0..4 => return Ok(tally),
            4 => {}
            5 => life.live_on(random.below(STEPS_BETWEEN))?,
            _ => {
                life.live_on(random.below(STEPS_BETWEEN))?;
                life = self.crash_again(&life, random)?;
                tally.images += 1;
                tally.double += 1;
            }
        }
        tally.judged += 1;
        life.drain().map(|()| tally)
    }

    fn state_of(&self, batch: BatchNo) -> Digest {
        let digest = usize::try_from(batch.0).ok().and_then(|index| self.digests.get(index));
        digest.cloned().unwrap_or_default()
    }

    /// Crashes a node that was started after a crash, half of the time before it had started, and
    /// starts it once more.
    fn crash_again(&self, life: &Life, random: &mut Random) -> Result<Life, Breach> {
        let end = match random.chance(50) {
            true => life.started(),
            false => life.disks.journal.operations(),
        };
        let place = usize::try_from(random.below(end as u64 + 1)).unwrap_or(0);
        let crash = Crash::at(place, random);
        let again = start_from(&self.setup, &crash.disks(&life.disks), life.past_at(place));
        again.map_err(|Breach { invariant, detail }| {
            let detail = format!("{detail}\n    after a second {}", crash.describe(&life.disks));
            Breach { invariant, detail }
        })
    }
}

/// Explores so many images of a seed's life, or all that it has.
///
/// # Errors
/// The first image on which something is wrong.
pub fn explore(setup: Setup, images: u64) -> Result<Tally, Box<Failure>> {
    let script = Script::live(setup)?;
    let mut tally = Tally { scripts: 1, places: script.places(), ..Tally::default() };
    for image in 0..IMAGES_PER_SCRIPT {
        if tally.images >= images {
            break;
        }
        tally += script.crash(image)?;
    }
    Ok(tally)
}
