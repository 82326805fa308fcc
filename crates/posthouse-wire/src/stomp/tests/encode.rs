//! What is written, what is refused, and that it can be read again.

use super::render_frame;
use crate::fuzz::xorshift;
use crate::stomp::{
    Command, Decoded, Decoder, EncodeError, Escaping, FrameLimits, FrameWriter, Version,
    escape_into,
};

/// Ends a frame where an outcome is asked for.
fn finish(frame: FrameWriter<'_>) -> Outcome {
    frame.finish();
    Ok(())
}

type Outcome = Result<(), EncodeError>;

/// `write` fills a SEND frame; what is not refused has to be `expected`.
fn check(version: Version, write: fn(FrameWriter<'_>) -> Outcome, expected: Result<&[u8], &str>) {
    let mut out = b"before".to_vec();
    let outcome = write(FrameWriter::new(&mut out, version, Command::Send));
    let written = out.strip_prefix(b"before").expect("what was there stays");
    match expected {
        Ok(bytes) => {
            assert_eq!(written.escape_ascii().to_string(), bytes.escape_ascii().to_string());
        }
        Err(_) => assert_eq!(written, b"", "nothing stays of a frame that was given up"),
    }
    assert_eq!(outcome.map_err(|error| error.code()), expected.map(|_| ()));
}

#[test]
fn frames() {
    let [v1_0, v1_1, v1_2] = Version::ALL;
    for version in Version::ALL {
        check(version, finish, Ok(b"SEND\n\n\0"));
        check(version, |frame| frame.body(b""), Ok(b"SEND\ncontent-length:0\n\n\0"));
        check(version, |frame| frame.body(b"a\0"), Ok(b"SEND\ncontent-length:2\n\na\0\0"));
        check(version, |frame| frame.body_without_length(b"a\n"), Ok(b"SEND\n\na\n\0"));
        check(version, |frame| frame.body_without_length(b"a\0"), Err("PH1035"));
        check(version, |mut frame| frame.header("", "v").map(drop), Err("PH1032"));
        check(version, |mut frame| frame.header("content-length", "1").map(drop), Err("PH1033"));
        check(version, |mut frame| frame.header("a", "b\0c").map(drop), Err("PH1031"));
    }
    fn hostile(mut frame: FrameWriter<'_>) -> Outcome {
        frame.header("a:b", "c:d\ne\\f")?.header_number("n", u64::MAX)?;
        frame.header_display("f", format_args!("x{}{}", ':', 7))?;
        finish(frame)
    }
    let rest = "n:18446744073709551615\nf:x\\c7\n\n\0";
    let escaped = format!("SEND\na\\cb:c\\cd\\ne\\\\f\n{rest}");
    check(v1_0, hostile, Err("PH1031"));
    check(v1_1, hostile, Ok(escaped.as_bytes()));
    check(v1_2, hostile, Ok(escaped.as_bytes()));
}

/// A refused header leaves nothing behind, and the frame can go on without it.
#[test]
fn refused_headers_are_left_out() {
    fn injecting(mut frame: FrameWriter<'_>) -> Outcome {
        frame.header("before", "1")?;
        assert!(frame.header("a", "b\ninjected:1").is_err());
        assert!(frame.header("a\ninjected", "1").is_err());
        assert!(frame.header("a:b", "1").is_err());
        assert!(frame.header("a", "b\r").is_err());
        assert!(frame.header_display("a", "b\n\n\0SEND").is_err());
        frame.header("after", "2:3")?;
        finish(frame)
    }
    check(Version::V1_0, injecting, Ok(b"SEND\nbefore:1\nafter:2:3\n\n\0"));
    let mut out = Vec::new();
    let handshake = FrameWriter::new(&mut out, Version::V1_2, Command::Connect);
    assert_eq!(injecting(handshake), Ok(()));
    assert_eq!(out, b"CONNECT\nbefore:1\nafter:2:3\n\n\0");
}

#[test]
fn refusals_speak_to_people() {
    let mut out = Vec::new();
    let mut frame = FrameWriter::new(&mut out, Version::V1_0, Command::Send);
    let error = frame.header("no\"te", "a\nb").map(drop).expect_err("a line feed in 1.0");
    assert_eq!(
        error.to_string(),
        "header \"no\\\"te\" holds the byte 0x0a, which this version of STOMP cannot express here; \
         leave the header out or use a later version"
    );
    drop(frame);
    let ack = FrameWriter::new(&mut out, Version::V1_2, Command::Ack);
    assert_eq!(ack.body(b"x"), Err(EncodeError::BodyNotAllowed(Command::Ack)));
}

/// The shared tail of a message makes the same frame as writing it in one go.
#[test]
fn message_tails() -> Outcome {
    for version in Version::ALL {
        let mut tail = Vec::new();
        let mut writer = FrameWriter::message_tail(&mut tail, version);
        writer.header("destination", "/queue/a")?;
        writer.body(b"hello")?;
        let mut frame = Vec::new();
        let mut writer = FrameWriter::new(&mut frame, version, Command::Message);
        writer.header_number("subscription", 1)?;
        writer.finish_with(&tail);
        let expected: &[u8] =
            b"MESSAGE\nsubscription:1\ndestination:/queue/a\ncontent-length:5\n\nhello\0";
        assert_eq!(frame, expected);
    }
    Ok(())
}

#[test]
fn values() {
    fn check(escaping: Escaping, value: &str, expected: Result<&str, u8>) {
        let mut out = Vec::new();
        let outcome = escape_into(&mut out, value, escaping);
        assert_eq!(outcome.map(|()| out), expected.map(|text| text.as_bytes().to_vec()));
    }
    check(Escaping::Off, "a:b\\n", Ok("a:b\\n"));
    check(Escaping::Off, "a\n", Err(b'\n'));
    check(Escaping::Off, "a\r", Err(b'\r'));
    check(Escaping::V1_1, "\\n\n:\r", Ok("\\\\n\\n\\c\r"));
    check(Escaping::V1_2, "\\n\n:\r", Ok("\\\\n\\n\\c\\r"));
    check(Escaping::V1_2, "größe ✓", Ok("größe ✓"));
    check(Escaping::V1_2, "a\n\0", Err(0));
}

/// Texts of the letters that matter, and a few that do not.
fn any_text(seed: &mut u64) -> String {
    let letters = ['\n', '\r', ':', '\\', 'n', 'c', 'r', 'ü', '✓', ' ', 'a', '\t'];
    let length = xorshift(seed) % 20;
    (0..length).map(|_| letters[(xorshift(seed) % letters.len() as u64) as usize]).collect()
}

#[test]
fn round_trips() {
    let mut seed = 0x005e_ed01;
    for round in 0..5_000 {
        let version = Version::ALL[round % 3];
        let command = Command::ALL[round % Command::ALL.len()];
        let mut expected = command.as_str().to_owned();
        let mut out = Vec::new();
        let mut frame = FrameWriter::new(&mut out, version, command);
        for _ in 0..xorshift(&mut seed) % 6 {
            let (name, mut value) = (any_text(&mut seed), any_text(&mut seed));
            if version == Version::V1_0 {
                value = value.trim_ascii().to_owned();
            }
            if frame.header(&name, &value).is_ok() {
                expected.push_str(&format!(" {name}={value:?}"));
            }
        }
        let body = any_text(&mut seed).replace('a', "\0");
        let body = if command.allows_body() { body } else { String::new() };
        frame.body(body.as_bytes()).expect("the body is allowed");
        expected.push_str(&format!(" content-length=\"{}\"", body.len()));
        if !body.is_empty() {
            expected.push_str(&format!(" | \"{}\"", body.as_bytes().escape_ascii()));
        }
        let mut decoder = Decoder::new(FrameLimits::AFTER_LOGIN, version);
        match decoder.decode(&out) {
            Ok(Decoded::Frame { frame, consumed }) => {
                assert_eq!(render_frame(&frame), expected, "round {round}");
                assert_eq!(consumed, out.len());
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
}
