//! The relay, proved with the real binary: nodes that are disturbed while writers write and a receiver misbehaves, and tables that
//! are not as they should be.

mod bad_input;
mod clock;
mod config;
mod database;
mod faults;
mod receiver;
mod scene;
mod verdict;
mod writer;
