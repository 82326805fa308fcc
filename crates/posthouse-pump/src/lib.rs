//! The pump: which request goes out next, and when.
//!
//! A *source* (a request table, later a subscription) is read, the pump decides, a *courier*
//! carries, and what came of it is settled at the source. The pump is the part in the middle. It
//! is pure: it is told the time, what was read, what couriers and the source answered, and it says
//! what to read, start, abort and settle. It stores nothing; the source is the only truth.
//!
//! What it keeps, on every history (design 5, P14): no committed request is lost; requests with
//! one key start in the order of their ids, each only after the result of the one before has been
//! recorded at the source; nothing starts outside its window, after its expiry, or under a bucket
//! whose lease may have ended.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attempt;
pub mod backoff;
pub mod breaker;
pub mod calendar;
pub mod dice;
pub mod effect;
pub mod health;
pub mod input;
pub mod limits;
pub mod outcome;
pub mod plan;
pub mod pump;
pub mod rate;
pub mod read;
pub mod request;
pub mod time;
