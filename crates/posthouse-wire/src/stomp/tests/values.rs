//! Heart-beats, versions, commands and error texts.

use std::collections::HashSet;

use crate::stomp::{Command, DecodeError, DecodeErrorKind, EncodeError, HeartBeat, Version};

#[test]
fn heart_beat_values() {
    fn check(text: &str, expected: Option<(u32, u32)>) {
        let parsed = HeartBeat::parse(text);
        let pair = parsed.as_ref().ok().map(|beat| (beat.send_ms, beat.want_ms));
        assert_eq!(pair, expected, "{text:?}");
        if let Ok(beat) = parsed {
            assert_eq!(HeartBeat::parse(&beat.to_string()), Ok(beat));
        }
    }
    check("0,0", Some((0, 0)));
    check("10000,5000", Some((10_000, 5_000)));
    check("0,4294967295", Some((0, u32::MAX)));
    for wrong in ["", ",", "1", "1,", ",1", "1,2,3", "+1,2", "-1,2", "1, 2", "1,4294967296", "a,b"]
    {
        check(wrong, None);
    }
}

#[test]
fn heart_beat_agreement() {
    fn check(ours: (u32, u32), theirs: (u32, u32), expected: (u32, u32)) {
        let beat = |(send_ms, want_ms)| HeartBeat { send_ms, want_ms };
        assert_eq!(HeartBeat::agree(beat(ours), beat(theirs)), beat(expected));
        // Seen from the other side the directions change places.
        let turned = (expected.1, expected.0);
        assert_eq!(HeartBeat::agree(beat(theirs), beat(ours)), beat(turned));
    }
    check((0, 0), (0, 0), (0, 0));
    check((100, 200), (0, 0), (0, 0));
    check((100, 200), (300, 400), (400, 300));
    check((100, 0), (300, 50), (100, 0));
    check((0, 200), (300, 50), (0, 300));
}

#[test]
fn version_negotiation() {
    fn check(list: Option<&str>, expected: Option<Version>) {
        assert_eq!(Version::negotiate(list).ok(), expected, "{list:?}");
    }
    check(None, Some(Version::V1_0));
    check(Some("1.0"), Some(Version::V1_0));
    check(Some("1.1,1.0"), Some(Version::V1_1));
    check(Some("1.0, 1.1 ,1.2,2.0"), Some(Version::V1_2));
    check(Some(Version::OFFER), Some(Version::V1_2));
    check(Some(""), None);
    check(Some("1.20"), None);
    check(Some("2.0,3.1"), None);
}

#[test]
fn commands_round_trip() {
    for command in Command::ALL {
        assert_eq!(Command::parse(command.as_str().as_bytes()), Some(command));
    }
    assert_eq!(Command::parse(b""), None);
    assert_eq!(Command::parse(b"SENDX"), None);
    assert_eq!(Command::parse(b"UNSUBSCRIBE "), Some(Command::Unsubscribe));
}

#[test]
fn codes_are_distinct_and_in_range() {
    let mut codes: Vec<_> = DecodeErrorKind::ALL.map(DecodeErrorKind::code).to_vec();
    codes.extend(ENCODE_ERRORS.iter().map(EncodeError::code));
    assert!(codes.iter().all(|code| code.starts_with("PH10") && code.len() == 6));
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
}

const ENCODE_ERRORS: [EncodeError; 4] = [
    EncodeError::HeaderNameEmpty,
    EncodeError::HeaderReserved,
    EncodeError::BodyNotAllowed(Command::Ack),
    EncodeError::BodyNul,
];

#[test]
fn errors_speak_to_people() {
    fn check(bytes: &[u8], expected: &str) {
        let error = DecodeError::quoting(DecodeErrorKind::HeaderWithoutColon, bytes);
        let advice = "; write headers as name:value, and a blank line after them";
        assert_eq!(error.to_string(), format!("header line without a colon: {expected}{advice}"));
        assert_eq!(error.code(), "PH1003");
    }
    check(b"foo", r#""foo""#);
    check(b"a\x1b[31m\n\"\xff", r#""a\x1b[31m\n\"\xff""#);
    check(&[b'x'; 64], &format!("\"{}\"", "x".repeat(64)));
    check(&[b'x'; 65], &format!("\"{}\"...", "x".repeat(64)));
}
