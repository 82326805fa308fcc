//! Searches over header lines, eight bytes at a time.
//!
//! Names and values are mostly shorter than twenty bytes: calling a search routine that picks the
//! best instructions for long inputs costs more than the search. These are short enough to be
//! compiled into the loop over the lines. A word is treated as eight lanes (Hacker's Delight,
//! section 6-1): subtracting borrows into the high bit of each lane that is smaller, and the
//! lowest such lane, which is the first byte, is always right.

const LANES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = LANES * 0x80;

/// The position of the first byte up to a line feed in value, NUL among them: the bytes that may
/// end a line.
#[inline(always)]
pub(super) fn find_control(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| lanes_below(word, b'\n' + 1), |byte| byte <= b'\n')
}

/// The position of the first colon, or of what [`find_control`] finds when that comes before.
#[inline(always)]
pub(super) fn find_colon_or_control(bytes: &[u8]) -> Option<usize> {
    find(
        bytes,
        |word| lanes_below(word, b'\n' + 1) | lanes_equal(word, b':'),
        |byte| byte <= b'\n' || byte == b':',
    )
}

/// Finds by words, and by bytes in what is left.
#[inline(always)]
fn find(bytes: &[u8], lanes: impl Fn(u64) -> u64, matches: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let found = lanes(u64::from_le_bytes(*word)) & HIGH_BITS;
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    let at = rest.iter().position(|&byte| matches(byte))?;
    Some(bytes.len() - rest.len() + at)
}

fn lanes_below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(LANES * u64::from(byte)) & !word
}

fn lanes_equal(word: u64, byte: u8) -> u64 {
    lanes_below(word ^ (LANES * u64::from(byte)), 1)
}
