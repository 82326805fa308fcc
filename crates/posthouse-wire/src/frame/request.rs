//! REQUEST: what a receiver is asked to do, and everything that it may want to know of it.

use bytes::{Bytes, BytesMut};
use posthouse_core::limits::FRAME_HEADERS_MAX;

use super::error::Error;
use super::field::{self, Field, Fields};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The request id, the same on every try.
    pub id: String,
    /// The request code.
    pub code: String,
    /// The target service.
    pub service: Option<String>,
    /// The target method.
    pub method: Option<String>,
    /// The business id.
    pub key: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Which try this is, from 1.
    pub attempt: u64,
    /// Not to be begun after this instant, Unix milliseconds.
    pub not_after_ms: i64,
    /// The fence of its bucket.
    pub fence: u64,
    /// Its number in the table.
    pub sequence: i64,
    /// The request that was skipped just before.
    pub after_gap: Option<String>,
    /// A W3C trace context.
    pub traceparent: Option<String>,
    /// The type of the body.
    pub content_type: Option<String>,
    /// Headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// How long an answer is waited for, in milliseconds.
    pub timeout_ms: u64,
    /// When it was signed, Unix seconds.
    pub timestamp: u64,
    /// Signatures, separated by spaces.
    pub signature: Option<String>,
    /// The body.
    pub body: Bytes,
}

mod tag {
    pub(super) const ID: u8 = 1;
    pub(super) const CODE: u8 = 2;
    pub(super) const SERVICE: u8 = 3;
    pub(super) const METHOD: u8 = 4;
    pub(super) const KEY: u8 = 5;
    pub(super) const REGION: u8 = 6;
    pub(super) const ATTEMPT: u8 = 7;
    pub(super) const NOT_AFTER: u8 = 8;
    pub(super) const FENCE: u8 = 9;
    pub(super) const SEQUENCE: u8 = 10;
    pub(super) const AFTER_GAP: u8 = 11;
    pub(super) const TRACEPARENT: u8 = 12;
    pub(super) const CONTENT_TYPE: u8 = 13;
    pub(super) const HEADER: u8 = 14;
    pub(super) const TIMEOUT: u8 = 15;
    pub(super) const TIMESTAMP: u8 = 16;
    pub(super) const SIGNATURE: u8 = 17;
    pub(super) const BODY: u8 = 18;
}

/// Those that must be there: tag, and what it says.
const REQUIRED: [(u8, &str); 9] = [
    (tag::ID, "the request id"),
    (tag::CODE, "the request code"),
    (tag::ATTEMPT, "the number of the try"),
    (tag::NOT_AFTER, "the instant after which it must not begin"),
    (tag::FENCE, "the fence"),
    (tag::SEQUENCE, "the number in the table"),
    (tag::TIMEOUT, "the time that is waited"),
    (tag::TIMESTAMP, "the time of signing"),
    (tag::BODY, "the body"),
];

impl Request {
    pub(super) fn put(&self, out: &mut BytesMut) {
        let texts = [
            (tag::ID, Some(&self.id)),
            (tag::CODE, Some(&self.code)),
            (tag::SERVICE, self.service.as_ref()),
            (tag::METHOD, self.method.as_ref()),
            (tag::KEY, self.key.as_ref()),
            (tag::REGION, self.region.as_ref()),
            (tag::AFTER_GAP, self.after_gap.as_ref()),
            (tag::TRACEPARENT, self.traceparent.as_ref()),
            (tag::CONTENT_TYPE, self.content_type.as_ref()),
            (tag::SIGNATURE, self.signature.as_ref()),
        ];
        for (tag, text) in texts {
            field::put_text(out, tag, text.map(String::as_str));
        }
        field::put_unsigned(out, tag::ATTEMPT, self.attempt);
        field::put_signed(out, tag::NOT_AFTER, self.not_after_ms);
        field::put_unsigned(out, tag::FENCE, self.fence);
        field::put_signed(out, tag::SEQUENCE, self.sequence);
        for (name, value) in &self.headers {
            field::put_header(out, tag::HEADER, name, value);
        }
        field::put_unsigned(out, tag::TIMEOUT, self.timeout_ms);
        field::put_unsigned(out, tag::TIMESTAMP, self.timestamp);
        field::put(out, tag::BODY, &[&self.body]);
    }

    pub(super) fn read(payload: Bytes) -> Result<Request, Error> {
        let mut request = Request::default();
        let mut seen = 0u32;
        let mut fields = Fields::new(payload);
        while let Some(field) = fields.next(Some(tag::HEADER))? {
            seen |= 1u32.checked_shl(field.tag.into()).unwrap_or(0);
            request.take(field)?;
        }
        match REQUIRED.iter().find(|(tag, _)| seen & 1 << tag == 0) {
            Some((_, what)) => Err(Error::Missing { what }),
            None => Ok(request),
        }
    }

    fn take(&mut self, field: Field) -> Result<(), Error> {
        match field.tag {
            tag::ID => self.id = field.text("the request id")?,
            tag::CODE => self.code = field.text("the request code")?,
            tag::SERVICE => self.service = Some(field.text("the service")?),
            tag::METHOD => self.method = Some(field.text("the method")?),
            tag::KEY => self.key = Some(field.text("the business id")?),
            tag::REGION => self.region = Some(field.text("the region")?),
            tag::AFTER_GAP => self.after_gap = Some(field.text("the skipped request")?),
            tag::TRACEPARENT => self.traceparent = Some(field.text("the trace context")?),
            tag::CONTENT_TYPE => self.content_type = Some(field.text("the content type")?),
            tag::SIGNATURE => self.signature = Some(field.text("the signature")?),
            tag::HEADER => self.take_header(&field)?,
            tag::BODY => self.body = field.value,
            _ => self.take_number(&field)?,
        }
        Ok(())
    }

    fn take_number(&mut self, field: &Field) -> Result<(), Error> {
        match field.tag {
            tag::ATTEMPT => self.attempt = field.unsigned("the number of the try")?,
            tag::NOT_AFTER => self.not_after_ms = field.signed("the latest beginning")?,
            tag::FENCE => self.fence = field.unsigned("the fence")?,
            tag::SEQUENCE => self.sequence = field.signed("the number in the table")?,
            tag::TIMEOUT => self.timeout_ms = field.unsigned("the time that is waited")?,
            tag::TIMESTAMP => self.timestamp = field.unsigned("the time of signing")?,
            _ => {}
        }
        Ok(())
    }

    fn take_header(&mut self, field: &Field) -> Result<(), Error> {
        if self.headers.len() >= FRAME_HEADERS_MAX {
            return Err(Error::TooManyFields);
        }
        self.headers.push(field.header()?);
        Ok(())
    }
}
