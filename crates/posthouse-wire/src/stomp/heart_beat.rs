//! The `heart-beat` header: what each side can send and wants to receive.

use std::fmt;

use super::error::{DecodeError, DecodeErrorKind};

/// One side's half of the heart-beat agreement, or the outcome of it; 0 means "none".
///
/// Source: STOMP 1.2, section "Heart-beating".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HeartBeat {
    /// The longest pause, in milliseconds, that this side leaves between two sends.
    pub send_ms: u32,
    /// The longest pause, in milliseconds, that this side wants between two receipts of bytes.
    pub want_ms: u32,
}

impl HeartBeat {
    /// No heart-beats in either direction: what a missing header means.
    pub const NONE: Self = Self { send_ms: 0, want_ms: 0 };

    /// Reads `cx,cy`: two decimal numbers with nothing around them.
    ///
    /// # Errors
    /// [`DecodeErrorKind::HeartBeatInvalid`] for anything else, also for a number over 32 bits.
    pub fn parse(text: &str) -> Result<Self, DecodeError> {
        let invalid = || DecodeError::quoting(DecodeErrorKind::HeartBeatInvalid, text.as_bytes());
        let (send, want) = text.split_once(',').ok_or_else(invalid)?;
        let send_ms = parse_ms(send).ok_or_else(invalid)?;
        let want_ms = parse_ms(want).ok_or_else(invalid)?;
        Ok(Self { send_ms, want_ms })
    }

    /// What both sides hold to, seen from ours: a direction beats only when its sender can and its
    /// receiver wants it, and then at the slower of the two paces.
    pub fn agree(ours: Self, theirs: Self) -> Self {
        Self {
            send_ms: slower(ours.send_ms, theirs.want_ms),
            want_ms: slower(ours.want_ms, theirs.send_ms),
        }
    }
}

impl fmt::Display for HeartBeat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{}", self.send_ms, self.want_ms)
    }
}

/// The standard parser also takes a plus sign, which is no digit.
fn parse_ms(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn slower(one_ms: u32, other_ms: u32) -> u32 {
    if one_ms == 0 || other_ms == 0 { 0 } else { one_ms.max(other_ms) }
}
