//! The configuration: layers of texts, put over each other key by key, then checked as a whole.
//!
//! The embedded `default.toml` is the weakest layer and the documentation at once. Over it come
//! one file, the environment and `--set`. Every mistake in any of them is reported together.

mod checked;
mod keys;
mod mask;
mod quote;
mod raw;
mod reader;
mod relay;
mod report;
mod rules;
mod show;
mod source;
mod suggestion;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use checked::{Config, JournalConfig, LimitsConfig, LogConfig};
pub(crate) use relay::{AlarmTarget, HealthConfig, RelayConfig, Route, SourceConfig};
pub(crate) use report::Report;
pub(crate) use show::{changes, show};
pub(crate) use value::{duration_ms, duration_text};

use crate::codes::Code;
use keys::ENVIRONMENT_PREFIX;
use raw::{Layers, Raw};
use report::Mistake;
use source::{Place, Source, SourceKind};

/// The default file, which documents every setting.
pub(crate) const DEFAULT: &str = include_str!("default.toml");

/// Bytes of a configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where settings are looked for beside the defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// A text that comes with a sample.
    pub(crate) sample: Option<String>,
    /// The file.
    pub(crate) file: Option<PathBuf>,
    /// Environment variables, all of them.
    pub(crate) environment: Vec<(String, String)>,
    /// `KEY=VALUE` pairs from the command line.
    pub(crate) assignments: Vec<String>,
}

/// What was read: the settings with their places, and their meaning.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The settings as they were written.
    pub(crate) raw: Raw,
    /// The settings as they are meant.
    pub(crate) config: Config,
}

/// Reads all sources.
///
/// # Errors
/// Every mistake in them.
pub(crate) fn load(sources: &Sources) -> Result<Loaded, Report> {
    let mut layers = Layers::new();
    layers.add_text(&source(SourceKind::Default, "", DEFAULT));
    if let Some(sample) = &sources.sample {
        layers.add_text(&source(SourceKind::Default, "", sample));
    }
    if let Some(path) = &sources.file {
        add_file(&mut layers, path);
    }
    for (name, value) in &sources.environment {
        add_variable(&mut layers, name, value);
    }
    for assignment in &sources.assignments {
        add_assignment(&mut layers, assignment);
    }
    finish(layers)
}

fn finish(layers: Layers) -> Result<Loaded, Report> {
    let Layers { raw, mut report, .. } = layers;
    let checked = Config::new(&raw);
    if let Err(more) = &checked {
        report.mistakes.extend_from_slice(&more.mistakes);
    }
    match checked {
        Ok(config) if report.mistakes.is_empty() => Ok(Loaded { raw, config }),
        _ => Err(report.in_order()),
    }
}

fn add_file(layers: &mut Layers, path: &Path) {
    match read_file(path) {
        Ok(text) => {
            layers.add_text(&source(SourceKind::File, &path.display().to_string(), &text));
        }
        Err(reason) => layers.report.mistakes.push(Mistake {
            code: Code::FileInvalid,
            message: format!("the configuration file {} cannot be read", path.display()),
            place: None,
            help: reason,
        }),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("it has {length} bytes; {FILE_BYTES_MAX} are allowed"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn add_variable(layers: &mut Layers, name: &str, value: &str) {
    if let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) {
        let path = path.to_lowercase().replace("__", ".");
        let source = source(SourceKind::Environment, "", &format!("{name}={value}"));
        layers.add_assignment(&source, &path, name.len() + 1);
    }
}

fn add_assignment(layers: &mut Layers, assignment: &str) {
    let source = source(SourceKind::CommandLine, "", assignment);
    match assignment.split_once('=') {
        Some((path, _)) => layers.add_assignment(&source, path.trim(), path.len() + 1),
        None => layers.report.mistakes.push(Mistake::at(
            Code::ValueInvalid,
            &Place::new(&source, 0..assignment.len()),
            "this sets nothing".into(),
            "write it as KEY=VALUE".into(),
        )),
    }
}

fn source(kind: SourceKind, name: &str, text: &str) -> Arc<Source> {
    Arc::new(Source { kind, name: name.to_owned(), text: text.to_owned() })
}
