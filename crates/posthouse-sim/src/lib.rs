//! How Posthouse is shown to keep its promises.
//!
//! A [`history`] is what clients did and saw, as plain data; the [`checker`] reads one and says
//! which promise was broken, if any. Neither knows where a history comes from: kills of the real
//! binary write the same one as the simulation does.
//!
//! The simulation is a [`world`] in virtual time, set up by the [`plan`] of a seed: a [`node`] with
//! the real driver on a disk that loses power, a [`network`] that breaks, and [`client`]s that do
//! what the [`workload`] draws, either over the real sessions of a protocol or straight to the core
//! ([`carrier`]). [`invariants`] and a [`shadow`] look inside while it runs; the checker judges
//! what clients saw when it is over.

pub mod carrier;
pub mod checker;
pub mod client;
pub mod clock;
pub mod crash;
pub mod history;
pub mod invariants;
pub mod journal;
pub mod network;
pub mod node;
pub mod plan;
pub mod port;
pub mod random;
pub mod shadow;
pub mod summary;
#[cfg(test)]
mod tests;
pub mod workload;
pub mod world;
