//! Which store the node keeps its messages in, and what it means when it cannot be opened.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthouse_core::driver::Driver;
use posthouse_core::policy::Policies;
use posthouse_core::store::Store;
use posthouse_core::time::Now;
use posthouse_store::files::real::RealFiles;
use posthouse_store::journal::fault::Fault;
#[cfg(feature = "planted-bugs")]
use posthouse_store::journal::planted::PlantedBug;
use posthouse_store::journal::{Crew, Journal, Options, Watch};
use posthouse_store::memory::MemoryStore;
use tokio::sync::Notify;

use super::{damaged, unread};
use crate::config::JournalConfig;
use crate::data_dir::known_store;
use crate::failure::Failure;
use crate::store_failure::{JOURNAL_DIR, of_error, of_fault};

/// Its owner may do everything, others nothing.
const DIR_MODE: u32 = 0o700;

/// What need not survive goes here when memory is short.
const SPOOL_DIR: &str = "spool";

/// Where messages are kept.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    /// How.
    pub(crate) config: JournalConfig,
    /// Whether room that was set aside and is used is set aside anew.
    pub(crate) refills_spares: bool,
}

/// A store, and what shows its journal if it has one.
pub(crate) type OpenStore = (Box<dyn Store>, Option<Watch>);

/// Opens the store. `news` is told whenever the store has something to say.
///
/// # Errors
/// Why it cannot be used, for a person.
pub(crate) fn open(keeping: &Keeping, news: &Arc<Notify>) -> Result<OpenStore, Failure> {
    if !keeping.config.enabled {
        return Ok((Box::new(MemoryStore::default()), None));
    }
    known_store::check(&keeping.data_dir)?;
    let files = |name| open_dir(&keeping.data_dir.join(name));
    let unusable = |fault: &Fault| of_fault(&keeping.data_dir.join(JOURNAL_DIR), fault);
    let (journal, spool) = (files(JOURNAL_DIR)?, files(SPOOL_DIR)?);
    let news = news.clone();
    let crew = Crew::Threads { wake: Arc::new(move || news.notify_one()) };
    let options = Options { refills_spares: keeping.refills_spares, ..options(&keeping.config)? };
    let opened = Journal::open(Arc::new(journal), Arc::new(spool), options, crew);
    let journal = opened.map_err(|fault| unusable(&fault))?;
    let watch = journal.watch();
    known_store::note(&keeping.data_dir, &watch.store().0)?;
    Ok((Box::new(journal), Some(watch)))
}

/// Reads what is stored, and begins the next run with it.
///
/// # Errors
/// Damage, or why the system does not let it be read, for a person.
pub(crate) fn read(
    policies: Policies,
    (store, watch): OpenStore,
    now: Now,
) -> Result<Driver, Failure> {
    Driver::new(policies, store, now).map_err(|why| {
        // The core hands on only words, which do not say whose fault it is.
        let fault = watch.and_then(|watch| watch.take_start_fault());
        fault.map_or_else(|| damaged(&why), |fault| unread(&fault))
    })
}

fn open_dir(path: &Path) -> Result<RealFiles, Failure> {
    let made = DirBuilder::new().recursive(true).mode(DIR_MODE).create(path);
    let opened = made.and_then(|()| RealFiles::open(path));
    opened.map_err(|error| of_error(path, &error))
}

fn options(config: &JournalConfig) -> Result<Options, Failure> {
    let seed = getrandom::u64();
    let seed = seed.map_err(|error| Failure::unexpected(format!("no randomness: {error}")))?;
    Ok(Options {
        segment_bytes: config.segment_bytes,
        spares: config.spares,
        checkpoint_bytes: config.checkpoint_bytes,
        spool_bytes_max: config.spool_bytes_max,
        seed,
        #[cfg(feature = "planted-bugs")]
        bug: planted_bug()?,
        ..Options::default()
    })
}

/// The bug that the environment asks for, by its name.
#[cfg(feature = "planted-bugs")]
fn planted_bug() -> Result<Option<PlantedBug>, Failure> {
    let Ok(name) = std::env::var("POSTHOUSE_PLANTED_BUG") else { return Ok(None) };
    let bug = PlantedBug::ALL.into_iter().find(|bug| format!("{bug:?}") == name);
    let unknown = || Failure::unexpected(format!("there is no bug named {name} to plant"));
    tracing::error!(name, "a bug is planted: nothing is safe here");
    bug.map(Some).ok_or_else(unknown)
}
