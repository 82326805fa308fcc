//! The relay, proved with the real binary: nodes that are disturbed while writers write and a
//! receiver misbehaves, tables that are not as they should be, and what operators do.

mod adopt;
mod alarms;
mod bad_input;
mod change;
mod clock;
mod config;
mod database;
mod destination;
mod dev;
mod discovery;
mod faults;
mod frame;
mod grpc;
mod operate;
mod peer;
mod platforms;
mod receiver;
mod retention;
mod rival;
mod scene;
mod secrets;
mod stage;
mod taker;
mod verdict;
mod writer;
