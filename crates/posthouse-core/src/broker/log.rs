//! The log of one destination: its messages by position, each kept for as long as a backlog waits
//! for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::ids::{BatchNo, Seq};
use crate::message::{Envelope, Provenance};

/// One message in a log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The message.
    pub message: Arc<Envelope>,
    /// Where it was set aside from, if it was.
    pub provenance: Option<Arc<Provenance>>,
    /// The batch that must be durable before anybody may see the message.
    pub batch: BatchNo,
    /// When it expires here, in wall milliseconds; 0 means never.
    pub expires_ms: u64,
    /// Backlogs that still wait for it.
    pub waiting: u32,
    /// Whether records tell of it, so that its end must be recorded too.
    pub recorded: bool,
}

const PAGE_BITS: u32 = 8;

/// Up to 256 neighbours. Entries die anywhere; the page goes with the last one.
#[derive(Debug, Default)]
struct Page {
    first: Seq,
    entries: VecDeque<Option<Entry>>,
    live: u32,
}

impl Page {
    fn insert(&mut self, seq: Seq, entry: Entry) {
        if self.entries.is_empty() {
            self.first = seq;
        }
        while seq < self.first {
            self.entries.push_front(None);
            self.first -= 1;
        }
        let index = (seq - self.first) as usize;
        while self.entries.len() <= index {
            self.entries.push_back(None);
        }
        let replaced = self.entries[index].replace(entry);
        assert!(replaced.is_none(), "a position is given out once");
        self.live += 1;
    }

    fn get(&self, seq: Seq) -> Option<&Entry> {
        self.entries.get(seq.checked_sub(self.first)? as usize)?.as_ref()
    }

    fn get_mut(&mut self, seq: Seq) -> Option<&mut Entry> {
        self.entries.get_mut(seq.checked_sub(self.first)? as usize)?.as_mut()
    }

    fn remove(&mut self, seq: Seq) -> Option<Entry> {
        let entry = self.entries.get_mut(seq.checked_sub(self.first)? as usize)?.take()?;
        self.live -= 1;
        Some(entry)
    }
}

/// The messages of one destination.
#[derive(Debug, Default)]
pub struct Log {
    pages: BTreeMap<u64, Page>,
    next_seq: Seq,
    len: u64,
    bytes: u64,
}

impl Log {
    /// An empty log that gives out positions from `first` on.
    pub fn starting_at(first: Seq) -> Log {
        Log { next_seq: first, ..Log::default() }
    }

    /// The next position, which is given out only once.
    pub fn allocate(&mut self) -> Seq {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// The position that will be given out next.
    pub fn next_seq(&self) -> Seq {
        self.next_seq
    }

    /// Never gives out a position below `floor` from now on.
    pub fn skip_to(&mut self, floor: Seq) {
        self.next_seq = self.next_seq.max(floor);
    }

    /// Keeps `entry` at `seq`.
    ///
    /// # Panics
    /// If the position is taken.
    pub fn insert(&mut self, seq: Seq, entry: Entry) {
        self.skip_to(seq + 1);
        self.len += 1;
        self.bytes += entry.message.size_bytes() as u64;
        self.pages.entry(seq >> PAGE_BITS).or_default().insert(seq, entry);
    }

    /// The message at `seq`.
    pub fn get(&self, seq: Seq) -> Option<&Entry> {
        self.pages.get(&(seq >> PAGE_BITS))?.get(seq)
    }

    /// The message at `seq`, to change what is kept about it.
    pub fn get_mut(&mut self, seq: Seq) -> Option<&mut Entry> {
        self.pages.get_mut(&(seq >> PAGE_BITS))?.get_mut(seq)
    }

    /// One backlog less waits for the message at `seq`. Answers the message when it was the last.
    pub fn release(&mut self, seq: Seq) -> Option<Entry> {
        let number = seq >> PAGE_BITS;
        let page = self.pages.get_mut(&number)?;
        let entry = page.get_mut(seq)?;
        entry.waiting -= 1;
        if entry.waiting > 0 {
            return None;
        }
        let entry = page.remove(seq)?;
        if page.live == 0 {
            self.pages.remove(&number);
        }
        self.len -= 1;
        self.bytes -= entry.message.size_bytes() as u64;
        Some(entry)
    }

    /// The messages in order of position.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, &Entry)> {
        self.pages.values().flat_map(|page| {
            let numbered = page.entries.iter().zip(page.first..);
            numbered.filter_map(|(entry, seq)| entry.as_ref().map(|entry| (seq, entry)))
        })
    }

    /// How many messages are kept.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes they count.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
