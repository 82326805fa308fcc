//! Each limit one under, at, and one over.

use super::render_all_ways;
use crate::stomp::{FrameLimits, Version};

const LIMITS: FrameLimits = FrameLimits {
    frame_bytes_max: 200,
    header_block_bytes_max: 100,
    header_count_max: 4,
    header_name_bytes_max: 10,
    header_value_bytes_max: 20,
};

/// `input` is given the length that is tried; `at` is the greatest one allowed.
fn check(limits: FrameLimits, at: usize, complaint: &str, input: impl Fn(usize) -> Vec<u8>) {
    for version in Version::ALL {
        for length in [at - 1, at] {
            let lines = render_all_ways(version, limits, &input(length));
            assert!(lines[0].starts_with("SEND"), "{length}: {lines:?}");
        }
        let lines = render_all_ways(version, limits, &input(at + 1));
        assert!(lines[0].starts_with(complaint), "{}: {lines:?}", at + 1);
        assert_eq!(lines[1..], ["... 0 bytes"]);
    }
}

/// A frame with as many bytes in its header block as asked for: 6 for the command and the blank
/// line, the rest in headers of at most 23 bytes.
fn block_of(length: usize) -> Vec<u8> {
    let mut rest = length - 6;
    let mut frame = b"SEND\n".to_vec();
    while rest > 0 {
        let line = if rest > 23 { 20 } else { rest };
        frame.extend_from_slice(b"a:");
        frame.resize(frame.len() + line - 3, b'x');
        frame.push(b'\n');
        rest -= line;
    }
    frame.extend_from_slice(b"\n\0");
    frame
}

#[test]
fn header_name() {
    check(LIMITS, 10, "header name too long: \"nnnnnnnnnnn", |length| {
        [b"SEND\n", "n".repeat(length).as_bytes(), b":v\n\n\0"].concat()
    });
}

#[test]
fn header_value() {
    check(LIMITS, 20, "header value too long: \"n:vvv", |length| {
        [b"SEND\nn:", "v".repeat(length).as_bytes(), b"\n\n\0"].concat()
    });
}

#[test]
fn header_count() {
    check(LIMITS, 4, "too many headers: more than 4 headers", |length| {
        [b"SEND\n", "n:v\n".repeat(length).as_bytes(), b"\n\0"].concat()
    });
}

#[test]
fn header_block() {
    let limits = FrameLimits { header_count_max: 9, ..LIMITS };
    check(limits, 100, "headers too long: more than 100 bytes", block_of);
    let limits = FrameLimits { frame_bytes_max: 51, ..limits };
    check(limits, 50, "frame too long: more than 51 bytes", block_of);
}

#[test]
fn frame_with_its_length() {
    let limits = FrameLimits { header_name_bytes_max: 20, ..LIMITS };
    check(limits, 174, "frame too long: more than 200 bytes", |length| {
        let head = format!("SEND\ncontent-length:{length}\n\n");
        assert_eq!(head.len(), 25);
        [head.as_bytes(), "b".repeat(length).as_bytes(), b"\0"].concat()
    });
}

#[test]
fn frame_until_its_nul() {
    check(LIMITS, 193, "frame too long: more than 200 bytes", |length| {
        [b"SEND\n\n", "b".repeat(length).as_bytes(), b"\0"].concat()
    });
}

/// What never ends is refused as soon as it passes its limit.
#[test]
fn endless_parts() {
    for (start, filling) in [
        ("", "A"),
        ("SEND\n", "n"),
        ("SEND\nn:", "v"),
        ("SEND\n", "n:v\n"),
        ("SEND\n\n", "b"),
        ("SEND\ncontent-length:100000\n\n", ""),
    ] {
        for limits in [FrameLimits::BEFORE_LOGIN, FrameLimits::AFTER_LOGIN, LIMITS] {
            let frame_bytes_max = limits.frame_bytes_max.min(64 * 1024);
            let limits = FrameLimits { frame_bytes_max, ..limits };
            let input = [start, &filling.repeat(frame_bytes_max)].concat();
            let lines = render_all_ways(Version::V1_2, limits, input.as_bytes());
            assert!(lines[0].contains("too "), "{start:?}: {lines:?}");
        }
    }
}

#[test]
fn endless_heart_beats() {
    let input = b"\n\r\n".repeat(100_000);
    let lines = render_all_ways(Version::V1_1, LIMITS, &input);
    assert_eq!(lines, ["... 0 bytes"]);
}
