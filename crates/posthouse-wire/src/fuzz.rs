//! Entry points for fuzzing: any bytes at all must end in frames or an error, never in a panic.
//!
//! They are ordinary functions of the bytes, so that a test replays a corpus through them and a
//! fuzzer drives the same code.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::stomp::{
    DecodeErrorKind, Decoded, Decoder, FrameLimits, FrameRef, FrameWriter, Inbox, Version,
};

/// Into what pieces the bytes are cut on their way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chunking {
    /// All at once.
    Whole,
    /// One byte at a time.
    Bytes,
    /// Pieces of 1 to 32 bytes, their lengths drawn from this seed.
    Pieces(u64),
    /// All at once, but the reader stops after every frame and goes on without new bytes.
    Stops,
}

/// What came of an input; equal for equal inputs however they were cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digest {
    /// How many frames there were.
    pub frame_count: usize,
    /// A hash over everything in them.
    pub hash: u64,
    /// What was wrong, if anything was.
    pub error: Option<DecodeErrorKind>,
}

/// The next number of a xorshift sequence; seeds must not be zero.
pub fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Runs one input through everything that takes bytes from a peer.
///
/// # Panics
/// When the outcome depends on how the input was cut, or a decoded frame does not survive being
/// encoded and decoded again.
pub fn fuzz_one(data: &[u8]) {
    for version in Version::ALL {
        let whole = stomp_digest(data, version, Chunking::Whole);
        for chunking in [Chunking::Bytes, Chunking::Pieces(0x9e37_79b9), Chunking::Stops] {
            assert_eq!(stomp_digest(data, version, chunking), whole, "{version} {chunking:?}");
        }
        stomp_round_trip(data, version);
    }
}

/// Decodes `data` as a peer that has logged in, and digests all frames.
pub fn stomp_digest(data: &[u8], version: Version, chunking: Chunking) -> Digest {
    let mut inbox = Inbox::new(FrameLimits::AFTER_LOGIN, version);
    let mut digest = Digest { frame_count: 0, hash: 0, error: None };
    let mut rest = data;
    let mut seed = if let Chunking::Pieces(seed) = chunking { seed } else { 1 };
    while !rest.is_empty() && digest.error.is_none() {
        let wanted = match chunking {
            Chunking::Whole | Chunking::Stops => rest.len(),
            Chunking::Bytes => 1,
            Chunking::Pieces(_) => 1 + (xorshift(&mut seed) % 32) as usize,
        };
        let (read, after) = rest.split_at(wanted.min(rest.len()));
        rest = after;
        let mut more = digest_read(&mut inbox, read, chunking, &mut digest);
        while more {
            more = digest_read(&mut inbox, b"", chunking, &mut digest);
        }
    }
    digest
}

/// Answers whether it stopped with something left to do.
fn digest_read(inbox: &mut Inbox, read: &[u8], chunking: Chunking, digest: &mut Digest) -> bool {
    let mut reading = inbox.read(read);
    loop {
        match reading.next_frame() {
            Ok(Some(frame)) => {
                digest.frame_count += 1;
                digest.hash = hash_frame(digest.hash, &frame);
            }
            Ok(None) => return false,
            Err(error) => {
                digest.error = Some(error.kind);
                return false;
            }
        }
        if chunking == Chunking::Stops {
            return true;
        }
    }
}

fn hash_frame(seed: u64, frame: &FrameRef<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    frame.command().hash(&mut hasher);
    frame.content_length().hash(&mut hasher);
    for header in frame.headers() {
        header.name().hash(&mut hasher);
        header.value().hash(&mut hasher);
    }
    frame.body().hash(&mut hasher);
    hasher.finish()
}

/// Encodes the first frame of `data` again and compares.
fn stomp_round_trip(data: &[u8], version: Version) {
    let mut decoder = Decoder::new(FrameLimits::AFTER_LOGIN, version);
    let Ok(Decoded::Frame { frame, .. }) = decoder.decode(data) else {
        return;
    };
    let mut encoded = Vec::new();
    let mut writer = FrameWriter::new(&mut encoded, version, frame.command());
    let mut headers = Vec::new();
    for header in frame.headers() {
        let (name, value) = (header.name(), header.value());
        if writer.header(&name, &value).is_ok() {
            headers.push((name, value));
        }
    }
    if writer.body(frame.body()).is_err() {
        panic!("a decoded body cannot be encoded");
    }
    let mut again = Decoder::new(FrameLimits::AFTER_LOGIN, version);
    match again.decode(&encoded) {
        Ok(Decoded::Frame { frame: again, .. }) => {
            assert_eq!(again.command(), frame.command());
            assert_eq!(again.body(), frame.body());
            let written = again.headers().map(|header| (header.name(), header.value()));
            let written: Vec<_> = written.filter(|(name, _)| name != "content-length").collect();
            assert_eq!(written, headers);
        }
        // A value may grow beyond its limit when what was raw is written escaped.
        Err(error) => assert!(is_limit(error.kind), "{error}"),
        Ok(_) => panic!("{} is not one frame", encoded.escape_ascii()),
    }
}

fn is_limit(kind: DecodeErrorKind) -> bool {
    matches!(
        kind,
        DecodeErrorKind::HeaderNameTooLong
            | DecodeErrorKind::HeaderValueTooLong
            | DecodeErrorKind::HeaderCountTooHigh
            | DecodeErrorKind::HeaderBlockTooLong
            | DecodeErrorKind::FrameTooLong
    )
}
