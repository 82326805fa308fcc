//! The integration tests: one binary, so that the server is linked against tests only once.
//!
//! Every test starts servers of its own on free loopback ports and stops them by process id.

mod admin;
mod bad_disk;
mod cli;
mod command;
mod disk_full;
mod guide;
mod interop;
mod kill;
mod large;
mod lifecycle;
mod load;
mod power_cut;
mod relay;
mod server;
mod store;
