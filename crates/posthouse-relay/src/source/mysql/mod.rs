//! Statements that have another shape in MySQL and MariaDB.
//!
//! Neither server can give back what an `UPDATE` has changed on all of its versions, refer to a row
//! from within a joined `SELECT`, or leave a long body where it is when its column is named at all.
//! And where a list of ids comes from a `SELECT`, both walk over the whole table. What is said here
//! goes around all of that: each statement is bounded by an index that it names.

pub(super) mod look;
pub(super) mod operate;
pub(super) mod prepare;
pub(super) mod read;
pub(super) mod round;
pub(super) mod settle;
