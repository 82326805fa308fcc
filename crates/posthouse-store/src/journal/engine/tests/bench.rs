//! Journals to test, on files that can break or fill up and that remember what was done to them.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use posthouse_core::ids::{BatchNo, DestinationId, SubscriptionId};
use posthouse_core::message::{Envelope, EnvelopeHead, OVERHEAD_BYTES};
use posthouse_core::property::PropertyWriter;
use posthouse_core::record::{Enqueued, Record, codec};
use posthouse_core::store::{Batch, Completion, Kept, Locator, Snapshot, Store};

use crate::files::held::HeldFiles;
use crate::files::{File, Files};
use crate::journal::engine::bell::lock;
use crate::journal::{Crew, Hands, Journal, Options};

/// Segments so short that tests use many.
pub(super) const SEGMENT_BYTES: u64 = 64 << 10;

pub(super) fn options() -> Options {
    Options {
        segment_bytes: SEGMENT_BYTES,
        spares: 2,
        refills_spares: true,
        checkpoint_bytes: 4 * SEGMENT_BYTES,
        checkpoint_ms: 0,
        spool_bytes_max: 8 * SEGMENT_BYTES,
        seed: 7,
        #[cfg(feature = "planted-bugs")]
        bug: None,
    }
}

/// Files whose medium can break, or fill up. Clones are the same files.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    files: Arc<dyn Files>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    is_broken: AtomicBool,
    /// Bytes that all files together may have.
    capacity: AtomicU64,
    /// Writes, syncs and changes of names so far.
    deeds: Mutex<Vec<String>>,
}

impl State {
    fn note(&self, deed: String) -> io::Result<()> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the medium is broken"));
        }
        lock(&self.deeds).push(deed);
        Ok(())
    }
}

impl Medium {
    pub(super) fn new(files: Arc<dyn Files>) -> Medium {
        let state = State {
            is_broken: AtomicBool::new(false),
            capacity: AtomicU64::new(u64::MAX),
            deeds: Mutex::default(),
        };
        Medium { files, state: Arc::new(state) }
    }

    /// From now on nothing can be written or synced.
    pub(super) fn break_down(&self) {
        self.state.is_broken.store(true, Ordering::SeqCst);
    }

    /// All files together may have so many bytes from now on.
    pub(super) fn limit(&self, bytes: u64) {
        self.state.capacity.store(bytes, Ordering::SeqCst);
    }

    /// What was done since the last time.
    pub(super) fn take_deeds(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.state.deeds))
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        let names = self.files.names().expect("they can be listed");
        let bytes = |name: &String| self.files.open(name).and_then(|file| file.bytes());
        names.iter().map(|name| bytes(name).expect("it is there")).sum()
    }

    fn check_room(&self, more: u64) -> io::Result<()> {
        let capacity = self.state.capacity.load(Ordering::SeqCst);
        if more > 0 && capacity != u64::MAX && self.bytes() + more > capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Files for Medium {
    fn names(&self) -> io::Result<Vec<String>> {
        self.files.names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = self.files.open(name)?;
        Ok(Box::new(MediumFile { file, name: name.to_owned(), medium: self.clone() }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        self.state.note(format!("create {name}"))?;
        self.files.create(name)?;
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state.note(format!("rename {from} {to}"))?;
        self.files.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state.note(format!("remove {name}"))?;
        self.files.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.state.note("sync names".to_owned())?;
        self.files.sync_names()
    }
}

#[derive(Debug)]
struct MediumFile {
    file: Box<dyn File>,
    /// As it was when the file was opened.
    name: String,
    medium: Medium,
}

impl MediumFile {
    fn check_room(&self, end: u64) -> io::Result<()> {
        self.medium.check_room(end.saturating_sub(self.file.bytes()?))
    }
}

impl File for MediumFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.check_room(at + bytes.len() as u64)?;
        self.medium.state.note(format!("write {} {at}+{}", self.name, bytes.len()))?;
        self.file.write_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.medium.state.note(format!("sync {}", self.name))?;
        self.file.sync()
    }

    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.check_room(bytes)?;
        self.file.reserve(bytes)
    }
}

/// A journal on files in memory that does nothing by itself.
pub(super) struct HandBench {
    pub(super) files: Medium,
    pub(super) spool: HeldFiles,
    pub(super) hands: Hands,
    pub(super) options: Options,
}

impl HandBench {
    pub(super) fn new() -> HandBench {
        HandBench {
            files: Medium::new(Arc::new(HeldFiles::default())),
            spool: HeldFiles::default(),
            hands: Hands::new(),
            options: options(),
        }
    }

    pub(super) fn journal(&self) -> Journal {
        let crew = Crew::ByHand(self.hands.clone());
        let (files, spool) = (Arc::new(self.files.clone()), Arc::new(self.spool.clone()));
        Journal::open(files, spool, self.options.clone(), crew).expect("what is there is sound")
    }

    /// A journal that has read everything back and made everything ahead. Answers how many
    /// batches there were.
    pub(super) fn started(&self) -> (Journal, u64) {
        let mut journal = self.journal();
        let mut last = journal.restore(&mut |_| Ok(())).expect("no damage");
        while let Some(found) = journal.recover(BatchNo(last.0 + 1)).expect("no damage") {
            last = found.batch.number;
        }
        self.hands.settle();
        (journal, last.0)
    }

    /// The names of files that end so.
    pub(super) fn names(&self, end: &str) -> Vec<String> {
        let names = self.files.names().expect("they can be listed");
        names.into_iter().filter(|name| name.ends_with(end)).collect()
    }
}

/// Submits a batch with so many bytes of records.
pub(super) fn submit(journal: &mut Journal, number: u64, bytes: usize) -> Locator {
    journal.submit(Batch { number: BatchNo(number), wall_ms: 0, records: vec![7; bytes] })
}

/// Everything that there is to tell, each in a word or two.
pub(super) fn told(journal: &mut Journal) -> Vec<String> {
    let word = |completion| match completion {
        Completion::Durable(batch) => format!("durable {}", batch.0),
        Completion::Full => "full".to_owned(),
        Completion::Room => "room".to_owned(),
        Completion::CheckpointWanted => "checkpoint wanted".to_owned(),
        Completion::Failed(_) => "failed".to_owned(),
        Completion::Loaded(all) => format!("loaded {}", all.len()),
        Completion::Relocated(all) => format!("relocated {}", all.len()),
        Completion::Fenced | Completion::Unknown(_) => "unexpected".to_owned(),
    };
    std::iter::from_fn(|| journal.poll()).map(word).collect()
}

/// The state after a batch, which refers to these messages.
pub(super) struct Standing {
    pub(super) batch: u64,
    pub(super) kept: Vec<Kept>,
    /// Its records, which hardly any test looks at.
    pub(super) state: Vec<u8>,
}

impl Standing {
    pub(super) fn new(batch: u64, kept: &[Kept]) -> Standing {
        Standing { batch, kept: kept.to_vec(), state: b"some state".to_vec() }
    }
}

impl Snapshot for Standing {
    fn batch(&self) -> BatchNo {
        BatchNo(self.batch)
    }

    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool) {
        piece(&self.state);
    }

    fn messages(&self, message: &mut dyn FnMut(Kept)) {
        self.kept.iter().for_each(|kept| message(*kept));
    }
}

/// The records of one message with a body of so many bytes.
pub(super) fn record(seq: u64, body_bytes: usize) -> Vec<u8> {
    let body = vec![seq as u8; body_bytes];
    let head = EnvelopeHead::default();
    let message = Arc::new(Envelope::new(head, PropertyWriter::default(), &body));
    let (destination, subscriptions) = (DestinationId(1), vec![SubscriptionId::QUEUE]);
    let mut records = Vec::new();
    let enqueued = Enqueued { destination, seq, subscriptions, message };
    codec::encode(&Record::Enqueued(enqueued), &mut records);
    records
}

/// What is kept of such a message.
pub(super) fn kept(seq: u64, locator: Locator, body_bytes: usize) -> Kept {
    let bytes = (body_bytes + OVERHEAD_BYTES) as u32;
    Kept { destination: DestinationId(1), seq, locator, bytes }
}

/// Submits a message as batch and position `number`.
pub(super) fn publish(journal: &mut Journal, number: u64, body_bytes: usize) -> Kept {
    let records = record(number, body_bytes);
    let locator = journal.submit(Batch { number: BatchNo(number), wall_ms: 0, records });
    kept(number, locator, body_bytes)
}
