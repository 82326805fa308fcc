//! When a checkpoint is wanted.

/// Part of an ordinary segment that must have been submitted before another checkpoint is tried
/// while there is no room.
const PATIENCE_PARTS: u64 = 8;

/// The same in bytes at least: what the empty batch of a checkpoint takes in the shortest segment
/// is not reason enough for the next one.
const PATIENCE_BYTES_LEAST: u64 = 16 << 10;

/// See the module. Bytes are those of the journal, padding included.
#[derive(Debug)]
pub(super) struct Appetite {
    bytes_least: u64,
    segment_bytes: u64,
    last_checkpoint_bytes: u64,
    /// Submitted since the last checkpoint that counts.
    since_bytes: u64,
    /// How much of that the checkpoint takes in that is being made.
    taken_bytes: Option<u64>,
    /// How much there was when the last try found no room.
    tried_bytes: Option<u64>,
    is_told: bool,
    /// How much there was then.
    told_bytes: u64,
    /// Something has been moved, so that the next checkpoint frees where it was.
    is_owing: bool,
}

impl Appetite {
    pub(super) fn new(bytes_least: u64, segment_bytes: u64) -> Appetite {
        Appetite {
            bytes_least,
            segment_bytes,
            last_checkpoint_bytes: 0,
            since_bytes: 0,
            taken_bytes: None,
            tried_bytes: None,
            is_told: false,
            told_bytes: 0,
            is_owing: false,
        }
    }

    /// The length of the checkpoint that holds.
    pub(super) fn set_last_checkpoint(&mut self, bytes: u64) {
        self.last_checkpoint_bytes = bytes;
    }

    /// So many bytes of journal were used up.
    pub(super) fn eat(&mut self, bytes: u64) {
        self.since_bytes += bytes;
    }

    /// Whether a checkpoint is to be asked for now; true once for each.
    pub(super) fn is_due(&mut self, is_full: bool) -> bool {
        let patience = (self.segment_bytes / PATIENCE_PARTS).max(PATIENCE_BYTES_LEAST);
        let wants = match self.tried_bytes {
            Some(tried) => self.since_bytes >= tried + patience,
            None if is_full => self.is_owing || self.since_bytes >= patience,
            None => self.since_bytes >= self.interval_bytes(),
        };
        self.tell(wants)
    }

    /// The same when time has passed, or what a checkpoint frees is needed: anything new is
    /// enough.
    pub(super) fn is_due_at_last(&mut self) -> bool {
        let wants = self.is_owing || self.since_bytes > 0;
        self.tell(wants)
    }

    /// The same when the segments take too much: what is to be freed must be worth it.
    pub(super) fn is_due_for_room(&mut self) -> bool {
        let wants = self.frees_something();
        self.tell(wants)
    }

    /// Whether room will be freed by the checkpoint that comes next, or is being made.
    pub(super) fn would_free(&self) -> bool {
        self.is_busy() || self.is_told || self.frees_something()
    }

    /// Whether the broker was asked for a checkpoint and has submitted nothing since.
    pub(super) fn has_just_asked(&self) -> bool {
        self.is_told && !self.is_busy() && self.since_bytes == self.told_bytes
    }

    fn frees_something(&self) -> bool {
        self.is_owing || self.since_bytes >= self.segment_bytes
    }

    /// The next checkpoint frees something, although there may be nothing new.
    pub(super) fn owe(&mut self) {
        self.is_owing = true;
    }

    /// How many bytes of journal there are between checkpoints.
    pub(super) fn interval_bytes(&self) -> u64 {
        self.bytes_least.max(2 * self.last_checkpoint_bytes)
    }

    /// The same whatever was submitted, because somebody asks for a checkpoint.
    pub(super) fn is_due_anyway(&mut self) -> bool {
        self.tell(true)
    }

    fn tell(&mut self, wants: bool) -> bool {
        let tells = wants && !self.is_told && self.taken_bytes.is_none();
        self.is_told |= tells;
        if tells {
            self.told_bytes = self.since_bytes;
        }
        tells
    }

    /// A checkpoint of everything so far is being made.
    pub(super) fn begin(&mut self) {
        self.is_told = true;
        self.taken_bytes = Some(self.since_bytes);
    }

    /// Whether a checkpoint, or what follows it, is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.taken_bytes.is_some()
    }

    /// The checkpoint that was being made counts, and is so long.
    pub(super) fn count(&mut self, checkpoint_bytes: u64) {
        self.last_checkpoint_bytes = checkpoint_bytes;
        self.since_bytes -= self.taken_bytes.unwrap_or(0);
        self.taken_bytes = Some(0);
        self.tried_bytes = None;
        self.is_owing = false;
    }

    /// The checkpoint and what follows it are over, whether or not it counts.
    pub(super) fn end(&mut self, has_found_room: bool) {
        if !has_found_room {
            self.tried_bytes = Some(self.since_bytes);
        }
        self.taken_bytes = None;
        self.is_told = false;
    }
}

#[cfg(test)]
mod tests {
    use super::Appetite;

    #[test]
    fn a_checkpoint_is_asked_for_once_per_interval() {
        let mut appetite = Appetite::new(1_000, 80);
        appetite.eat(999);
        assert!(!appetite.is_due(false));
        appetite.eat(1);
        assert!(appetite.is_due(false));
        assert!(!appetite.is_due(false), "once is enough");
        appetite.begin();
        appetite.eat(400);
        assert!(!appetite.is_due_at_last(), "one at a time");
        appetite.count(700);
        appetite.end(true);
        appetite.eat(999);
        assert!(!appetite.is_due(false), "twice the last one is more than the interval");
        appetite.eat(1);
        assert!(appetite.is_due(false));
    }

    #[test]
    fn what_was_moved_makes_a_checkpoint_worth_it() {
        let mut appetite = Appetite::new(1_000, 80);
        appetite.eat(79);
        assert!(!appetite.would_free() && !appetite.is_due_for_room());
        appetite.owe();
        assert!(!appetite.is_due(false), "it can wait");
        assert!(appetite.would_free() && appetite.is_due_for_room());
        assert!(!appetite.is_due_for_room(), "once is enough");
        appetite.begin();
        appetite.count(10);
        appetite.end(true);
        assert!(!appetite.would_free());
        appetite.eat(80);
        assert!(appetite.is_due_for_room(), "a whole segment may be dead");
    }

    #[test]
    fn without_room_a_checkpoint_is_tried_again_when_there_is_something_new() {
        let mut appetite = Appetite::new(1 << 20, 160 << 10);
        appetite.eat(20 << 10);
        assert!(appetite.is_due(true));
        appetite.begin();
        appetite.end(false);
        assert!(!appetite.is_due(true));
        appetite.eat(20 << 10);
        assert!(appetite.is_due(true));
    }

    #[test]
    fn what_a_checkpoint_takes_itself_does_not_make_another_one_due() {
        let mut appetite = Appetite::new(1 << 20, 64 << 10);
        appetite.eat(3 * 4_096);
        assert!(!appetite.is_due(true), "an empty batch at the end of the shortest segment");
        appetite.eat(4_096);
        assert!(appetite.is_due(true));
    }
}
