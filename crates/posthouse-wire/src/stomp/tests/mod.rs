//! Tests of the codec as data: bytes and what is to come of them.

mod encode;
mod golden;
mod inbox;
mod limits;
mod values;

use super::{FrameLimits, FrameRef, Inbox, Version};

/// One line for a frame: the command, the headers unescaped, and the body if there is one.
fn render_frame(frame: &FrameRef<'_>) -> String {
    let mut line = frame.command().as_str().to_owned();
    for header in frame.headers() {
        line.push_str(&format!(" {}={:?}", header.name(), header.value()));
    }
    if !frame.body().is_empty() {
        line.push_str(&format!(" | \"{}\"", frame.body().escape_ascii()));
    }
    line
}

/// What comes of `reads`, one line for each frame, the code of an error, and how much is left.
fn render(version: Version, limits: FrameLimits, reads: &[&[u8]]) -> Vec<String> {
    let mut inbox = Inbox::new(limits, version);
    let mut lines = Vec::new();
    for read in reads {
        let mut reading = inbox.read(read);
        loop {
            match reading.next_frame() {
                Ok(Some(frame)) => lines.push(render_frame(&frame)),
                Ok(None) => break,
                Err(error) => lines.push(error.to_string()),
            }
        }
    }
    lines.push(format!("... {} bytes", inbox.held_bytes()));
    lines
}

/// Checks that the outcome of `input` does not depend on how it is cut, and gives it.
fn render_all_ways(version: Version, limits: FrameLimits, input: &[u8]) -> Vec<String> {
    let whole = render(version, limits, &[input]);
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(render(version, limits, &bytes), whole, "byte by byte: {}", input.escape_ascii());
    for at in 0..input.len().min(300) {
        let (head, tail) = input.split_at(at);
        assert_eq!(render(version, limits, &[head, tail]), whole, "split at {at}");
    }
    whole
}
