//! How the lives of a seed are set up, and how their journal is opened.

use std::sync::Arc;

use posthouse_core::policy::Policies;
use posthouse_core::store::Store;
use posthouse_store::journal::planted::PlantedBug;
use posthouse_store::journal::{Crew, Hands, Journal, Options};

use crate::crash::disks::Disks;
use crate::crash::life::Life;
use crate::crash::past::Past;
use crate::invariants::Breach;
use crate::plan::{Carrier, Plan};
use crate::random::{Random, Stream};

/// Bytes of a segment: the least that the format makes sense with, so that there are many.
const SEGMENT_BYTES: u64 = 64 << 10;

/// Bytes that what slow subscribers are still to get may take on disk.
const SPOOL_BYTES_MAX: u64 = 4 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where all chance comes from.
    pub seed: u64,
    /// What clients do.
    pub plan: Plan,
    /// How the journal behaves.
    pub journal: Options,
    /// Bytes of bodies that stay in memory; 0 means all.
    resident_bytes_max: u64,
}

impl Setup {
    /// The setup of a seed: what the simulation would draw, without what needs a network, and with
    /// bodies of all sizes.
    pub fn new(seed: u64) -> Setup {
        let plan = Plan::new(seed, Carrier::Values);
        let plan = Plan {
            clients: plan.clients.min(6),
            stalls: false,
            half_open: false,
            memory_bytes_max: 0,
            window_parcels: 40,
            large_bodies: true,
            ..plan
        };
        let mut random = Random::new(seed, Stream::Disk);
        let journal = Options {
            segment_bytes: SEGMENT_BYTES,
            spares: usize::try_from(random.below(3)).unwrap_or(0),
            refills_spares: true,
            checkpoint_bytes: random.between(1, 4) * SEGMENT_BYTES / 2,
            checkpoint_ms: 1_000,
            spool_bytes_max: SPOOL_BYTES_MAX,
            seed,
            bug: None,
        };
        let resident_bytes_max = if random.chance(70) { random.between(1, 60_000) } else { 0 };
        Setup { seed, plan, journal, resident_bytes_max }
    }

    /// What the node is told about its destinations, and about memory.
    pub fn policies(&self) -> Policies {
        let resident_bytes_max = self.resident_bytes_max;
        Policies { resident_bytes_max, ..self.plan.policies() }
    }

    /// The same with a bug in the journal.
    pub fn with(mut self, bug: Option<PlantedBug>) -> Setup {
        self.journal.bug = bug;
        self
    }

    /// The same with so many segments that are kept back for when the disk is full.
    pub fn with_spares(mut self, spares: usize) -> Setup {
        self.journal.spares = spares;
        self
    }

    /// Opens the journal on what the disks have.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open_journal(&self, disks: &Disks, hands: &Hands) -> Result<Box<dyn Store>, String> {
        let files = Arc::new(disks.journal.clone());
        let spool = Arc::new(disks.spool.clone());
        let crew = Crew::ByHand(hands.clone());
        let journal = Journal::open(files, spool, self.journal.clone(), crew);
        Ok(Box::new(journal.map_err(|fault| fault.to_string())?))
    }

    /// Lives the first life for so many steps.
    ///
    /// # Errors
    /// What went wrong although nothing happened to the disk.
    pub fn live(&self, steps: u64) -> Result<Life, Breach> {
        let begun = Life::begin(self, &Disks::default(), Past::default());
        let refused = |detail| Breach { invariant: "starts-on-nothing", detail };
        let mut life = begun.map_err(refused)?;
        life.live_on(steps)?;
        Ok(life)
    }

    /// The command that repeats something of this seed.
    pub fn command(&self, options: &str) -> String {
        let bug = self.journal.bug.map(|bug| format!(" --bug {bug:?}")).unwrap_or_default();
        format!("cargo xtask crash --from {} {options}{bug}", self.seed)
    }
}
