//! The journal: the crash-safe store in a flat directory of segments, checkpoints and a manifest.
//!
//! `docs/log-format.md` says what lies there, byte for byte. [`layout`] turns values into those
//! bytes and back and does nothing else; [`scan`] reads a store without changing it, [`inspect`]
//! tells people what is in one, and the engine behind [`Journal`] writes it.

mod engine;
pub mod fault;
pub mod inspect;
pub mod layout;
pub mod planted;
pub mod scan;

pub use engine::{
    CheckpointFigures, Crew, Figures, Hands, HeldFile, HeldStore, Hold, Journal, Opening, Options,
    SYNC_BYTES_BOUNDS, SYNC_US_BOUNDS, Space, Wake, Watch, Worker,
};
