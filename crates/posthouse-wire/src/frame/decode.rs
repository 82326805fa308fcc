//! Bytes to frames.

use bytes::{Buf, Bytes, BytesMut};

use super::answer::Answer;
use super::encode::FAULT_DETAIL;
use super::error::Error;
use super::field::Fields;
use super::hello::Hello;
use super::request::Request;
use super::{Frame, HEAD_BYTES, LENGTH_BYTES, kind};

/// Finds frames, and holds the peer to a length.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// The largest frame that is taken, in bytes behind its length.
    pub bytes_max: usize,
}

impl Decoder {
    /// The next frame at the beginning of `input`, which is taken out of it; `None` if more bytes
    /// are needed. Bodies share the memory of `input`.
    ///
    /// # Errors
    /// What is wrong. Nothing behind it makes sense any more.
    pub fn next(&self, input: &mut BytesMut) -> Result<Option<Frame>, Error> {
        while let Some(mut payload) = self.take(input)? {
            let kind = payload.get_u8();
            let number = payload.get_u64();
            if let Some(frame) = read(kind, number, payload)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// The bytes of one frame behind its length, once all of them are there.
    fn take(&self, input: &mut BytesMut) -> Result<Option<Bytes>, Error> {
        let Some(length) = input.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let bytes = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if bytes > self.bytes_max {
            return Err(Error::TooLong { bytes, bytes_max: self.bytes_max });
        }
        if bytes < HEAD_BYTES {
            return Err(Error::TooShort { bytes });
        }
        if input.len() < LENGTH_BYTES + bytes {
            return Ok(None);
        }
        input.advance(LENGTH_BYTES);
        Ok(Some(input.split_to(bytes).freeze()))
    }
}

/// `None` for a frame that is to be passed over.
fn read(kind: u8, number: u64, payload: Bytes) -> Result<Option<Frame>, Error> {
    Ok(Some(match kind {
        kind::HELLO => Frame::Hello(Hello::read(payload)?),
        kind::REQUEST => Frame::Request { number, request: Box::new(Request::read(payload)?) },
        kind::ANSWER => Frame::Answer { number, answer: Answer::read(payload)? },
        kind::CANCEL => Frame::Cancel { number },
        kind::BEAT => Frame::Beat,
        kind::LEAVING => Frame::Leaving { last: number },
        kind::FAULT => Frame::Fault { detail: read_fault(payload)? },
        kind::OPTIONAL_FIRST.. => return Ok(None),
        kind => return Err(Error::KindUnknown { kind }),
    }))
}

fn read_fault(payload: Bytes) -> Result<String, Error> {
    let mut detail = String::new();
    let mut fields = Fields::new(payload);
    while let Some(field) = fields.next(None)? {
        if field.tag == FAULT_DETAIL {
            detail = field.text("the fault")?;
        }
    }
    Ok(detail)
}
