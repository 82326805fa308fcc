//! The relay: requests from platforms' databases, in order and on time, to where they belong.
//!
//! *Sources* are request tables in SQL databases, *couriers* carry one request to one receiver.
//! Between the two decides the pump (`posthouse-pump`), which does no I/O.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod courier;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
pub mod runner;
pub mod source;
