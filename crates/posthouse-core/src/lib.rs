//! The whole domain of Posthouse as values: commands go in, records and effects come out.

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
