//! Writing a request straight into a request table, as a platform would.

use std::sync::Arc;

use clap::Args;
use posthouse_relay::source::submit::NewRequest;
use posthouse_relay::source::{AnySource, Options, Source as _, SourceErrorKind, connect};
use serde_json::json;

use crate::cli::Global;
use crate::cli::broker::block_on;
use crate::cli::config::SettingArgs;
use crate::cli::output::{self, Column};
use crate::cli::publish::{duration, header, read_body};
use crate::codes::Code;
use crate::config::SourceConfig;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::relay::open;

const COLUMNS: [Column; 2] = [Column("id", "id"), Column("request id", "request_id")];

/// What to write, and where.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The request code. With a configuration it must be one of its codes.
    code: String,
    /// The body; - reads it from standard input, and @FILE from a file.
    body: Option<String>,
    /// The address of the database. Without it the source of the configuration that --config
    /// names.
    #[arg(long, value_name = "URL", env = "POSTHOUSE_RELAY_URL", hide_env_values = true)]
    url: Option<String>,
    /// The source, by its name in the configuration.
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    source: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
    /// The business id: requests with the same one go out in order.
    #[arg(long)]
    key: Option<String>,
    /// Its number among the requests of its business id, from 1 on, for a source that goes by
    /// such numbers.
    #[arg(long, value_name = "NUMBER", requires = "key")]
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    key_seq: Option<i64>,
    /// The name under which receivers are to know it.
    #[arg(long)]
    request_id: Option<String>,
    /// The region that it belongs to.
    #[arg(long)]
    region: Option<String>,
    /// The service that it is for.
    #[arg(long)]
    service: Option<String>,
    /// The method of that service.
    #[arg(long)]
    method: Option<String>,
    /// Its own processing window.
    #[arg(long)]
    window: Option<String>,
    /// Not before so long from now, such as 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    due: Option<u64>,
    /// Not from so long from now on, such as 2h.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<u64>,
    /// 0 to 9; higher goes first.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// The type of the body.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// A header for the receiver, such as colour:red. May be given many times.
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
}

impl Submit {
    /// Writes it.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        block_on(async {
            let request = self.request()?;
            let source = self.open(global)?;
            let submitted = source.submit(&request).await;
            source.close().await;
            let submitted = submitted.map_err(|error| {
                let code = match error.kind {
                    SourceErrorKind::Refused => Code::RequestInvalid,
                    SourceErrorKind::Unfit => Code::SourceUnusable,
                    _ => Code::SourceUnreachable,
                };
                let help = "check the address of the database, and what was to be written";
                Failure::new(code, error.to_string(), help)
            })?;
            let row = json!({ "id": submitted.id.0, "request_id": submitted.request_id });
            output::single(global.output, &COLUMNS, &row)
        })
    }

    fn request(&self) -> Result<NewRequest, Failure> {
        let in_ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX / 4);
        Ok(NewRequest {
            code: self.code.clone(),
            body: read_body(self.body.as_deref())?,
            request_id: self.request_id.clone(),
            key: self.key.clone(),
            key_seq: self.key_seq,
            region: self.region.clone(),
            service: self.service.clone(),
            method: self.method.clone(),
            headers: self.headers.clone(),
            content_type: self.content_type.clone(),
            window: self.window.clone(),
            priority: self.priority,
            due_in_ms: self.due.map(in_ms),
            expires_in_ms: self.expires.map(in_ms),
        })
    }

    fn open(&self, global: &Global) -> Result<AnySource, Failure> {
        if let Some(url) = &self.url {
            let help = "write it as sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE or the \
                        same with mysql://";
            return connect(url, Options::default())
                .map_err(|error| Failure::new(Code::SourceUnusable, error.to_string(), help));
        }
        let loaded = self.settings.load(global)?;
        let source = self.find(&loaded.config.relay.sources)?;
        self.check_names(source)?;
        open(source)
    }

    /// A configuration at hand is one that will be asked: what it does not know would wait for
    /// ever.
    fn check_names(&self, source: &SourceConfig) -> Result<(), Failure> {
        let plan = &source.plan;
        check_name(source, ("code", "[[relay.code]]"), &self.code, plan.codes.keys())?;
        match &self.window {
            Some(window) => {
                let kind = ("window", "[[relay.window]]");
                check_name(source, kind, window, plan.windows.keys())
            }
            None => Ok(()),
        }
    }

    fn find<'a>(&self, sources: &'a [SourceConfig]) -> Result<&'a SourceConfig, Failure> {
        let found = match (&self.source, sources) {
            (Some(name), _) => sources.iter().find(|source| *source.name == **name),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        found.ok_or_else(|| {
            let message = not_meant(self.source.as_deref(), sources);
            let help = "name a configuration with --config and a source of it with --source, or \
                        a database with --url";
            Failure { exit: Exit::Usage, ..Failure::new(Code::SourceUnknown, message, help) }
        })
    }
}

/// Why it is not known which source is meant.
fn not_meant(named: Option<&str>, sources: &[SourceConfig]) -> String {
    let names: Vec<&str> = sources.iter().map(|source| &*source.name).collect();
    match (named, names.as_slice()) {
        (_, []) => "the configuration has no relay source".to_owned(),
        (Some(named), names) => {
            format!("the configuration has no source \"{named}\", but {}", names.join(", "))
        }
        (None, names) => format!("the configuration has several sources: {}", names.join(", ")),
    }
}

/// Refuses a name that the plan of a source does not have.
fn check_name<'a>(
    source: &SourceConfig,
    (kind, table): (&str, &str),
    name: &str,
    mut known: impl Iterator<Item = &'a Arc<str>>,
) -> Result<(), Failure> {
    if known.any(|other| **other == *name) {
        return Ok(());
    }
    let message = format!("the source \"{}\" has no {kind} \"{name}\"", source.name);
    let help = format!(
        "correct it, or add it to {table}; with --url in the place of a configuration nothing is \
         checked"
    );
    Err(Failure::new(Code::RelayNameUnknown, message, help))
}
