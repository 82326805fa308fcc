//! Protocols as bytes and sessions, without I/O.
//!
//! A codec is given bytes and answers with frames; "more bytes are needed" is a normal answer.
//! Nothing here knows a socket, a clock or a runtime, so the server, the client and the simulator
//! share one implementation of each protocol. Whatever a peer sends costs memory in proportion to
//! what it sent, bounded by [`posthouse_core::limits`], and never a panic.

pub mod frame;
#[doc(hidden)]
pub mod fuzz;
#[doc(hidden)]
pub mod golden;
pub mod stomp;
