//! The inbox between reads: stopping, version changes on the way, memory.

use super::render_frame;
use crate::stomp::{Command, DecodeError, FrameLimits, FrameWriter, Inbox, Version};

const FRAMES: &[u8] = b"SEND\na:1\n\nx\0\nSEND\na:2\n\ny\0SEND\na:3\n\nz\0SEN";

fn next(inbox: &mut Inbox, read: &[u8]) -> Result<Option<String>, DecodeError> {
    Ok(inbox.read(read).next_frame()?.map(|frame| render_frame(&frame)))
}

fn send_of(body_bytes: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    let writer = FrameWriter::new(&mut frame, Version::V1_2, Command::Send);
    writer.body(&vec![7; body_bytes]).expect("a SEND may have a body");
    frame
}

/// A session that stops after each frame goes on without new bytes.
#[test]
fn stop_and_go_on() -> Result<(), DecodeError> {
    let mut inbox = Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
    assert_eq!(next(&mut inbox, FRAMES)?.as_deref(), Some(r#"SEND a="1" | "x""#));
    assert_eq!(inbox.held_bytes(), FRAMES.len() - 12);
    assert_eq!(next(&mut inbox, b"")?.as_deref(), Some(r#"SEND a="2" | "y""#));
    assert_eq!(next(&mut inbox, b"D\n")?.as_deref(), Some(r#"SEND a="3" | "z""#));
    assert_eq!(next(&mut inbox, b"")?, None);
    assert_eq!(next(&mut inbox, b"\nlast\0\n")?.as_deref(), Some(r#"SEND | "last""#));
    assert_eq!(next(&mut inbox, b"")?, None);
    assert_eq!((inbox.held_bytes(), inbox.capacity_bytes()), (0, 0));
    Ok(())
}

/// What follows a CONNECT in the same read is read under what the CONNECT has settled.
#[test]
fn version_changes_between_frames() -> Result<(), DecodeError> {
    let mut inbox = Inbox::new(FrameLimits::BEFORE_LOGIN, Version::V1_0);
    let mut reading = inbox.read(b"CONNECT\na:\\n\n\n\0SEND\na: \\n\n\n\0");
    let mut lines = Vec::new();
    while let Some(frame) = reading.next_frame()? {
        lines.push(render_frame(&frame));
        reading.set_version(Version::V1_2);
        reading.set_limits(FrameLimits::AFTER_LOGIN);
    }
    assert_eq!(lines, [r#"CONNECT a="\\n""#, r#"SEND a=" \n""#]);
    Ok(())
}

/// After an error nothing comes any more and nothing is kept.
#[test]
fn nothing_after_an_error() {
    for wrong in [&b"nonsense\n"[..], b"SEND\na:\xff\n\n\0"] {
        let mut inbox = Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
        assert!(next(&mut inbox, &wrong[..3]).is_ok());
        assert!(next(&mut inbox, &wrong[3..]).is_err());
        assert_eq!(next(&mut inbox, FRAMES), Ok(None));
        assert_eq!((inbox.held_bytes(), inbox.capacity_bytes()), (0, 0));
    }
}

/// A large body takes no more memory than its frame, and none before it comes.
#[test]
fn memory_follows_what_was_received() -> Result<(), DecodeError> {
    let frame = send_of(1_000_000);
    let mut inbox = Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
    let mut received = 0;
    for read in frame.chunks(4096) {
        received += read.len();
        let found = inbox.read(read).next_frame()?.map(|frame| frame.body().len());
        assert_eq!(found, (received == frame.len()).then_some(1_000_000));
        assert!(inbox.capacity_bytes() <= frame.len().min(2 * received));
    }
    assert_eq!(inbox.capacity_bytes(), 0);
    Ok(())
}

/// Reads that end within frames copy those frames only.
#[test]
fn reads_across_frames() -> Result<(), DecodeError> {
    let stream = send_of(100).repeat(100);
    for size in [1, 7, 130, 1000, stream.len()] {
        let mut inbox = Inbox::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
        let mut count = 0;
        for read in stream.chunks(size) {
            let mut reading = inbox.read(read);
            while let Some(frame) = reading.next_frame()? {
                assert_eq!(frame.body(), [7; 100]);
                count += 1;
            }
            drop(reading);
            assert!(inbox.held_bytes() < stream.len() / 100);
        }
        assert_eq!(count, 100);
    }
    Ok(())
}
