//! What is not as it should be, and bytes that nobody has thought of.

use bytes::{BufMut, BytesMut};

use super::{bytes_of, frames, request};
use crate::frame::{Decoder, Frame};
use crate::fuzz::xorshift;

const DECODER: Decoder = Decoder { bytes_max: 1_024 };

/// Decodes one frame of this kind with these bytes behind its number.
fn check(kind: u8, payload: &[u8], expected: &str) {
    let mut input = BytesMut::new();
    input.put_u32(u32::try_from(payload.len()).unwrap() + 9);
    input.put_u8(kind);
    input.put_u64(1);
    input.put_slice(payload);
    match DECODER.next(&mut input) {
        Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        Ok(frame) => panic!("{frame:?} instead of {expected:?}"),
    }
}

#[test]
fn each_mistake_is_told() {
    check(0, &[], "no frame of kind 0");
    check(8, &[], "no frame of kind 8");
    check(127, &[], "no frame of kind 127");
    check(3, &[1, 0, 0], "longer than its frame");
    check(3, &[1, 0, 0, 0, 8, 0], "longer than its frame");
    check(3, &[1, 255, 255, 255, 255], "longer than its frame");
    check(3, &[], "lacks the outcome");
    check(3, &[1, 0, 0, 0, 1, 1], "the outcome in a frame is not a number of 8 bytes");
    check(3, &[1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9], "the outcome in a frame is none of 1 to 4");
    check(3, &[1, 0, 0, 0, 8, 255, 0, 0, 0, 0, 0, 0, 0], "the outcome in a frame is negative");
    check(3, &[4, 0, 0, 0, 1, 255], "the reason in a frame is not UTF-8");
    check(3, &[9, 0, 0, 0, 0, 9, 0, 0, 0, 0], "the field 9 has come twice");
    check(2, &[14, 0, 0, 0, 3, 0, 9, 0], "a header in a frame is shorter than its name");
    check(2, &[14, 0, 0, 0, 1, 0], "a header in a frame is shorter than its name");
    check(2, &[], "lacks the request id");
    check(1, &[], "lacks the largest frame");
    check(1, &[6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0], "lacks the largest frame");
    check(1, &[4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1], "lacks the lowest version");
}

#[test]
fn every_field_that_must_be_there_is_missed() {
    let whole = bytes_of(&Frame::Request { number: 1, request: Box::new(request()) });
    let mut rest = &whole[13..];
    let mut missed = 0;
    while let [tag, a, b, c, d, ..] = *rest {
        let length = 5 + u32::from_be_bytes([a, b, c, d]) as usize;
        let at = whole.len() - rest.len();
        let mut without = BytesMut::from(&whole[..at]);
        without.put_slice(&whole[at + length..]);
        let bytes = u32::try_from(without.len() - 4).unwrap();
        without[..4].copy_from_slice(&bytes.to_be_bytes());
        if let Err(error) = DECODER.next(&mut without) {
            assert!(error.to_string().contains("lacks the"), "{tag}: {error}");
            missed += 1;
        }
        rest = &rest[length..];
    }
    assert_eq!(missed, 9);
}

#[test]
fn lengths_are_judged_before_anything_comes() {
    let told = |bytes: [u8; 4]| DECODER.next(&mut BytesMut::from(&bytes[..]));
    assert_eq!(told([0, 0, 4, 0]), Ok(None));
    assert!(told([0, 0, 4, 1]).unwrap_err().to_string().contains("at most 1024"));
    assert!(told([0, 0, 0, 8]).unwrap_err().to_string().contains("9 at least"));
    assert!(told(*b"HTTP").unwrap_err().to_string().contains("speaks the frame protocol"));
}

/// Nothing panics, and what is decoded at all survives another turn.
#[test]
fn any_bytes_end_in_frames_or_an_error() {
    let corpus: Vec<BytesMut> = frames().iter().map(bytes_of).collect();
    let mut seed = 0x9057_4005;
    let mut decoded = 0;
    for round in 0..50_000 {
        let mut input = corpus[round % corpus.len()].clone();
        for _ in 0..=xorshift(&mut seed) % 3 {
            let at = xorshift(&mut seed) as usize % input.len();
            input[at] = xorshift(&mut seed) as u8;
        }
        while let Ok(Some(frame)) = DECODER.next(&mut input) {
            decoded += 1;
            let mut again = bytes_of(&frame);
            assert_eq!(Decoder { bytes_max: 1 << 20 }.next(&mut again), Ok(Some(frame)));
        }
    }
    assert!(decoded > 1_000, "{decoded}");
}
