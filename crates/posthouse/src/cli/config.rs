//! `posthouse config`: check the configuration, show what holds and why, print the defaults.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Global;
use super::output::{self, Column, Format};
use crate::config::{self, DEFAULT, Loaded, Report, Sources};
use crate::data_dir;
use crate::failure::Failure;

const SHOW: [Column; 4] = [
    Column("key", "key"),
    Column("value", "value"),
    Column("origin", "origin"),
    Column("change", "change"),
];

const MISTAKES: [Column; 4] = [
    Column("code", "code"),
    Column("place", "place"),
    Column("message", "message"),
    Column("help", "help"),
];

/// Where settings come from.
#[derive(Clone, Debug, Args)]
pub(crate) struct SettingArgs {
    /// A configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one key; wins over everything else. May be given many times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Report every mistake at once.
    Check(SettingArgs),
    /// Show what holds, and where each value comes from.
    Show(SettingArgs),
    /// Print the default file, which explains every key.
    Default,
}

impl SettingArgs {
    /// The configuration file, if one was named.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.config.clone()
    }

    /// Reads the settings from everywhere.
    ///
    /// # Errors
    /// Every mistake in them.
    pub(crate) fn load(&self, global: &Global) -> Result<Loaded, Report> {
        self.load_over(global, None)
    }

    /// The same, over a text that is stronger than the defaults and weaker than all else.
    ///
    /// # Errors
    /// Every mistake in them.
    pub(crate) fn load_over(
        &self,
        global: &Global,
        sample: Option<&str>,
    ) -> Result<Loaded, Report> {
        let mut assignments = self.assignments.clone();
        if let Some(dir) = &global.data_dir {
            assignments.push(format!("data_dir={}", dir.display()));
        }
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let environment = std::env::vars_os().filter_map(text).collect();
        let sample = sample.map(str::to_owned);
        config::load(&Sources { sample, file: self.config.clone(), environment, assignments })
    }
}

impl ConfigCommand {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            ConfigCommand::Check(args) => check(global, &args),
            ConfigCommand::Show(args) => {
                let mut rows = config::show(&args.load(global)?.raw);
                rows.iter_mut().for_each(|row| show_data_dir(global, row));
                output::rows(global.output, &SHOW, &rows, "")
            }
            ConfigCommand::Default => output::write(DEFAULT.as_bytes()),
        }
    }
}

/// The data directory has ways of its own to be said, beside those of every setting.
fn show_data_dir(global: &Global, row: &mut Value) {
    if row["key"] != "data_dir" {
        return;
    }
    if global.data_dir.is_some() {
        row["origin"] = "--data-dir".into();
    } else if row["value"] == ""
        && let Ok((path, variable)) = data_dir::default_path_and_variable()
    {
        row["value"] = path.display().to_string().into();
        row["origin"] = format!("environment {variable}").into();
    }
}

/// Programs get the mistakes as data; people get them as a report.
fn check(global: &Global, args: &SettingArgs) -> Result<(), Failure> {
    let checked = args.load(global);
    if global.output != Format::Table {
        let rows = checked.as_ref().err().map(Report::to_json).unwrap_or_default();
        output::rows(global.output, &MISTAKES, &rows, "")?;
    }
    checked?;
    eprintln!("the configuration is right");
    Ok(())
}
