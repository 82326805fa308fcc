//! The Posthouse binary.
mod codes;
mod config;
mod exit;
mod failure;
fn main() {}
