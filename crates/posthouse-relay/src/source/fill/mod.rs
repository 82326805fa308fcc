//! Made-up requests, for measuring: whole backlogs at once, and single requests with a commit each;
//! in the relay's own table, or in those of somebody else that is measured beside it.
//!
//! A body begins with the number of its key and with its own number among those of its key, in
//! hexadecimal digits, so that a receiver can tell what was lost, what came twice and what was
//! overtaken. Made-up requests have codes of their own, and where a table holds others it is left
//! alone.

mod filler;
mod words;

pub use filler::{Batch, Filler, KEY_DIGITS, MADE_UP, NUMBER_DIGITS, Tables, numbers_of};
