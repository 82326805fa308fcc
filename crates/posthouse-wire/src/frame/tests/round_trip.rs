//! What was encoded comes back, however it is cut on its way.

use bytes::{Buf, BufMut, BytesMut};

use super::{bytes_of, frames};
use crate::frame::{Decoder, Frame, encode};
use crate::fuzz::xorshift;

const DECODER: Decoder = Decoder { bytes_max: 1 << 20 };

fn decode_in_pieces(mut bytes: BytesMut, mut piece: impl FnMut() -> usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut input = BytesMut::new();
    while bytes.has_remaining() {
        let length = piece().clamp(1, bytes.len());
        input.put(bytes.split_to(length));
        while let Some(frame) = DECODER.next(&mut input).unwrap() {
            frames.push(frame);
        }
    }
    assert!(input.is_empty());
    frames
}

#[test]
fn frames_come_back_as_they_went() {
    let mut all = BytesMut::new();
    frames().iter().for_each(|frame| encode(frame, &mut all));
    assert_eq!(decode_in_pieces(all.clone(), || usize::MAX), frames());
    assert_eq!(decode_in_pieces(all.clone(), || 1), frames());
    for seed in 1..200 {
        let mut seed = seed;
        let piece = || (xorshift(&mut seed) % 40) as usize;
        assert_eq!(decode_in_pieces(all.clone(), piece), frames());
    }
}

/// The page of the protocol says so.
#[test]
fn a_frame_is_length_kind_number_and_fields() {
    assert_eq!(&*bytes_of(&Frame::Beat), [0, 0, 0, 9, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
    let fault = bytes_of(&Frame::Fault { detail: "no".into() });
    let expected = [0, 0, 0, 16, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, b'n', b'o'];
    assert_eq!(&*fault, expected);
}

#[test]
fn what_is_new_is_passed_over() {
    let mut bytes = BytesMut::from(&[0, 0, 0, 10, 200, 0, 0, 0, 0, 0, 0, 0, 0, 77][..]);
    let mut cancel = bytes_of(&Frame::Cancel { number: 5 });
    cancel.put_slice(&[99, 0, 0, 0, 1, 1]);
    cancel[3] += 6;
    bytes.put(cancel);
    assert_eq!(DECODER.next(&mut bytes), Ok(Some(Frame::Cancel { number: 5 })));
}
