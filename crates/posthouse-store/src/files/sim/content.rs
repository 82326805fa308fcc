//! What is in one file: what the medium holds for certain, what programs see, and the writes that
//! lie between the two.
//!
//! Blocks are shared between all states that they are part of, so a state costs little to keep.

use std::sync::Arc;

/// Bytes that the medium writes wholly or not at all.
pub const BLOCK_BYTES: usize = 4096;

/// One block as it is after some write. Blocks that were never written are absent, and zero.
pub type Block = Arc<[u8; BLOCK_BYTES]>;

/// Bytes of a file as they are at one time.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// The length of the file.
    pub bytes: u64,
    blocks: Vec<Option<Block>>,
}

impl Pages {
    /// The block that holds the bytes from `index * BLOCK_BYTES` on.
    fn block(&self, index: usize) -> Option<&Block> {
        self.blocks.get(index).and_then(Option::as_ref)
    }

    fn put(&mut self, index: usize, block: Block) {
        if self.blocks.len() <= index {
            self.blocks.resize(index + 1, None);
        }
        if let Some(place) = self.blocks.get_mut(index) {
            *place = Some(block);
        }
    }

    fn lengthen(&mut self, bytes: u64) {
        self.bytes = self.bytes.max(bytes);
    }

    /// Reads from byte `at` on until `buffer` is full or the file ends.
    pub fn read(&self, buffer: &mut [u8], at: u64) -> usize {
        let left = usize::try_from(self.bytes.saturating_sub(at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let mut done = 0;
        for (index, range) in pieces(at, most) {
            let Some(target) = buffer.get_mut(done..done + range.len()) else { break };
            done += range.len();
            match self.block(index).and_then(|block| block.get(range)) {
                Some(found) => target.copy_from_slice(found),
                None => target.fill(0),
            }
        }
        done
    }

    /// What the touched blocks hold once `bytes` are written at byte `at`.
    pub fn overlay(&self, bytes: &[u8], at: u64) -> Vec<(usize, Block)> {
        let mut rest = bytes;
        let mut touched = Vec::new();
        for (index, range) in pieces(at, bytes.len()) {
            let Some((piece, others)) = rest.split_at_checked(range.len()) else { break };
            rest = others;
            let mut block = self.block(index).map_or([0; BLOCK_BYTES], |block| **block);
            if let Some(target) = block.get_mut(range) {
                target.copy_from_slice(piece);
            }
            touched.push((index, Arc::new(block)));
        }
        touched
    }

    /// Drops what lies behind the end, so that it is zero if the file grows again.
    fn trim(&mut self) {
        let end = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        self.blocks.truncate(end.div_ceil(BLOCK_BYTES));
        let kept = end % BLOCK_BYTES;
        let last = self.blocks.get_mut(end / BLOCK_BYTES).and_then(Option::as_mut);
        if let Some(tail) = last.and_then(|block| Arc::make_mut(block).get_mut(kept..)) {
            tail.fill(0);
        }
    }
}

/// The blocks that `len` bytes from byte `at` on touch, with the range within each.
fn pieces(at: u64, len: usize) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let start = usize::try_from(at).unwrap_or(usize::MAX);
    let end = start.saturating_add(len);
    let blocks = start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES);
    blocks.map(move |index| {
        let first = index * BLOCK_BYTES;
        let from = start.saturating_sub(first);
        (index, from..(end - first).min(BLOCK_BYTES))
    })
}

/// One thing that a write did to a file.
#[derive(Clone, Debug)]
pub enum Change {
    /// A block is now so.
    Block(usize, Block),
    /// The file is now this long.
    Length(u64),
}

/// A change that no sync has made durable.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Which operation made it.
    pub operation: usize,
    /// The change.
    pub change: Change,
    /// A sync has failed since: the system takes it for written, and no sync will write it.
    pub is_doubtful: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Content {
    durable: Pages,
    live: Pages,
    pending: Vec<Pending>,
}

impl Content {
    /// What programs see.
    pub fn live(&self) -> &Pages {
        &self.live
    }

    /// What no sync has made durable.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// A change by a program.
    pub fn change(&mut self, operation: usize, change: Change) {
        apply(&mut self.live, &change);
        self.pending.push(Pending { operation, change, is_doubtful: false });
    }

    /// A sync that succeeds: everything is durable but what an earlier, failed one has dropped.
    pub fn sync(&mut self) {
        let mut doubtful: Vec<Pending> = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            if pending.is_doubtful {
                doubtful.push(pending);
                continue;
            }
            doubtful.retain(|earlier| !is_replaced(&earlier.change, &pending.change));
            apply(&mut self.durable, &pending.change);
        }
        self.pending = doubtful;
    }

    /// A sync that fails: nothing of what it was for can be made durable any more.
    pub fn fail_sync(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.is_doubtful = true);
    }

    /// What the medium has after a power cut in which those changes survive that `survives`.
    pub fn settled(&self, survives: &mut dyn FnMut(&Pending) -> bool) -> Content {
        let mut pages = self.durable.clone();
        for pending in self.pending.iter().filter(|pending| survives(pending)) {
            apply(&mut pages, &pending.change);
        }
        pages.trim();
        Content { live: pages.clone(), durable: pages, pending: Vec::new() }
    }

    /// Turns one bit over on the medium. Answers false if the file is too short.
    pub fn flip(&mut self, byte: u64, bit: u8) -> bool {
        let mut found = [0];
        if self.live.read(&mut found, byte) == 0 {
            return false;
        }
        let flipped = found.map(|byte| byte ^ 1 << (bit % 8));
        for (index, block) in self.live.overlay(&flipped, byte) {
            self.live.put(index, Arc::clone(&block));
            self.durable.put(index, block);
        }
        true
    }
}

fn apply(pages: &mut Pages, change: &Change) {
    match change {
        Change::Block(index, block) => pages.put(*index, Arc::clone(block)),
        Change::Length(bytes) => pages.lengthen(*bytes),
    }
}

/// Whether nothing is left of `earlier` once `later` is durable.
fn is_replaced(earlier: &Change, later: &Change) -> bool {
    match (earlier, later) {
        (Change::Block(earlier, _), Change::Block(later, _)) => earlier == later,
        (Change::Length(earlier), Change::Length(later)) => earlier <= later,
        _ => false,
    }
}
