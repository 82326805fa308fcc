//! Seeing whether sources can be used, without a node.

use clap::Args;
use posthouse_relay::source::{Source as _, SourceErrorKind};
use serde_json::{Value, json};

use crate::cli::Global;
use crate::cli::broker::block_on;
use crate::cli::config::SettingArgs;
use crate::cli::output::{self, Column};
use crate::codes::Code;
use crate::config::SourceConfig;
use crate::failure::Failure;
use crate::relay::open;

const COLUMNS: [Column; 3] =
    [Column("source", "source"), Column("fit", "fit"), Column("problem", "problem")];

/// Which sources to look at.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    settings: SettingArgs,
    /// This source only.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

impl Check {
    /// Looks at every source, and says what is wrong with each.
    ///
    /// # Errors
    /// What is wrong with the first that cannot be used.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let loaded = self.settings.load(global)?;
        let all = &loaded.config.relay.sources;
        let is_meant =
            |source: &&SourceConfig| self.source.as_ref().is_none_or(|name| **name == *source.name);
        let sources: Vec<&SourceConfig> = all.iter().filter(is_meant).collect();
        if let (Some(name), []) = (&self.source, sources.as_slice()) {
            let message = format!("the configuration has no source \"{name}\"");
            return Err(Failure::new(Code::SourceUnknown, message, ""));
        }
        block_on(async {
            let mut rows = Vec::new();
            let mut first = Ok(());
            for source in sources {
                let fit = look_at(source).await;
                rows.push(row(source, &fit));
                first = first.and(fit);
            }
            output::rows(global.output, &COLUMNS, &rows, "the configuration has no sources")?;
            first
        })
    }
}

async fn look_at(config: &SourceConfig) -> Result<(), Failure> {
    let source = open(config)?;
    let prepared = source.prepare().await;
    source.close().await;
    prepared.map_err(|error| {
        let code = match error.kind {
            SourceErrorKind::Unfit => Code::SourceUnusable,
            _ => Code::SourceUnreachable,
        };
        let message = format!("the relay source \"{}\": {error}", config.name);
        Failure::new(code, message, format!("`posthouse explain {}`", code.as_str()))
    })
}

fn row(config: &SourceConfig, fit: &Result<(), Failure>) -> Value {
    let problem = fit.as_ref().err().map(|failure| &failure.message);
    json!({ "source": &*config.name, "fit": fit.is_ok(), "problem": problem })
}
