//! The HTTP side of the node: health, metrics and the admin API.
//!
//! It runs on a runtime of its own, away from messages. What it knows of the broker it asks the
//! broker thread for, and what it answers it sorts and formats here. Every request passes the
//! [`guard`], and every route of the API [`access::authorize`].

pub(crate) mod access;
mod backups;
mod connections;
mod destinations;
mod extract;
mod guard;
mod health;
mod holds;
mod login;
mod messages;
mod metrics;
mod node;
mod openapi;
mod page;
mod problem;
mod relay;
mod routes;
mod server;
mod sessions;
mod store;
mod subscriptions;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use posthouse_store::journal::Watch;
use tokio::sync::Semaphore;

pub(crate) use backups::{StoreFile, StoreHold};
pub(crate) use problem::Problem;
pub(crate) use server::serve;

use crate::broker_thread::Asker;
use crate::data_dir::{ADMIN, Token};
use crate::relay::Relay;
use access::Principal;
use holds::Holds;
use sessions::Sessions;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Admin {
    asker: Asker,
    /// Absent when everything is kept in memory.
    journal: Option<Watch>,
    relay: Relay,
    holds: Holds,
    sessions: Sessions,
    /// Where the users are.
    data_dir: PathBuf,
    node_name: String,
    started_ms: u64,
    is_ready: AtomicBool,
    hashing: Semaphore,
}

impl Admin {
    /// The admin side of a node that started at `started_ms` (wall milliseconds), with a token
    /// for the commands of its own user.
    pub(crate) fn new(
        asker: Asker,
        journal: Option<Watch>,
        relay: Relay,
        data_dir: PathBuf,
        node_name: String,
        started_ms: u64,
    ) -> (Arc<Admin>, Token) {
        let sessions = Sessions::default();
        let token = sessions.open_forever(Principal::Administrator(ADMIN.into()));
        let admin = Admin {
            asker,
            journal,
            relay,
            holds: Holds::default(),
            sessions,
            data_dir,
            node_name,
            started_ms,
            is_ready: AtomicBool::new(false),
            hashing: Semaphore::new(login::HASHES_MAX),
        };
        (Arc::new(admin), token)
    }

    /// Lets go of the store, whoever holds it, because the node stops.
    pub(crate) fn end_holds(&self) {
        self.holds.end_all();
    }

    /// Says whether the node takes work.
    pub(crate) fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Ordering::Relaxed);
    }
}
