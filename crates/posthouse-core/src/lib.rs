//! The whole domain of Posthouse as values: commands go in, records and effects come out.

pub mod limits;
pub mod property;
