//! How large a frame of a peer may be, part by part.

use posthouse_core::limits::{
    STOMP_FRAME_BEFORE_LOGIN_BYTES_MAX, STOMP_FRAME_BYTES_MAX, STOMP_HEADER_BLOCK_BYTES_MAX,
    STOMP_HEADER_COUNT_MAX, STOMP_HEADER_NAME_BYTES_MAX, STOMP_HEADER_VALUE_BYTES_MAX,
};

use super::error::DecodeErrorKind;

/// The bounds that a decoder holds a peer to. A length at its bound is accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameLimits {
    /// The whole frame, from its command to its NUL.
    pub frame_bytes_max: usize,
    /// Command line, header lines and blank line together.
    pub header_block_bytes_max: usize,
    /// Header lines of one frame.
    pub header_count_max: usize,
    /// One header name, as it stands on the wire.
    pub header_name_bytes_max: usize,
    /// One header value, as it stands on the wire.
    pub header_value_bytes_max: usize,
}

impl FrameLimits {
    /// For a peer that has logged in.
    pub const AFTER_LOGIN: Self = Self {
        frame_bytes_max: STOMP_FRAME_BYTES_MAX,
        header_block_bytes_max: STOMP_HEADER_BLOCK_BYTES_MAX,
        header_count_max: STOMP_HEADER_COUNT_MAX,
        header_name_bytes_max: STOMP_HEADER_NAME_BYTES_MAX,
        header_value_bytes_max: STOMP_HEADER_VALUE_BYTES_MAX,
    };

    /// For a peer that anyone may be.
    pub const BEFORE_LOGIN: Self =
        Self { frame_bytes_max: STOMP_FRAME_BEFORE_LOGIN_BYTES_MAX, ..Self::AFTER_LOGIN };

    /// The bound that the header block meets first.
    pub(super) fn block_bytes_max(&self) -> usize {
        self.header_block_bytes_max.min(self.frame_bytes_max)
    }

    /// The error for a header block over [`FrameLimits::block_bytes_max`].
    pub(super) fn block_error_kind(&self) -> DecodeErrorKind {
        if self.frame_bytes_max < self.header_block_bytes_max {
            DecodeErrorKind::FrameTooLong
        } else {
            DecodeErrorKind::HeaderBlockTooLong
        }
    }
}
