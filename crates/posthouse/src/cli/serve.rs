//! `posthouse serve`: run a node until it is told to stop.

use clap::Args;

use super::Global;
use super::config::SettingArgs;
use crate::failure::Failure;
use crate::node::{self, Run};

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: SettingArgs,
}

impl Serve {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be started, or why it ended.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let loaded = self.settings.load(global)?;
        let global = global.clone();
        node::run(Run {
            loaded,
            watched: self.settings.file(),
            reload: Box::new(move || self.settings.load(&global)),
            on_ready: Box::new(|_| ()),
        })
    }
}
