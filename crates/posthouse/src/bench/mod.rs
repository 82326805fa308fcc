//! The load generator: measures a message broker over plain STOMP, so that the same bytes measure
//! Posthouse, ActiveMQ and RabbitMQ; and the relay, with a database and a receiver.
//!
//! For the broker, everything runs on one thread over non-blocking sockets. Frames are encoded once
//! and patched, so that the generator takes far less of the machine than the broker that it shares
//! it with; what it takes is measured and told. Every message carries its producer and its number,
//! and every run counts what was lost, doubled or out of order. A bare loop of bytes, measured
//! beside each run, says what the machine could do at most.

mod bare;
mod clock;
mod consumer;
mod figures;
mod idle;
mod load;
mod login;
mod peer;
mod plan;
mod process;
mod producer;
mod report;
mod requests;
mod run;
mod server;
mod stamp;
mod tally;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use idle::{idle, memory};
pub(crate) use plan::{Ack, Plan, Shape, Target};
pub(crate) use report::Report;
pub(crate) use requests::{RequestPlan, RequestScenario, Rival, measure_requests};
pub(crate) use run::{measure, measure_bare};
