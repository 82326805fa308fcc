//! The log of one destination: its messages by position, each kept for as long as a backlog waits
//! for it.
//!
//! What is known of a message is always in memory; its body may be only in the store. A body can
//! leave memory once its record has a place there and is durable.

mod page;
mod slots;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{BatchNo, Seq};
use crate::message::Envelope;
use crate::store::Locator;

use self::page::Page;
pub use self::slots::{Facts, Look, PAGE_LEN, Slots};

/// The bytes of a message, in memory.
#[derive(Clone, Debug)]
pub struct Body {
    /// The message.
    pub message: Arc<Envelope>,
    /// The batch that must be durable before anybody may see the message.
    pub batch: BatchNo,
}

/// One message in a log.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What is known of it.
    pub look: Look<'a>,
    /// Its bytes, unless they are only in the store.
    pub body: Option<&'a Body>,
}

impl Entry<'_> {
    /// The batch that must be durable before anybody may see it.
    pub fn batch(&self) -> BatchNo {
        self.body.map_or(BatchNo(0), |body| body.batch)
    }
}

/// A message that leaves a log.
#[derive(Debug)]
pub struct Gone {
    /// What was known of it.
    pub facts: Facts,
    /// Whether its body was in memory.
    pub was_resident: bool,
}

/// The messages of one destination.
#[derive(Debug, Default)]
pub struct Log {
    pages: BTreeMap<u64, Page>,
    next_seq: Seq,
    len: u64,
    bytes: u64,
}

fn page_of(seq: Seq) -> u64 {
    seq / PAGE_LEN
}

fn index_of(seq: Seq) -> u8 {
    (seq % PAGE_LEN) as u8
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

    /// Keeps a message at `seq`. Answers whether its page has just become one whose bodies could
    /// be looked at for paging out.
    ///
    /// # Panics
    /// If the position is taken.
    pub fn insert(&mut self, seq: Seq, facts: Facts, body: Option<Body>) -> bool {
        self.skip_to(seq + 1);
        self.len += 1;
        self.bytes += u64::from(facts.bytes);
        let page = self.pages.entry(page_of(seq)).or_default();
        let is_new = body.is_some() && !std::mem::replace(&mut page.is_listed, body.is_some());
        page.insert(index_of(seq), facts, body);
        is_new
    }

    /// Keeps the messages of a page of which a checkpoint tells.
    pub fn insert_page(&mut self, number: u64, messages: impl Iterator<Item = (u8, Facts)>) {
        let page = self.pages.entry(number).or_default();
        let mut last = None;
        for (index, facts) in messages {
            self.len += 1;
            self.bytes += u64::from(facts.bytes);
            page.insert(index, facts, None);
            last = Some(index);
        }
        match last {
            Some(last) => self.skip_to(number * PAGE_LEN + u64::from(last) + 1),
            None if page.is_empty() => drop(self.pages.remove(&number)),
            None => {}
        }
    }

    /// The message at `seq`.
    pub fn get(&self, seq: Seq) -> Option<Entry<'_>> {
        self.pages.get(&page_of(seq))?.get(index_of(seq))
    }

    /// Sets where the record of the message at `seq` lies.
    pub fn set_locator(&mut self, seq: Seq, locator: Locator) {
        if let Some(page) = self.pages.get_mut(&page_of(seq)) {
            page.set_locator(index_of(seq), locator);
        }
    }

    /// So many more wait for the message at `seq`.
    pub fn add_waiting(&mut self, seq: Seq, more: u32) {
        if let Some(page) = self.pages.get_mut(&page_of(seq)) {
            page.add_waiting(index_of(seq), more);
        }
    }

    /// One backlog less waits for the message at `seq`. Answers the message when it was the last.
    pub fn release(&mut self, seq: Seq) -> Option<Gone> {
        let number = page_of(seq);
        let page = self.pages.get_mut(&number)?;
        let gone = page.release(index_of(seq))?;
        if page.is_empty() {
            self.pages.remove(&number);
        }
        self.len -= 1;
        self.bytes -= u64::from(gone.facts.bytes);
        Some(gone)
    }

    /// Notes that the body at `seq` has been asked for; false if it is there or asked for already.
    pub fn ask(&mut self, seq: Seq) -> bool {
        self.pages.get_mut(&page_of(seq)).is_some_and(|page| page.ask(index_of(seq)))
    }

    /// A body that was asked for has come, or cannot be had. Answers whether it is in memory now
    /// and was not before, and whether its page has just become one to page out.
    pub fn settle(&mut self, seq: Seq, body: Option<Body>) -> (bool, bool) {
        let Some(page) = self.pages.get_mut(&page_of(seq)) else { return (false, false) };
        let has_come = page.settle(index_of(seq), body);
        let is_new = has_come && !std::mem::replace(&mut page.is_listed, true);
        (has_come, is_new)
    }

    /// Lets the bodies of a page go that the store has; answers their bytes.
    pub fn page_out(&mut self, number: u64, durable: BatchNo) -> u64 {
        let Some(page) = self.pages.get_mut(&number) else { return 0 };
        let freed = page.page_out(durable);
        page.is_listed = page.resident() > 0;
        freed
    }

    /// Whether the page still has bodies that could go later.
    pub fn is_listed(&self, number: u64) -> bool {
        self.pages.get(&number).is_some_and(|page| page.is_listed)
    }

    /// The bytes that all messages of a page count.
    pub fn page_bytes(&self, number: u64) -> u64 {
        let page = self.pages.get(&number);
        page.map_or(0, |page| page.iter().map(|(_, e)| u64::from(e.look.bytes())).sum())
    }

    /// The messages of a page whose bodies are in memory and in no store, with their positions.
    pub fn volatile(&self, number: u64) -> Vec<(Seq, Arc<Envelope>)> {
        let page = self.pages.get(&number);
        let found = page.into_iter().flat_map(Page::volatile);
        found.map(|(index, message)| (number * PAGE_LEN + u64::from(index), message)).collect()
    }

    /// The messages in order of position.
    pub fn iter(&self) -> impl Iterator<Item = (Seq, Entry<'_>)> {
        self.pages.iter().flat_map(|(number, page)| {
            page.iter().map(move |(index, entry)| (number * PAGE_LEN + u64::from(index), entry))
        })
    }

    /// What is known of the messages, as it is now whatever comes later: by page.
    pub fn share(&self) -> Vec<(u64, Arc<Slots>)> {
        self.pages.iter().map(|(number, page)| (*number, page.share())).collect()
    }

    /// How many messages are kept.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes they count.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes of them are in memory.
    pub fn resident_bytes(&self) -> u64 {
        self.pages.values().map(Page::resident_bytes).sum()
    }
}
