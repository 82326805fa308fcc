//! The machine.
pub mod view;
