//! Tests of discoveries: tables for what is pure, real servers for the rest.

mod balance;
mod consul;
mod dns;
mod entry;
mod etcd;
mod file;
mod follower;
mod ledger;
mod roster;
mod zookeeper;
