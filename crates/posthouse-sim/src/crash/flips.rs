//! Bits that turn over on the medium, anywhere in any file: the node refuses to start, or it says
//! what it cannot read, or it makes no difference. Nothing is ever handed out altered.

use posthouse_store::files::Files;
use posthouse_store::files::sim::{BLOCK_BYTES, Fate};

use crate::crash::disks::Disks;
use crate::crash::examine;
use crate::crash::failure::{Failure, guarded};
use crate::crash::life::Life;
use crate::crash::oracle::Oracle;
use crate::crash::past::Past;
use crate::crash::setup::Setup;
use crate::crash::tally::Tally;
use crate::invariants::Breach;
use crate::random::{Random, Stream};

/// What happens before the bits turn over.
const STEPS: u64 = 250;

/// Bits that turn over, one at a time, in what one life leaves.
const FLIPS_PER_SCRIPT: u64 = 500;

/// Bytes at the beginning of a block in which a bit means most.
const HEAD_BYTES: u64 = 64;

/// A disk at rest, on which every batch has a witness.
pub struct Still {
    setup: Setup,
    disks: Disks,
    past: Past,
}

/// One bit.
#[derive(Clone, Debug)]
struct Bit {
    file: String,
    byte: u64,
    bit: u8,
}

impl Still {
    /// Lives the life of a seed and lets it come to rest.
    ///
    /// # Errors
    /// What went wrong before any bit turned over.
    pub fn live(setup: Setup) -> Result<Still, Box<Failure>> {
        let rested = || -> Result<Life, Breach> {
            let mut life = setup.live(STEPS)?;
            life.rest_for_long()?;
            Ok(life)
        };
        let life = guarded(&setup, "--flip 0", || "no flip".into(), rested)?;
        let end = life.disks.journal.operations();
        let disks = life.disks.crashed(end, Fate::Lost, 0);
        Ok(Still { setup, disks, past: life.past_at(end) })
    }

    /// Turns one bit over, by the flip's number, and starts again.
    ///
    /// # Errors
    /// What was wrong then.
    pub fn flip(&self, number: u64) -> Result<Tally, Box<Failure>> {
        let mut random = Random::new(self.setup.seed ^ number << 32, Stream::Faults);
        let Some(bit) = self.draw(number, &mut random) else { return Ok(Tally::default()) };
        let options = format!("--flip {number}");
        let noticed = guarded(&self.setup, &options, || format!("{bit:?}"), || self.look(&bit))?;
        Ok(Tally { flips: 1, noticed: u64::from(noticed), ..Tally::default() })
    }

    /// Files have their turns. Half of the bits are at the beginning of a block.
    fn draw(&self, number: u64, random: &mut Random) -> Option<Bit> {
        let names = self.disks.journal.names().ok()?;
        let index = usize::try_from(number % names.len().max(1) as u64).ok()?;
        let file = names.get(index)?.clone();
        let bytes = self.disks.journal.open(&file).ok()?.bytes().ok()?;
        let block_bytes = BLOCK_BYTES as u64;
        let byte = match random.chance(50) {
            true => random.below(bytes),
            false => random.below(bytes.div_ceil(block_bytes)) * block_bytes,
        };
        let byte = byte + random.below(HEAD_BYTES);
        Some(Bit { file, byte: byte.min(bytes.saturating_sub(1)), bit: random.below(8) as u8 })
    }

    /// Whether the node notices the bit when it starts.
    fn look(&self, bit: &Bit) -> Result<bool, Breach> {
        let disks = self.disks.crashed(0, Fate::Lost, 0);
        if !disks.journal.flip(&bit.file, bit.byte, bit.bit) {
            return Ok(false);
        }
        let Ok(mut life) = Life::begin(&self.setup, &disks, self.past.clone()) else {
            return Ok(true);
        };
        let (policies, batches) = (self.setup.policies(), &self.past.batches);
        examine::check(&life, &|last| Oracle::digest_after(&policies, batches, last))?;
        life.may_be_damaged = true;
        life.drain().map(|()| !life.alarms.is_empty())
    }
}

/// Turns so many bits over in what the life of a seed leaves, or as many as one life is good for.
///
/// # Errors
/// The first that was not noticed and makes a difference.
pub fn explore(setup: Setup, flips: u64) -> Result<Tally, Box<Failure>> {
    let still = Still::live(setup)?;
    let mut tally = Tally { scripts: 1, ..Tally::default() };
    for number in 0..flips.min(FLIPS_PER_SCRIPT) {
        tally += still.flip(number)?;
    }
    Ok(tally)
}
