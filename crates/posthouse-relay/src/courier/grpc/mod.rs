//! The courier for gRPC: one unary call for each attempt.
//!
//! Connections are those of `posthouse-net`, with its guard and its pool; what is gRPC's own (how
//! messages, metadata and statuses stand in HTTP/2) is tonic's. An address without a path calls the
//! published service `posthouse.relay.v1.Receiver`, which is told everything of a request. One with
//! a path calls any unary method with the row's body, which then is a protobuf message already:
//! Dubbo's Triple protocol is the same on the wire.

mod channel;
mod codec;
mod courier;
mod message;
mod metadata;
mod status;
mod target;

pub use courier::GrpcCourier;
