//! A set of positions in a log, at a bit or two each: mostly dense, with holes.
//!
//! Backlogs are made of it: what is still to be acknowledged, and what is ready to go. Positions
//! come in ascending order and leave from anywhere, so the set is a map from page numbers to
//! pages of 256 bits; an empty page is dropped at once.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::ids::Seq;

const PAGE_BITS: u32 = 8;
const WORDS: usize = 4;

type Page = [u64; WORDS];

/// An ordered set of positions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeqSet {
    pages: BTreeMap<u64, Page>,
    len: u64,
}

fn split(seq: Seq) -> (u64, usize, u64) {
    (seq >> PAGE_BITS, (seq >> 6) as usize % WORDS, 1 << (seq & 63))
}

/// The first position at or after `from` (0..256) in `page`.
fn first_bit(page: &Page, from: u32) -> Option<u32> {
    let mut word = from as usize / 64;
    let mut bits = *page.get(word)? & (u64::MAX << (from % 64));
    loop {
        if bits != 0 {
            return Some(word as u32 * 64 + bits.trailing_zeros());
        }
        word += 1;
        bits = *page.get(word)?;
    }
}

impl SeqSet {
    /// Adds `seq`; answers whether it was new.
    pub fn insert(&mut self, seq: Seq) -> bool {
        let (number, word, bit) = split(seq);
        let page = self.pages.entry(number).or_default();
        let is_new = page[word] & bit == 0;
        page[word] |= bit;
        self.len += u64::from(is_new);
        is_new
    }

    /// Takes `seq` out; answers whether it was there.
    pub fn remove(&mut self, seq: Seq) -> bool {
        let (number, word, bit) = split(seq);
        let Some(page) = self.pages.get_mut(&number) else { return false };
        if page[word] & bit == 0 {
            return false;
        }
        page[word] &= !bit;
        self.len -= 1;
        if *page == [0; WORDS] {
            self.pages.remove(&number);
        }
        true
    }

    /// Whether `seq` is in the set.
    pub fn contains(&self, seq: Seq) -> bool {
        let (number, word, bit) = split(seq);
        self.pages.get(&number).is_some_and(|page| page[word] & bit != 0)
    }

    /// The smallest position.
    pub fn first(&self) -> Option<Seq> {
        let (number, page) = self.pages.first_key_value()?;
        Some((number << PAGE_BITS) + u64::from(first_bit(page, 0)?))
    }

    /// The largest position.
    pub fn last(&self) -> Option<Seq> {
        let (number, page) = self.pages.last_key_value()?;
        let word = (0..WORDS).rev().find(|word| page[*word] != 0)?;
        let bit = 63 - page[word].leading_zeros();
        Some((number << PAGE_BITS) + word as u64 * 64 + u64::from(bit))
    }

    /// The smallest position at or after `from`.
    pub fn first_from(&self, from: Seq) -> Option<Seq> {
        let (number, _, _) = split(from);
        if let Some(page) = self.pages.get(&number)
            && let Some(bit) = first_bit(page, (from & 0xff) as u32)
        {
            return Some((number << PAGE_BITS) + u64::from(bit));
        }
        let after = (Bound::Excluded(number), Bound::Unbounded);
        let (number, page) = self.pages.range(after).next()?;
        Some((number << PAGE_BITS) + u64::from(first_bit(page, 0)?))
    }

    /// All positions, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Seq> + '_ {
        let mut next = self.first();
        std::iter::from_fn(move || {
            let seq = next?;
            next = seq.checked_add(1).and_then(|from| self.first_from(from));
            Some(seq)
        })
    }

    /// The bits by pages of 256, as checkpoints keep them.
    pub fn pages(&self) -> impl Iterator<Item = (u64, [u64; 4])> + '_ {
        self.pages.iter().map(|(number, page)| (*number, *page))
    }

    /// One page of bits, if any is set there.
    pub fn page(&self, number: u64) -> Option<[u64; 4]> {
        self.pages.get(&number).copied()
    }

    /// Adds a page of bits.
    pub fn insert_page(&mut self, number: u64, bits: [u64; 4]) {
        if bits == [0; WORDS] {
            return;
        }
        let page = self.pages.entry(number).or_default();
        for (word, more) in page.iter_mut().zip(bits) {
            self.len += u64::from((more & !*word).count_ones());
            *word |= more;
        }
    }

    /// How many positions there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Drops every position below `floor`.
    pub fn remove_below(&mut self, floor: Seq) {
        while let Some(first) = self.first().filter(|first| *first < floor) {
            self.remove(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SeqSet;
    use std::collections::BTreeSet;

    /// Compares the set with the library's own after every step of a seeded walk.
    #[test]
    fn it_behaves_like_an_ordered_set() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (mut set, mut model) = (SeqSet::default(), BTreeSet::new());
        for _ in 0..20_000 {
            let seq = (random(3) << 44) + random(1_500);
            if random(2) == 0 {
                assert_eq!(set.insert(seq), model.insert(seq));
            } else {
                assert_eq!(set.remove(seq), model.remove(&seq));
            }
            let from = (random(3) << 44) + random(1_500);
            assert_eq!(set.first_from(from), model.range(from..).next().copied());
            assert_eq!(set.contains(from), model.contains(&from));
            assert_eq!((set.first(), set.last()), (model.first().copied(), model.last().copied()));
            assert_eq!(set.len(), model.len() as u64);
        }
        assert!(set.iter().eq(model.iter().copied()));
        set.remove_below(1 << 44);
        assert!(set.iter().eq(model.range(1 << 44..).copied()));
    }

    #[test]
    fn the_edges_of_the_range_hold() {
        let mut set = SeqSet::default();
        for seq in [0, 255, 256, u64::MAX] {
            assert!(set.insert(seq));
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 255, 256, u64::MAX]);
    }
}
