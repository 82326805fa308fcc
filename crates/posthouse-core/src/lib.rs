//! The whole domain of Posthouse as values: commands go in, records and effects come out.
//!
//! **The contract of whoever drives it.** Apply the commands of one batch of input; end the turn;
//! then carry out every effect that the [`driver`] lets go, in order. The driver lets an effect go
//! when the records it depends on are durable and nothing ahead of it in its stream still waits;
//! nobody else may decide that. Time, input and randomness are arguments: nothing here reads a
//! clock, touches a file or a socket, or starts a thread, so the same code runs in the product and
//! in the simulation.
//!
//! In reading order: [`command`] and [`effect`] are the border, [`broker`] is the machine,
//! [`record`] is what survives, [`driver`] and [`store`] are how it survives.

pub mod arena;
pub mod broker;
pub mod command;
pub mod destination;
pub mod driver;
pub mod effect;
pub mod ids;
pub mod limits;
pub mod message;
pub mod policy;
pub mod property;
pub mod record;
pub mod refusal;
pub mod selector;
pub mod seq_set;
pub mod store;
pub mod time;
