//! Where services run, as discoveries tell it: files, the name service, ZooKeeper, etcd, Consul.
//!
//! A [`Discovery`] is one place to ask. For each service that somebody is interested in it has a
//! [`Directory`]: the instances as they are known now, what is wrong with that knowledge if
//! anything is, and how busy each instance is. A task of its own follows each service and hands in
//! whole lists or failures; what follows from them is decided in `ledger.rs`, which is pure, and
//! which instance is next in `balance.rs`, which is too. The task ends when its directory is let
//! go of.
//!
//! What a discovery says is believed as to who is there, and not as to where calls may go: the
//! guard judges the address of an instance like any other.

mod balance;
mod consul;
mod directory;
mod discoveries;
mod dns;
mod drains;
mod entry;
mod etcd;
mod file;
mod follow;
mod http;
mod instance;
mod ledger;
mod roster;
mod secret;
mod service;
mod settings;
mod zookeeper;

#[cfg(test)]
mod tests;

pub use balance::Balance;
pub use directory::{Choice, Directory, View};
pub use discoveries::{Discoveries, Discovery, Whom};
pub use drains::Drain;
pub use instance::{Health, Instance};
pub use ledger::{Standing, State};
pub use roster::{InstanceState, InstanceView, NoInstance};
pub use secret::{Login, Secret};
pub use settings::{DiscoverySettings, Kind, SettingsFault, Web};
