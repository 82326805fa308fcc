//! The Posthouse binary.
mod codes;
mod config;
mod data_dir;
mod exit;
mod failure;
mod password;
fn main() {}
