//! The Posthouse binary.
mod admin;
mod broker_thread;
mod codes;
mod config;
mod data_dir;
mod exit;
mod failure;
mod pages;
mod password;
mod process;
mod stop;
mod version;
fn main() {}
