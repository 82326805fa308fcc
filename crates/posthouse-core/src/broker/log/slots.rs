//! What is known of up to 256 neighbours in a log without their bodies: twelve bytes each, and a
//! few more for those that are out of the ordinary.
//!
//! A snapshot shares these with the living log; whoever changes them then gets a copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::message::{self, Envelope, Provenance};
use crate::store::Locator;

/// Positions of one page.
pub const PAGE_LEN: u64 = 256;

/// Sizes are kept in units of so many bytes.
const SIZE_UNIT_BYTES: u32 = message::SIZE_UNIT_BYTES as u32;

/// What is known of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What it counts against limits.
    pub bytes: u32,
    /// 0 to 9.
    pub priority: u8,
    /// Whether its sender asked for it to survive.
    pub persistent: bool,
    /// Whether records tell of it, so that its end must be recorded too.
    pub recorded: bool,
    /// When it expires here, in wall milliseconds; 0 means never.
    pub expires_ms: u64,
    /// Backlogs and subscribers that still wait for it.
    pub waiting: u32,
    /// Where its record lies.
    pub locator: Locator,
    /// Where it was set aside from, if it was.
    pub provenance: Option<Arc<Provenance>>,
}

impl Facts {
    /// What is known of a message that is in no store and that nobody waits for yet.
    pub fn of(message: &Envelope) -> Facts {
        Facts {
            bytes: message.size_bytes() as u32,
            priority: message.priority,
            persistent: message.persistent,
            expires_ms: message.expires_ms,
            ..Facts::default()
        }
    }
}

/// Size, priority and flags in one word; an empty slot is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Word(u32);

const UNITS_MASK: u32 = (1 << 21) - 1;
const PRIORITY_SHIFT: u32 = 21;
const PERSISTENT: u32 = 1 << 25;
const RECORDED: u32 = 1 << 26;
const PRESENT: u32 = 1 << 27;

impl Word {
    fn new(facts: &Facts) -> Word {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        Word(
            (facts.bytes / SIZE_UNIT_BYTES).min(UNITS_MASK)
                | u32::from(facts.priority) << PRIORITY_SHIFT
                | flag(facts.persistent, PERSISTENT)
                | flag(facts.recorded, RECORDED)
                | PRESENT,
        )
    }

    fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    fn bytes(self) -> u32 {
        (self.0 & UNITS_MASK) * SIZE_UNIT_BYTES
    }

    fn priority(self) -> u8 {
        (self.0 >> PRIORITY_SHIFT & 0xf) as u8
    }
}

/// What few messages have.
#[derive(Clone, Debug, Default)]
struct Odd {
    waiting: u32,
    expires_ms: u64,
    provenance: Option<Arc<Provenance>>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Slots {
    /// The index in the page of the first slot.
    first: u8,
    words: Vec<Word>,
    locators: Vec<Locator>,
    odd: BTreeMap<u8, Odd>,
    live: u16,
}

/// One message as it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    word: Word,
    /// Where its record lies.
    pub locator: Locator,
    odd: Option<&'a Odd>,
}

impl<'a> Look<'a> {
    /// See [`Facts::bytes`].
    pub fn bytes(&self) -> u32 {
        self.word.bytes()
    }

    /// See [`Facts::priority`].
    pub fn priority(&self) -> u8 {
        self.word.priority()
    }

    /// See [`Facts::persistent`].
    pub fn persistent(&self) -> bool {
        self.word.0 & PERSISTENT != 0
    }

    /// See [`Facts::recorded`].
    pub fn recorded(&self) -> bool {
        self.word.0 & RECORDED != 0
    }

    /// See [`Facts::expires_ms`].
    pub fn expires_ms(&self) -> u64 {
        self.odd.map_or(0, |odd| odd.expires_ms)
    }

    /// Whether it has expired at `wall_ms`.
    pub fn is_expired(&self, wall_ms: u64) -> bool {
        let expires_ms = self.expires_ms();
        expires_ms != 0 && expires_ms <= wall_ms
    }

    /// See [`Facts::waiting`].
    pub fn waiting(&self) -> u32 {
        self.odd.map_or(1, |odd| odd.waiting)
    }

    /// See [`Facts::provenance`].
    pub fn provenance(&self) -> Option<&'a Arc<Provenance>> {
        self.odd.and_then(|odd| odd.provenance.as_ref())
    }

    /// All of it, to keep.
    pub fn facts(&self) -> Facts {
        Facts {
            bytes: self.bytes(),
            priority: self.priority(),
            persistent: self.persistent(),
            recorded: self.recorded(),
            expires_ms: self.expires_ms(),
            waiting: self.waiting(),
            locator: self.locator,
            provenance: self.provenance().cloned(),
        }
    }
}

impl Slots {
    /// The place of a position in the vectors.
    pub fn at(&self, index: u8) -> Option<usize> {
        let at = usize::from(index.checked_sub(self.first)?);
        (at < self.words.len()).then_some(at)
    }

    /// How many slots there are, empty ones too.
    pub fn span(&self) -> usize {
        self.words.len()
    }

    /// How many messages there are.
    pub fn live(&self) -> u16 {
        self.live
    }

    /// Makes room for `index`; answers how many slots came before those that were there.
    pub fn stretch(&mut self, index: u8) -> usize {
        if self.words.is_empty() {
            self.first = index;
        }
        let before = usize::from(self.first.saturating_sub(index));
        if before > 0 {
            self.words.splice(0..0, std::iter::repeat_n(Word::default(), before));
            self.locators.splice(0..0, std::iter::repeat_n(Locator::NONE, before));
            self.first = index;
        }
        let len = self.words.len().max(usize::from(index - self.first) + 1);
        self.words.resize(len, Word::default());
        self.locators.resize(len, Locator::NONE);
        before
    }

    /// Keeps a message at `index`, for which there is room.
    ///
    /// # Panics
    /// If the position is taken.
    pub fn insert(&mut self, index: u8, facts: Facts) {
        let at = self.at(index).expect("there is room for it");
        assert!(!self.words[at].is_present(), "a position is given out once");
        self.words[at] = Word::new(&facts);
        self.locators[at] = facts.locator;
        self.live += 1;
        if facts.waiting != 1 || facts.expires_ms != 0 || facts.provenance.is_some() {
            let Facts { waiting, expires_ms, provenance, .. } = facts;
            self.odd.insert(index, Odd { waiting, expires_ms, provenance });
        }
    }

    /// The message at `index`.
    pub fn get(&self, index: u8) -> Option<Look<'_>> {
        let at = self.at(index)?;
        let word = self.words[at];
        let odd = if self.odd.is_empty() { None } else { self.odd.get(&index) };
        word.is_present().then(|| Look { word, locator: self.locators[at], odd })
    }

    /// Takes the message at `index` out.
    pub fn remove(&mut self, index: u8) {
        let Some(at) = self.at(index) else { return };
        self.live -= u16::from(self.words[at].is_present());
        self.words[at] = Word::default();
        if !self.odd.is_empty() {
            self.odd.remove(&index);
        }
    }

    /// Sets where the record of the message at `index` lies.
    pub fn set_locator(&mut self, index: u8, locator: Locator) {
        if let Some(at) = self.at(index) {
            self.locators[at] = locator;
        }
    }

    /// Sets how many wait for the message at `index`.
    pub fn set_waiting(&mut self, index: u8, waiting: u32) {
        if let Some(odd) = self.odd.get_mut(&index) {
            odd.waiting = waiting;
            if waiting == 1 && odd.expires_ms == 0 && odd.provenance.is_none() {
                self.odd.remove(&index);
            }
        } else if waiting != 1 {
            self.odd.insert(index, Odd { waiting, ..Odd::default() });
        }
    }

    /// The messages, by index.
    pub fn iter(&self) -> impl Iterator<Item = (u8, Look<'_>)> {
        (0..self.words.len()).filter_map(|at| {
            let index = self.first + at as u8;
            self.get(index).map(|look| (index, look))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, SIZE_UNIT_BYTES, Slots};
    use crate::store::Locator;

    fn facts(bytes: u32, waiting: u32) -> Facts {
        let locator = Locator(u64::from(bytes));
        Facts { bytes, waiting, locator, priority: 9, persistent: true, ..Facts::default() }
    }

    #[test]
    fn what_is_kept_is_found_wherever_it_comes_in() {
        let mut slots = Slots::default();
        for index in [7_u8, 200, 3, 255, 0] {
            slots.stretch(index);
            slots.insert(index, facts(u32::from(index) * SIZE_UNIT_BYTES, 1));
        }
        let indexes: Vec<u8> = slots.iter().map(|(index, _)| index).collect();
        assert_eq!(indexes, [0, 3, 7, 200, 255]);
        let look = slots.get(200).expect("it is there");
        assert_eq!(look.facts(), facts(200 * SIZE_UNIT_BYTES, 1));
        slots.remove(200);
        assert!(slots.get(200).is_none() && slots.get(201).is_none());
        assert_eq!(slots.live(), 4);
    }

    #[test]
    fn only_what_is_out_of_the_ordinary_takes_more() {
        let mut slots = Slots::default();
        slots.stretch(0);
        slots.insert(0, facts(16, 1));
        assert!(slots.odd.is_empty());
        slots.set_waiting(0, 2);
        assert_eq!(slots.get(0).map(|look| look.waiting()), Some(2));
        slots.set_waiting(0, 1);
        assert!(slots.odd.is_empty());
    }
}
