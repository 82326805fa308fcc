//! Frames to bytes.

use bytes::{BufMut, BytesMut};

use super::{Frame, HEAD_BYTES, LENGTH_BYTES, field, kind};

/// The tag of what a FAULT says.
pub(super) const FAULT_DETAIL: u8 = 1;

/// Appends a frame to `out`. Whoever writes keeps to what the peer takes: see [`encoded_bytes`].
pub fn encode(frame: &Frame, out: &mut BytesMut) {
    let start = out.len();
    out.put_bytes(0, LENGTH_BYTES);
    let (kind, number) = head(frame);
    out.put_u8(kind);
    out.put_u64(number);
    match frame {
        Frame::Hello(hello) => hello.put(out),
        Frame::Request { request, .. } => request.put(out),
        Frame::Answer { answer, .. } => answer.put(out),
        Frame::Fault { detail } => field::put_text(out, FAULT_DETAIL, Some(detail)),
        Frame::Cancel { .. } | Frame::Beat | Frame::Leaving { .. } => {}
    }
    let length = out.len() - start - LENGTH_BYTES;
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start..start + LENGTH_BYTES) {
        place.copy_from_slice(&length);
    }
}

/// What a peer counts of a frame that was encoded alone into so many bytes.
pub fn encoded_bytes(bytes: usize) -> usize {
    bytes.saturating_sub(LENGTH_BYTES).max(HEAD_BYTES)
}

fn head(frame: &Frame) -> (u8, u64) {
    match frame {
        Frame::Hello(_) => (kind::HELLO, 0),
        Frame::Request { number, .. } => (kind::REQUEST, *number),
        Frame::Answer { number, .. } => (kind::ANSWER, *number),
        Frame::Cancel { number } => (kind::CANCEL, *number),
        Frame::Beat => (kind::BEAT, 0),
        Frame::Leaving { last } => (kind::LEAVING, *last),
        Frame::Fault { .. } => (kind::FAULT, 0),
    }
}
