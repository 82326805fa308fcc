//! One case for every rule about what is there, on directories that a short script lays out.

mod directory;
mod flips;
mod log;
pub(crate) mod script;
