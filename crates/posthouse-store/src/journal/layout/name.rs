//! Names of files: a number of 16 lower-case hexadecimal digits, and what it is. Other spellings
//! of the same number are not ours.

use posthouse_core::ids::BatchNo;

/// The two slots of the manifest.
pub const MANIFEST_NAMES: [&str; 2] = ["manifest.a", "manifest.b"];
/// How the name of a file ends while it is being written.
pub const UNFINISHED: &str = ".new";

/// The numbers of spares are below this.
const SPARE_NUMBER_END: u64 = 1 << 48;

const SEGMENT: &str = ".segment";
const SPARE: &str = ".spare";
const CHECKPOINT: &str = ".checkpoint";

/// The name of the segment with this id.
pub fn segment_name(id: u64) -> String {
    name(id, SEGMENT)
}

/// The id of the segment with this name. `None` if it is not the name of a segment.
pub fn segment_id(name: &str) -> Option<u64> {
    number(name, SEGMENT)
}

/// The name of the spare with this number.
pub fn spare_name(number: u64) -> String {
    name(number, SPARE)
}

/// The number of the spare with this name. `None` if it is not the name of a spare: numbers are
/// given out in turn, so no spare has one that nothing could come after.
pub fn spare_number(name: &str) -> Option<u64> {
    number(name, SPARE).filter(|number| *number < SPARE_NUMBER_END)
}

/// The name of the checkpoint of the state after this batch.
pub fn checkpoint_name(batch: BatchNo) -> String {
    name(batch.0, CHECKPOINT)
}

/// The batch of the checkpoint with this name. `None` if it is not the name of a checkpoint.
pub fn checkpoint_batch(name: &str) -> Option<BatchNo> {
    number(name, CHECKPOINT).map(BatchNo)
}

fn name(number: u64, what: &str) -> String {
    format!("{number:016x}{what}")
}

fn number(name: &str, what: &str) -> Option<u64> {
    let digits = name.strip_suffix(what).filter(|digits| digits.len() == 16)?;
    let is_ours = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(digits, 16).ok().filter(|_| is_ours)
}
