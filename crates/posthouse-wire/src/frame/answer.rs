//! ANSWER: what has become of a request.

use bytes::{Bytes, BytesMut};

use super::error::Error;
use super::field::{self, Fields};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What has become of it.
    pub outcome: Outcome,
    /// A status of the receiver's own.
    pub status: Option<i32>,
    /// Not before so many milliseconds from now.
    pub retry_after_ms: Option<u64>,
    /// Why, for people.
    pub detail: Option<String>,
}

/// What has become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has taken it.
    Done = 1,
    /// The receiver is in trouble; it may work later.
    Failed = 2,
    /// The receiver will never take it.
    Rejected = 3,
    /// The receiver is well, but cannot do this request now.
    Postponed = 4,
}

mod tag {
    pub(super) const OUTCOME: u8 = 1;
    pub(super) const STATUS: u8 = 2;
    pub(super) const RETRY_AFTER: u8 = 3;
    pub(super) const DETAIL: u8 = 4;
}

const OUTCOME: &str = "the outcome";

impl Answer {
    /// That, and nothing more.
    pub fn new(outcome: Outcome) -> Answer {
        Answer { outcome, status: None, retry_after_ms: None, detail: None }
    }

    pub(super) fn put(&self, out: &mut BytesMut) {
        field::put_unsigned(out, tag::OUTCOME, self.outcome as u64);
        if let Some(status) = self.status {
            field::put_signed(out, tag::STATUS, status.into());
        }
        if let Some(wait_ms) = self.retry_after_ms {
            field::put_unsigned(out, tag::RETRY_AFTER, wait_ms);
        }
        field::put_text(out, tag::DETAIL, self.detail.as_deref());
    }

    pub(super) fn read(payload: Bytes) -> Result<Answer, Error> {
        let (mut outcome, mut status, mut retry_after_ms, mut detail) = (None, None, None, None);
        let mut fields = Fields::new(payload);
        while let Some(field) = fields.next(None)? {
            match field.tag {
                tag::OUTCOME => outcome = Some(Outcome::of(field.unsigned(OUTCOME)?)?),
                tag::STATUS => status = Some(small(field.signed("the status")?)?),
                tag::RETRY_AFTER => retry_after_ms = Some(field.unsigned("the wait")?),
                tag::DETAIL => detail = Some(field.text("the reason")?),
                _ => {}
            }
        }
        let outcome = outcome.ok_or(Error::Missing { what: OUTCOME })?;
        Ok(Answer { outcome, status, retry_after_ms, detail })
    }
}

impl Outcome {
    fn of(number: u64) -> Result<Outcome, Error> {
        match number {
            1 => Ok(Outcome::Done),
            2 => Ok(Outcome::Failed),
            3 => Ok(Outcome::Rejected),
            4 => Ok(Outcome::Postponed),
            _ => Err(Error::Wrong { what: OUTCOME, problem: "is none of 1 to 4" }),
        }
    }
}

fn small(status: i64) -> Result<i32, Error> {
    let wrong = |_| Error::Wrong { what: "the status", problem: "has more than 32 bits" };
    i32::try_from(status).map_err(wrong)
}
