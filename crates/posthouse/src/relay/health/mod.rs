//! Watching over every source: each has a task that looks at it now and then, judges it by the
//! health rules, and has what begins and ends told.
//!
//! The tasks only look. A source that does not answer holds up its own task and nothing else; they
//! end with the node, or when their source does. Which alarms are on is known to this node alone,
//! and begins anew with it.

mod board;
mod find;
mod herald;
mod look;
mod notice;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::RunningSource;
use super::couriers::Couriers;
use crate::config::HealthConfig;
use board::Board;
pub(crate) use board::{Past, Standing};
use herald::Heralds;
use look::Watched;
pub(crate) use notice::{edge_word, severity_word, unit_word};

/// See the module.
pub(super) struct Health {
    board: Arc<Board>,
    heralds: Arc<Heralds>,
    config: watch::Sender<HealthConfig>,
    /// Dropped with the whole, which ends the tasks.
    _tasks: JoinSet<()>,
}

impl Health {
    /// Watches over sources from now on.
    pub(super) fn start<'a>(
        config: &HealthConfig,
        node: &Arc<str>,
        sources: impl Iterator<Item = &'a RunningSource>,
        couriers: &Arc<Couriers>,
    ) -> Health {
        let board = Arc::new(Board::default());
        let heralds = Arc::new(Heralds::new(node, couriers));
        heralds.change(&config.targets);
        let (sender, receiver) = watch::channel(config.clone());
        let mut tasks = JoinSet::new();
        for source in sources {
            let watched = Watched {
                source: source.clone(),
                couriers: couriers.clone(),
                board: board.clone(),
                heralds: heralds.clone(),
            };
            tasks.spawn(watched.watch_over(receiver.clone()));
        }
        Health { board, heralds, config: sender, _tasks: tasks }
    }

    /// Other limits and targets hold from now on.
    pub(super) fn change(&self, config: &HealthConfig) {
        self.heralds.change(&config.targets);
        self.config.send_if_modified(|known| {
            let is_other = known != config;
            known.clone_from(config);
            is_other
        });
    }

    /// The limits that hold.
    pub(super) fn config(&self) -> HealthConfig {
        self.config.borrow().clone()
    }

    /// The alarms that are on.
    pub(super) fn standing(&self) -> Vec<Standing> {
        self.board.standing()
    }

    /// What has begun and ended lately, the newest first.
    pub(super) fn past(&self) -> Vec<Past> {
        self.board.past()
    }
}
