//! Tests of the couriers: tables for what is pure, and servers that keep to a script for the rest.

mod answers;
mod attempts;
mod carry;
mod destination;
mod frame;
mod grpc;
mod key_ring;
mod server;
mod signature;
mod target;
mod template;
mod text;
