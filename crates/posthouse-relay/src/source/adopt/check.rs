//! Looking a table over before it is used: what it is, what is wrong with it, which statements
//! follow, and how the database would carry them out.

use super::expression::expressions;
use super::mapping::{Adoption, Mapped};
use super::report::Report;
use super::shape::{self, Shape};
use super::side_tables;
use super::statements::Statements;
use super::verdict::judge;
use super::{quoting, rights, words, zone};
use crate::source::base::{Base, Dialect, Door, Options, Value, Work};
use crate::source::error::{SourceError, SourceErrorKind};
use crate::source::prepare::{steps_of, types_of};
use crate::source::schema;

/// The statements for a table that was looked over before.
pub(super) async fn make(
    base: &Base,
    adoption: &Adoption,
    body_bytes_max: u64,
) -> Result<Statements, SourceError> {
    let dialect = base.dialect();
    let mut work = base.single(Door::Work).await?;
    let shape = shape::find(&mut work, dialect, &adoption.table).await?;
    let shape = shape.ok_or_else(|| {
        SourceError::unfit(format!("there is no table {} any more", adoption.table.shown()))
    })?;
    let body_type = body_type(&mut work, dialect, adoption).await?;
    work.done();
    let made = expressions(dialect, adoption, &shape, &body_type, body_bytes_max);
    Ok(Statements::new(dialect, adoption, &shape, made))
}

/// Looks everything over. There are statements only if nothing is missing that they name.
pub(super) async fn check(
    base: &Base,
    adoption: &Adoption,
    options: &Options,
) -> Result<(Report, Option<Statements>), SourceError> {
    let dialect = base.dialect();
    let mut report = Report { level: level(adoption), ..Report::default() };
    let mut work = base.single(Door::Work).await?;
    let who = rights::user(&mut work, dialect).await?;
    let missing = ours(&mut work, dialect, adoption, &mut report).await?;
    let shape = match shape::find(&mut work, dialect, &adoption.table).await {
        Ok(shape) => shape,
        Err(error) if error.kind == SourceErrorKind::Unfit => {
            report.refuse(error.detail, "let the user see the schema of the table");
            None
        }
        Err(error) => return Err(error),
    };
    report.theirs = rights::grants(dialect, adoption, &who);
    let Some(shape) = shape else {
        let select = rights::on_theirs(dialect, adoption).iter().map(|one| one.grant(&who)).next();
        report.refuse(
            format!("there is no table {}, or the user may not see it", adoption.table.shown()),
            format!(
                "look at its name, which counts letter for letter, or run `{}`",
                select.unwrap_or_default()
            ),
        );
        work.done();
        return Ok((report, None));
    };
    report.found = found(adoption, &shape);
    judge(dialect, adoption, options.order, &shape, &mut report);
    missing_rights(&mut work, dialect, adoption, (&who, missing), &mut report).await?;
    if report.refusals.iter().any(|refusal| refusal.problem.contains("has no column")) {
        work.done();
        return Ok((report, None));
    }
    refuse_zone(&mut work, dialect, adoption, &mut report).await?;
    words::refuse(&mut work, dialect, adoption, &shape, &mut report).await?;
    let statements = match body_type(&mut work, dialect, adoption).await {
        Ok(body_type) => {
            let made = expressions(dialect, adoption, &shape, &body_type, options.body_bytes_max);
            Some(Statements::new(dialect, adoption, &shape, made))
        }
        Err(error) => {
            refuse_expression(error, &mut report)?;
            None
        }
    };
    if let Some(statements) = &statements {
        try_out(&mut work, statements, missing, &mut report).await?;
    }
    work.done();
    let is_fit = report.refusals.is_empty();
    Ok((report, statements.filter(|_| is_fit)))
}

fn level(adoption: &Adoption) -> String {
    match &adoption.states {
        Some(states) => format!(
            "marking: rows whose {} is '{}' are taken over, and told what became of them",
            states.column, states.ready
        ),
        None => "reading only: rows are followed by their ids, and nothing of the table is written"
            .to_owned(),
    }
}

/// What is missing on our side, as statements. Gives whether anything is.
async fn ours(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    report: &mut Report,
) -> Result<bool, SourceError> {
    if types_of(work, dialect, "relay_control").await?.is_empty() {
        report.ours.push(schema::ddl(dialect).trim_end().trim_end_matches(';').to_owned());
    }
    let table = adoption.table.shown();
    if !side_tables::missing(work, dialect).await?.is_empty() {
        report.ours.extend(side_tables::ddl(dialect));
        report.ours.push(side_tables::first_row(dialect, &table));
        return Ok(true);
    }
    match side_tables::adopted(work).await? {
        None => {
            report.ours.push(side_tables::first_row(dialect, &table));
            Ok(true)
        }
        Some(other) if other != table => {
            report.refuse(
                format!("the feed of this database is of the table {other}, and not of {table}"),
                "a database has one adopted table; if it is the same under another name, or that \
                 one is done with, run `UPDATE relay_feed SET adopted = '...', passed_id = NULL`",
            );
            Ok(false)
        }
        Some(_) => Ok(!report.ours.is_empty()),
    }
}

fn found(adoption: &Adoption, shape: &Shape) -> Vec<String> {
    let mut found = vec![format!("{} {}", shape.kind, adoption.table.shown())];
    for (name, column) in &shape.columns {
        let null = if column.is_nullable { "" } else { " NOT NULL" };
        found.push(format!("column {name} {}{null}", column.whole));
    }
    for index in &shape.indexes {
        let unique = if index.is_unique { "unique index" } else { "index" };
        let name = if index.name.is_empty() { "of the table itself" } else { &index.name };
        let partly = if index.predicate.is_some() { ", of some rows" } else { "" };
        found.push(format!("{unique} {name} ({}){partly}", index.columns.join(", ")));
    }
    found.extend(shape.triggers.iter().map(|trigger| format!("trigger {trigger}")));
    found
}

async fn missing_rights(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    (who, is_incomplete): (&str, bool),
    report: &mut Report,
) -> Result<(), SourceError> {
    let mut needed = rights::on_theirs(dialect, adoption);
    if !is_incomplete {
        needed.extend(rights::of_feed());
    }
    for right in needed {
        if rights::is_missing(work, dialect, &right).await? {
            let grant = right.grant(who);
            report.refuse(format!("the user {who} lacks a right"), format!("run `{grant}`"));
        }
    }
    Ok(())
}

/// What the database makes of an expression in PostgreSQL, which alone does not convert bytes.
async fn body_type(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
) -> Result<String, SourceError> {
    match (dialect, adoption.columns.get("body")) {
        (Dialect::Postgres, Some(Mapped::Sql(text))) => {
            let text = format!(
                "SELECT CAST(pg_typeof((SELECT ({text}) FROM {} AS u LIMIT 0)) AS TEXT) AS type",
                quoting::table(dialect, &adoption.table)
            );
            work.row(text, Vec::new()).await?.text("type")
        }
        _ => Ok(String::new()),
    }
}

/// A zone that the database does not know would make nothing of every instant.
async fn refuse_zone(
    work: &mut Work,
    dialect: Dialect,
    adoption: &Adoption,
    report: &mut Report,
) -> Result<(), SourceError> {
    let Some(zone) = &adoption.zone else { return Ok(()) };
    let is_known = match dialect {
        Dialect::Sqlite => true,
        Dialect::Mysql => {
            let text = format!(
                "SELECT CAST(CASE WHEN convert_tz('2020-01-01', {}, '+00:00') IS NULL THEN 0 \
                 ELSE 1 END AS BIGINT) AS is_known",
                quoting::literal(dialect, zone::mysql_zone(zone))
            );
            work.row(text, Vec::new()).await?.is_set("is_known")?
        }
        Dialect::Postgres => {
            let text = format!(
                "SELECT 1 AS is_known WHERE clock_timestamp() AT TIME ZONE {} IS NOT NULL",
                quoting::literal(dialect, zone)
            );
            work.rows(text, Vec::new()).await.is_ok()
        }
    };
    if !is_known {
        report.refuse(
            format!("the database does not know the time zone {zone}"),
            "write its name as the database has it, or an offset such as \"+02:00\"; MySQL and \
             MariaDB know names only once `mysql_tzinfo_to_sql` has been run",
        );
    }
    Ok(())
}

fn refuse_expression(error: SourceError, report: &mut Report) -> Result<(), SourceError> {
    match error.kind {
        SourceErrorKind::Unavailable | SourceErrorKind::Conflict => Err(error),
        _ => {
            report.refuse(
                format!("the database does not take what is configured: {}", error.detail),
                "look at `where` and at the expressions of [relay.source.adopt.columns]",
            );
            Ok(())
        }
    }
}

/// Has the database look at each statement, and says how it would carry it out.
async fn try_out(
    work: &mut Work,
    statements: &Statements,
    is_incomplete: bool,
    report: &mut Report,
) -> Result<(), SourceError> {
    let dialect = statements.dialect;
    let rows = Value::ints([0]);
    let looks = match statements.adoption.states {
        Some(_) => ("look for rows that are ready", statements.ready_alone(), vec![1.into()]),
        None => ("look for rows behind an id", statements.behind(), vec![0.into(), 1.into()]),
    };
    for (title, text, values) in [looks, ("look at rows", statements.facts(), vec![rows])] {
        match steps_of(work, dialect, &text, values).await {
            Ok(steps) => {
                if steps.iter().any(|step| is_whole_walk(dialect, step)) {
                    report.refuse(
                        format!("to {title}, the database would walk over the whole table"),
                        "create the index that is missing, and have the database analyse the table",
                    );
                }
                report.plans.push((title.to_owned(), steps));
            }
            Err(error) => refuse_expression(error, report)?,
        }
    }
    report.statements = listed(statements);
    if is_incomplete || !report.refusals.is_empty() {
        return Ok(());
    }
    let insert = steps_of(work, dialect, &statements.insert(), vec![Value::ints([0])]).await;
    insert.map(drop).or_else(|error| refuse_expression(error, report))
}

fn listed(statements: &Statements) -> Vec<(String, String)> {
    let mut listed = match statements.adoption.states {
        Some(_) => vec![("look for rows that are ready", statements.ready(true))],
        None => vec![("look for rows behind an id", statements.behind())],
    };
    listed.push(("look at rows", statements.facts()));
    listed.push(("take rows over", statements.insert()));
    listed.extend(statements.take().map(|text| ("say that they were taken", text)));
    if statements.adoption.states.is_some() {
        listed.push(("send a row again", statements.reopen()));
    }
    listed.extend(statements.tell().map(|text| ("tell what became of them", text)));
    listed.into_iter().map(|(title, text)| (title.to_owned(), text)).collect()
}

fn is_whole_walk(dialect: Dialect, step: &str) -> bool {
    match dialect {
        Dialect::Postgres => step.contains("Seq Scan"),
        Dialect::Mysql => step.starts_with("ALL u ") || step.starts_with("index u "),
        Dialect::Sqlite => step.starts_with("SCAN u") && !step.contains("USING"),
    }
}
