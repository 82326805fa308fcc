//! The golden files, each case in every way of cutting it.

use super::render_all_ways;
use crate::golden::{Golden, golden_cases};
use crate::stomp::{DecodeErrorKind, Decoded, Decoder, FrameLimits, Version};

/// Errors are shown by their codes, and what is left only when there is something.
fn check(version: Version, case: &Golden) {
    let mut lines = render_all_ways(version, FrameLimits::AFTER_LOGIN, &case.input);
    lines.retain(|line| line != "... 0 bytes" && line != "... 1 bytes");
    for line in &mut lines {
        let mut kinds = DecodeErrorKind::ALL.into_iter();
        if let Some(kind) = kinds.rfind(|kind| line.starts_with(kind.event())) {
            *line = kind.code().to_owned();
        }
    }
    assert_eq!(lines.join("\n"), case.expected, "{version}: {}", case.title);
    check_prefixes(version, &case.input);
}

/// What a decoder remembers of an unfinished frame must not change what it finds in the end.
fn check_prefixes(version: Version, input: &[u8]) {
    let mut decoder = Decoder::new(FrameLimits::AFTER_LOGIN, version);
    let whole = format!("{:?}", decoder.decode(input));
    let mut decoder = Decoder::new(FrameLimits::AFTER_LOGIN, version);
    for end in 0..=input.len() {
        match decoder.decode(&input[..end]) {
            Ok(Decoded::Incomplete) if end < input.len() => {}
            Ok(Decoded::HeartBeat { .. }) => return,
            outcome => {
                assert_eq!(format!("{outcome:?}"), whole, "{version}: {}", input.escape_ascii());
                return;
            }
        }
    }
}

fn check_file(versions: &[Version], file: &str) {
    for version in versions {
        for case in golden_cases(file) {
            check(*version, &case);
        }
    }
}

#[test]
fn all_versions() {
    check_file(&Version::ALL, include_str!("../../../testdata/stomp/all.txt"));
}

#[test]
fn version_1_0() {
    check_file(&[Version::V1_0], include_str!("../../../testdata/stomp/1.0.txt"));
}

#[test]
fn version_1_1() {
    check_file(&[Version::V1_1], include_str!("../../../testdata/stomp/1.1.txt"));
}

#[test]
fn version_1_2() {
    check_file(&[Version::V1_2], include_str!("../../../testdata/stomp/1.2.txt"));
}
