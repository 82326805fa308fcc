//! Automation in plain cargo.
fn main() {}
