//! Up to 256 neighbours: what is known of them, and those of their bodies that are in memory.

use std::sync::Arc;

use super::slots::{Facts, Look, Slots};
use super::{Body, Entry, Gone};
use crate::ids::BatchNo;
use crate::message::Envelope;
use crate::store::Locator;

/// See the module. Entries die anywhere; the page goes with the last one.
#[derive(Debug, Default)]
pub struct Page {
    slots: Arc<Slots>,
    /// One for each slot, or none at all.
    bodies: Vec<Option<Body>>,
    resident: u16,
    /// Which bodies have been asked for, a bit each.
    asked: [u64; 4],
    /// Whether it stands on the list of pages that could let bodies go.
    pub is_listed: bool,
}

fn bit(index: u8) -> (usize, u64) {
    (usize::from(index / 64), 1 << (index % 64))
}

/// Whether the store has the message for good, so that memory need not.
fn is_stored(look: &Look<'_>, body: &Body, durable: BatchNo) -> bool {
    look.locator.is_placed() && body.batch <= durable
}

impl Page {
    pub fn insert(&mut self, index: u8, facts: Facts, body: Option<Body>) {
        let slots = Arc::make_mut(&mut self.slots);
        let before = slots.stretch(index);
        slots.insert(index, facts);
        if before > 0 && !self.bodies.is_empty() {
            self.bodies.splice(0..0, std::iter::repeat_n(None, before));
        }
        if let Some(body) = body {
            self.put(index, body);
        }
    }

    fn put(&mut self, index: u8, body: Body) {
        let Some(at) = self.slots.at(index) else { return };
        if self.bodies.len() <= at {
            self.bodies.resize_with(self.slots.span(), || None);
        }
        self.resident += u16::from(self.bodies[at].is_none());
        self.bodies[at] = Some(body);
    }

    fn body(&self, index: u8) -> Option<&Body> {
        self.bodies.get(self.slots.at(index)?)?.as_ref()
    }

    fn take_body(&mut self, index: u8) -> bool {
        let at = self.slots.at(index);
        let body = at.and_then(|at| self.bodies.get_mut(at)).and_then(Option::take);
        self.resident -= u16::from(body.is_some());
        body.is_some()
    }

    pub fn get(&self, index: u8) -> Option<Entry<'_>> {
        let look = self.slots.get(index)?;
        Some(Entry { look, body: self.body(index) })
    }

    pub fn set_locator(&mut self, index: u8, locator: Locator) {
        if self.slots.get(index).is_some() {
            Arc::make_mut(&mut self.slots).set_locator(index, locator);
        }
    }

    pub fn add_waiting(&mut self, index: u8, more: u32) {
        let Some(waiting) = self.slots.get(index).map(|look| look.waiting()) else { return };
        Arc::make_mut(&mut self.slots).set_waiting(index, waiting + more);
    }

    pub fn release(&mut self, index: u8) -> Option<Gone> {
        let look = self.slots.get(index)?;
        let waiting = look.waiting();
        if waiting > 1 {
            Arc::make_mut(&mut self.slots).set_waiting(index, waiting - 1);
            return None;
        }
        let facts = look.facts();
        let was_resident = self.take_body(index);
        let (word, mask) = bit(index);
        self.asked[word] &= !mask;
        Arc::make_mut(&mut self.slots).remove(index);
        Some(Gone { facts, was_resident })
    }

    pub fn ask(&mut self, index: u8) -> bool {
        let (word, mask) = bit(index);
        let can_be_had = self.slots.get(index).is_some_and(|look| look.locator.is_placed());
        if !can_be_had || self.asked[word] & mask != 0 || self.body(index).is_some() {
            return false;
        }
        self.asked[word] |= mask;
        true
    }

    pub fn settle(&mut self, index: u8, body: Option<Body>) -> bool {
        let (word, mask) = bit(index);
        let was_asked = self.asked[word] & mask != 0;
        self.asked[word] &= !mask;
        let Some(body) = body.filter(|_| was_asked && self.body(index).is_none()) else {
            return false;
        };
        self.put(index, body);
        true
    }

    /// Lets go of the bodies that the store has; answers their bytes.
    pub fn page_out(&mut self, durable: BatchNo) -> u64 {
        let mut freed = 0;
        for (index, look) in self.slots.iter() {
            let Some(at) = self.slots.at(index) else { continue };
            let Some(kept) = self.bodies.get_mut(at) else { continue };
            if kept.as_ref().is_some_and(|body| is_stored(&look, body, durable)) {
                *kept = None;
                self.resident -= 1;
                freed += u64::from(look.bytes());
            }
        }
        if self.resident == 0 {
            self.bodies = Vec::new();
        }
        freed
    }

    pub fn volatile(&self) -> impl Iterator<Item = (u8, Arc<Envelope>)> + '_ {
        self.iter().filter_map(|(index, entry)| {
            let is_volatile = !entry.look.recorded() && entry.look.locator == Locator::NONE;
            let body = entry.body.filter(|_| is_volatile)?;
            Some((index, body.message.clone()))
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = (u8, Entry<'_>)> {
        self.slots.iter().map(|(index, look)| (index, Entry { look, body: self.body(index) }))
    }

    pub fn share(&self) -> Arc<Slots> {
        self.slots.clone()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.live() == 0
    }

    /// How many bodies are in memory.
    pub fn resident(&self) -> u16 {
        self.resident
    }

    pub fn resident_bytes(&self) -> u64 {
        let resident = self.iter().filter(|(_, entry)| entry.body.is_some());
        resident.map(|(_, entry)| u64::from(entry.look.bytes())).sum()
    }
}
