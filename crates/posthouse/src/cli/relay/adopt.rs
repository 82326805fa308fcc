//! Adopting a table that somebody else has made: looking it over, and making what it needs on our
//! side. The table itself is never changed.

use clap::Args;
use posthouse_relay::source::adopt::{Refusal, Report, Unfed};
use posthouse_relay::source::{AnySource, Source as _, SourceError, SourceErrorKind, schema};
use serde_json::{Value, json};

use super::look::put_time;
use super::unfed::{NONE, UNFED};
use crate::cli::Global;
use crate::cli::broker::block_on;
use crate::cli::config::SettingArgs;
use crate::cli::output::{self, Format};
use crate::codes::Code;
use crate::config::SourceConfig;
use crate::failure::Failure;
use crate::relay::open;

/// Which table, and what to do.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The source of the configuration that adopts it.
    #[arg(value_name = "SOURCE")]
    source: String,
    #[command(flatten)]
    settings: SettingArgs,
    /// Change nothing, and show everything that would be done.
    #[arg(long)]
    dry_run: bool,
    /// List the rows that could not be fed.
    #[arg(long, conflicts_with = "dry_run")]
    unfed: bool,
}

impl Adopt {
    /// Looks the table over.
    ///
    /// # Errors
    /// Why it cannot be adopted.
    pub(super) fn run(self, global: &Global) -> Result<(), Failure> {
        let loaded = self.settings.load(global)?;
        let sources = &loaded.config.relay.sources;
        let config =
            sources.iter().find(|source| *source.name == self.source).ok_or_else(|| {
                let message = format!("the configuration has no source \"{}\"", self.source);
                Failure::new(Code::SourceUnknown, message, "")
            })?;
        if config.adoption.is_none() {
            let message = format!("the source \"{}\" adopts no table", self.source);
            let help = "write [relay.source.adopt] below it; docs/adopting.md shows how";
            return Err(Failure::new(Code::SourceUnusable, message, help));
        }
        block_on(async {
            let source = open(config)?;
            let done = self.carry_out(global.output, config, &source).await;
            source.close().await;
            done
        })
    }

    async fn carry_out(
        &self,
        format: Format,
        config: &SourceConfig,
        source: &AnySource,
    ) -> Result<(), Failure> {
        let failure = |error: SourceError| failure(config, &error);
        if self.unfed {
            return list(format, source).await.map_err(failure)?;
        }
        let report = source.adoption_report().await.map_err(failure)?.unwrap_or_default();
        show(format, &report)?;
        if let Some(refusal) = report.refusal() {
            let message = format!("the relay source \"{}\": {refusal}", config.name);
            return Err(Failure::new(Code::SourceUnusable, message, "mend this, and look again"));
        }
        if self.dry_run || report.ours.is_empty() {
            return Ok(());
        }
        if report.ours.iter().any(|text| text.contains("relay_control")) {
            let url = config.url.read().map_err(|problem| {
                Failure::new(Code::SourceUnusable, problem, "check its url in the configuration")
            })?;
            schema::init(&url).await.map_err(failure)?;
        }
        source.adopt().await.map_err(failure)?;
        eprintln!("the relay's tables are there; the statements for the table's owner are above");
        Ok(())
    }
}

async fn list(format: Format, source: &AnySource) -> Result<Result<(), Failure>, SourceError> {
    let rows = source.unfed().await?;
    let row = |one: &Unfed| {
        json!({
            "row": one.row_id,
            "key": one.business_id,
            "reason": one.reason,
            "since_ms": one.since_ms,
        })
    };
    let mut rows: Vec<Value> = rows.iter().map(row).collect();
    if format == Format::Table {
        rows.iter_mut().for_each(|row| put_time(row, "since_ms"));
    }
    Ok(output::rows(format, &UNFED, &rows, NONE))
}

fn failure(config: &SourceConfig, error: &SourceError) -> Failure {
    let code = match error.kind {
        SourceErrorKind::Unavailable | SourceErrorKind::Conflict => Code::SourceUnreachable,
        _ => Code::SourceUnusable,
    };
    let message = format!("the relay source \"{}\": {error}", config.name);
    Failure::new(code, message, format!("`posthouse explain {}`", code.as_str()))
}

fn show(format: Format, report: &Report) -> Result<(), Failure> {
    match format {
        Format::Table => output::write(told(report).as_bytes()),
        _ => output::single(format, &[], &document(report)),
    }
}

fn document(report: &Report) -> Value {
    let refusal = |one: &Refusal| json!({ "problem": one.problem, "help": one.help });
    let statement = |(title, text): &(String, String)| json!({ "for": title, "sql": text });
    let plan = |(title, steps): &(String, Vec<String>)| json!({ "for": title, "steps": steps });
    json!({
        "level": report.level,
        "found": report.found,
        "refusals": report.refusals.iter().map(refusal).collect::<Vec<_>>(),
        "warnings": report.warnings,
        "ours": report.ours,
        "theirs": report.theirs,
        "statements": report.statements.iter().map(statement).collect::<Vec<_>>(),
        "plans": report.plans.iter().map(plan).collect::<Vec<_>>(),
    })
}

/// The same for people: what can be copied is SQL, all else a comment of SQL.
fn told(report: &Report) -> String {
    let mut text = format!("-- {}\n", report.level);
    let mut part = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n-- {title}\n{}\n", lines.join("\n")));
        }
    };
    let noted = |lines: &[String]| lines.iter().map(|line| format!("--   {line}")).collect();
    let run = |lines: &[String]| lines.iter().map(|line| format!("{line};")).collect();
    part("what was found", noted(&report.found));
    let refusals: Vec<String> =
        report.refusals.iter().map(|one| format!("{}: {}", one.problem, one.help)).collect();
    part("WHY IT CANNOT BE ADOPTED AS IT IS", noted(&refusals));
    part("what its owner should know", noted(&report.warnings));
    part("made once on the relay's side", run(&report.ours));
    part("for the owner of the table to run, if it is not so yet", run(&report.theirs));
    for (title, statement) in &report.statements {
        part(&format!("run again and again, to {title}"), noted(&[format!("{statement};")]));
    }
    for (title, steps) in &report.plans {
        part(&format!("how the database does it, to {title}"), noted(steps));
    }
    text
}
