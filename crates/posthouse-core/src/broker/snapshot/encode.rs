//! An image as the records that rebuild it.

use super::{BacklogImage, Image, PlaceImage};
use crate::broker::log::{Look, PAGE_LEN, Slots};
use crate::ids::{BacklogKey, BatchNo, Seq};
use crate::message::SIZE_UNIT_BYTES;
use crate::record::{Attempt, KeptMessage, KeptPage, Record, WaitingPages, codec};
use crate::seq_set::SeqSet;
use crate::store::{Kept, Snapshot};

/// Pieces are handed over when they have this many bytes, so that no piece has 1 MiB.
const PIECE_BYTES: usize = 256 << 10;

/// Pages of positions in one record.
const PAGES_PER_RECORD: usize = 1_024;

/// Attempts in one record.
const ATTEMPTS_PER_RECORD: usize = 4_096;

impl Snapshot for Image {
    fn batch(&self) -> BatchNo {
        self.batch
    }

    fn pieces(&self, piece: &mut dyn FnMut(&[u8]) -> bool) {
        let mut writer = Writer { out: Vec::new(), piece, goes_on: true };
        self.write(&mut writer);
        writer.flush();
    }

    fn messages(&self, message: &mut dyn FnMut(Kept)) {
        for place in &self.places {
            for (number, slots) in &place.pages {
                // Also those that only plain subscribers still wait for: they do not survive, but
                // they may still be loaded.
                for (index, look) in slots.iter().filter(|(_, look)| look.recorded()) {
                    let seq = number * PAGE_LEN + u64::from(index);
                    let (locator, bytes) = (look.locator, look.bytes());
                    message(Kept { destination: place.id, seq, locator, bytes });
                }
            }
        }
    }
}

/// Gathers records into pieces.
struct Writer<'a> {
    out: Vec<u8>,
    piece: &'a mut dyn FnMut(&[u8]) -> bool,
    goes_on: bool,
}

impl Writer<'_> {
    fn put(&mut self, record: &Record) {
        if !self.goes_on {
            return;
        }
        codec::encode(record, &mut self.out);
        if self.out.len() >= PIECE_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.goes_on && !self.out.is_empty() {
            self.goes_on = (self.piece)(&self.out);
        }
        self.out.clear();
    }
}

impl Image {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&Record::Started { run: self.run });
        writer.put(&Record::Numbered {
            last_destination: self.last_destination,
            last_subscription: self.last_subscription,
        });
        self.subscriptions.iter().for_each(|record| writer.put(record));
        for place in &self.places {
            let (kind, path) = (place.name.kind, place.name.path().into());
            writer.put(&Record::DestinationDefined { id: place.id, kind, path });
        }
        for place in &self.places {
            place.write(writer);
        }
        for (id, producer) in &self.producers {
            writer.put(&Record::Produced(producer.recorded(*id)));
        }
    }
}

impl PlaceImage {
    fn write(&self, writer: &mut Writer<'_>) {
        for (number, slots) in &self.pages {
            let waiting = self.waiting(*number);
            let kept = recorded(slots, &waiting);
            let messages: Vec<KeptMessage> =
                kept.map(|(i, look)| kept_message(i, &look, waiting[usize::from(i)])).collect();
            if !messages.is_empty() {
                let (destination, number) = (self.id, *number);
                writer.put(&Record::Kept(KeptPage { destination, number, messages }));
            }
        }
        for backlog in &self.backlogs {
            self.write_backlog(backlog, writer);
        }
    }

    fn write_backlog(&self, backlog: &BacklogImage, writer: &mut Writer<'_>) {
        let key = BacklogKey { destination: self.id, subscription: backlog.subscription };
        for (priority, pending) in &backlog.pending {
            let pages: Vec<(u64, [u64; 4])> = self.recorded_pages(pending).collect();
            for pages in pages.chunks(PAGES_PER_RECORD) {
                let (priority, pages) = (*priority, pages.to_vec());
                writer.put(&Record::Waiting(WaitingPages { backlog: key, priority, pages }));
            }
        }
        let attempts = backlog.attempts.iter().filter(|(seq, _)| self.is_recorded(**seq));
        let attempts: Vec<Attempt> = attempts
            .map(|(seq, tried)| Attempt {
                seq: *seq,
                deliveries: tried.deliveries,
                failures: tried.failures,
            })
            .collect();
        for attempts in attempts.chunks(ATTEMPTS_PER_RECORD) {
            writer.put(&Record::Returned { backlog: key, attempts: attempts.to_vec() });
        }
        if backlog.dispatched_up_to > 0 {
            writer.put(&Record::Dispatched { backlog: key, up_to: backlog.dispatched_up_to });
        }
    }

    fn page(&self, number: u64) -> Option<&Slots> {
        let at = self.pages.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.pages.get(at).map(|(_, slots)| &**slots)
    }

    fn is_recorded(&self, seq: Seq) -> bool {
        let look = self.page(seq / PAGE_LEN).and_then(|slots| slots.get((seq % PAGE_LEN) as u8));
        look.is_some_and(|look| look.recorded())
    }

    /// What is pending, without messages that no record tells of.
    fn recorded_pages<'a>(
        &'a self,
        pending: &'a SeqSet,
    ) -> impl Iterator<Item = (u64, [u64; 4])> + 'a {
        pending.pages().filter_map(|(number, bits)| {
            let mut known = [0; 4];
            for (index, look) in self.page(number)?.iter() {
                let bit = u64::from(look.recorded()) << (index % 64);
                known[usize::from(index / 64)] |= bit;
            }
            let both = [0, 1, 2, 3].map(|word| bits[word] & known[word]);
            (both != [0; 4]).then_some((number, both))
        })
    }

    /// How many backlogs wait for each message of a page. Whoever else waits does not survive.
    fn waiting(&self, number: u64) -> Box<[u32; PAGE_LEN as usize]> {
        let mut waiting = Box::new([0; PAGE_LEN as usize]);
        for (_, pending) in self.backlogs.iter().flat_map(|backlog| &backlog.pending) {
            let Some(bits) = pending.page(number) else { continue };
            for (index, count) in waiting.iter_mut().enumerate() {
                *count += (bits[index / 64] >> (index % 64) & 1) as u32;
            }
        }
        waiting
    }
}

/// The messages of a page that survive.
fn recorded<'a>(
    slots: &'a Slots,
    waiting: &'a [u32; PAGE_LEN as usize],
) -> impl Iterator<Item = (u8, Look<'a>)> {
    slots.iter().filter(|(index, look)| look.recorded() && waiting[usize::from(*index)] > 0)
}

fn kept_message(index: u8, look: &Look<'_>, waiting: u32) -> KeptMessage {
    assert!(look.locator.is_placed(), "a snapshot begins when everything has its place");
    KeptMessage {
        index,
        units: look.bytes() / SIZE_UNIT_BYTES as u32,
        priority: look.priority(),
        persistent: look.persistent(),
        locator: look.locator,
        expires_ms: look.expires_ms(),
        waiting,
        provenance: look.provenance().cloned(),
    }
}
