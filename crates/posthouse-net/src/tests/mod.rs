//! Tests of the client: tables for what is pure, and servers that keep to a script for the rest.

mod exchange;
mod http2;
mod origin;
mod pool;
mod reach;
mod resolver;
mod server;
pub(crate) mod tls;
