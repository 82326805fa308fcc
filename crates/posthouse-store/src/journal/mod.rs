//! The journal: the crash-safe store in a flat directory of segments, checkpoints and a manifest.
//!
//! `docs/log-format.md` says what lies there, byte for byte. [`layout`] turns values into those
//! bytes and back and does nothing else; [`scan`] reads a store without changing it, and
//! [`inspect`] tells people what is in one.

pub mod fault;
pub mod inspect;
pub mod layout;
pub mod scan;
