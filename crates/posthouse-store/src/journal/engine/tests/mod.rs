//! The engine on files in memory, step by step, and on real ones with its threads.

mod bench;
mod bound;
mod conforms;
mod filling;
mod keeping;
mod loading;
mod room;
mod writing;
