//! Logs: lines for people or JSON for collectors, on standard error. Secrets never get here,
//! for the types that hold them do not show them.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::LogConfig;

/// Changes what is logged while the node runs.
#[derive(Clone, Debug)]
pub(crate) struct LogLevel(reload::Handle<LevelFilter, Registry>);

impl LogLevel {
    /// Logs what `level` says from now on.
    pub(crate) fn set(&self, level: LevelFilter) {
        // It fails only when nothing is logged at all.
        let _ = self.0.reload(level);
    }
}

/// Starts logging. A second start in one process changes nothing.
pub(crate) fn start(config: LogConfig) -> LogLevel {
    let (filter, handle) = reload::Layer::new(config.level);
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
    let layer = if config.json { layer.json().boxed() } else { layer.boxed() };
    let layer = layer.with_filter(filter_fn(|line| !is_chatter(line)));
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    LogLevel(handle)
}

/// Libraries that speak to discoveries say at each try what this program says once.
fn is_chatter(line: &Metadata<'_>) -> bool {
    let is_library = |name: &&str| line.target().starts_with(name);
    *line.level() > Level::ERROR && ["zookeeper_client", "hickory"].iter().any(is_library)
}
