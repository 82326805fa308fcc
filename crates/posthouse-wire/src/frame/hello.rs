//! HELLO: who speaks, and how much it takes.

use bytes::{Bytes, BytesMut};
use posthouse_core::limits::{
    FRAME_BEAT_MS, FRAME_BYTES_MAX, FRAME_HELLO_BYTES_MAX, FRAME_REQUESTS, FRAME_REQUESTS_MAX,
};

use super::error::Error;
use super::field::{self, Fields};

/// The version of the protocol that is spoken here.
pub const VERSION: u64 = 1;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version that its sender speaks.
    pub version_first: u64,
    /// The highest one.
    pub version_last: u64,
    /// What its sender calls itself.
    pub name: Option<String>,
    /// The largest frame that its sender takes, in bytes behind the length.
    pub frame_bytes_max: usize,
    /// How many requests its sender takes at a time.
    pub requests_max: Option<usize>,
    /// Its sender sends something at least so often, in milliseconds.
    pub beat_ms: u64,
}

mod tag {
    pub(super) const VERSION_FIRST: u8 = 1;
    pub(super) const VERSION_LAST: u8 = 2;
    pub(super) const NAME: u8 = 3;
    pub(super) const FRAME_BYTES_MAX: u8 = 4;
    pub(super) const REQUESTS_MAX: u8 = 5;
    pub(super) const BEAT_MS: u8 = 6;
}

impl Hello {
    /// Of whoever speaks this version and takes frames of so many bytes.
    pub fn new(name: &str, frame_bytes_max: usize, beat_ms: u64) -> Hello {
        Hello {
            version_first: VERSION,
            version_last: VERSION,
            name: Some(name.to_owned()),
            frame_bytes_max,
            requests_max: None,
            beat_ms,
        }
    }

    /// Whether its sender speaks the version that is spoken here.
    pub fn speaks_ours(&self) -> bool {
        (self.version_first..=self.version_last).contains(&VERSION)
    }

    /// How many requests its sender takes at a time, said or not.
    pub fn requests_max(&self) -> usize {
        self.requests_max.unwrap_or(FRAME_REQUESTS)
    }

    pub(super) fn put(&self, out: &mut BytesMut) {
        field::put_unsigned(out, tag::VERSION_FIRST, self.version_first);
        field::put_unsigned(out, tag::VERSION_LAST, self.version_last);
        field::put_text(out, tag::NAME, self.name.as_deref());
        field::put_unsigned(out, tag::FRAME_BYTES_MAX, self.frame_bytes_max as u64);
        if let Some(requests_max) = self.requests_max {
            field::put_unsigned(out, tag::REQUESTS_MAX, requests_max as u64);
        }
        field::put_unsigned(out, tag::BEAT_MS, self.beat_ms);
    }

    pub(super) fn read(payload: Bytes) -> Result<Hello, Error> {
        let (mut first, mut last, mut frame_bytes_max, mut beat_ms) = (None, None, None, None);
        let (mut name, mut requests_max) = (None, None);
        let mut fields = Fields::new(payload);
        while let Some(field) = fields.next(None)? {
            match field.tag {
                tag::VERSION_FIRST => first = Some(field.unsigned("the lowest version")?),
                tag::VERSION_LAST => last = Some(field.unsigned("the highest version")?),
                tag::NAME => name = Some(field.text("the name of the peer")?),
                tag::FRAME_BYTES_MAX => frame_bytes_max = Some(field.unsigned(FRAME_SIZE)?),
                tag::REQUESTS_MAX => requests_max = Some(field.unsigned(REQUESTS)?),
                tag::BEAT_MS => beat_ms = Some(field.unsigned(BEATS)?),
                _ => {}
            }
        }
        let frame_bytes_max = frame_bytes_max.ok_or(Error::Missing { what: FRAME_SIZE })?;
        Ok(Hello {
            version_first: first.ok_or(Error::Missing { what: "the lowest version" })?,
            version_last: last.ok_or(Error::Missing { what: "the highest version" })?,
            name,
            frame_bytes_max: size(frame_bytes_max)?,
            requests_max: requests_max.map(requests).transpose()?,
            beat_ms: beat(beat_ms.ok_or(Error::Missing { what: BEATS })?)?,
        })
    }
}

const FRAME_SIZE: &str = "the largest frame that is taken";
const REQUESTS: &str = "how many requests are taken at a time";
const BEATS: &str = "how often the peer sends something";

/// More than anybody sends is no mistake.
fn size(bytes: u64) -> Result<usize, Error> {
    match usize::try_from(bytes).unwrap_or(usize::MAX) {
        0..FRAME_HELLO_BYTES_MAX => {
            Err(Error::Wrong { what: FRAME_SIZE, problem: "is less than 4,096 bytes" })
        }
        bytes => Ok(bytes.min(FRAME_BYTES_MAX)),
    }
}

fn requests(count: u64) -> Result<usize, Error> {
    match usize::try_from(count).unwrap_or(usize::MAX) {
        0 => Err(Error::Wrong { what: REQUESTS, problem: "is 0" }),
        count => Ok(count.min(FRAME_REQUESTS_MAX)),
    }
}

fn beat(ms: u64) -> Result<u64, Error> {
    let problem = "is not between 100 and 60,000 milliseconds";
    let wrong = Error::Wrong { what: BEATS, problem };
    FRAME_BEAT_MS.contains(&ms).then_some(ms).ok_or(wrong)
}
