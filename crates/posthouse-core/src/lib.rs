//! To be replaced with the crate's contract.
