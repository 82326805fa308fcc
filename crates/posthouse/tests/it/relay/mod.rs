//! The relay from outside.

mod operate;
