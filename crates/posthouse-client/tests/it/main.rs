//! The client against servers that play by a script.

mod errors;
mod failover;
mod fake;
mod handshake;
mod receiving;
mod sending;
mod transactions;
