//! Limits of health rules, and where alarms go.

use std::collections::BTreeSet;
use std::sync::Arc;

use posthouse_pump::health::{Limit, Limits, Rule, Severity, Unit};

use super::{DURATION_MS_MAX, SourceConfig};
use crate::config::keys::{RELAY_ALARMS, RELAY_RULES};
use crate::config::raw::{Raw, Table};
use crate::config::report::Report;
use crate::config::table::TableReader;

/// The largest count that may be a limit.
const COUNT_MAX: u64 = 1_000_000_000;

/// The largest size that may be a limit, in MiB.
const SIZE_MIB_MAX: u64 = 1 << 20;

/// How sources are watched over.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HealthConfig {
    /// From one look to the next, in milliseconds.
    pub(crate) every_ms: u64,
    settings: Vec<Setting>,
    /// Where alarms go.
    pub(crate) targets: Vec<AlarmTarget>,
}

/// An endpoint that alarms go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlarmTarget {
    /// Its name.
    pub(crate) endpoint: Arc<str>,
    /// Those that are at least so bad.
    pub(crate) severity: Severity,
}

/// What one table says of a rule.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    rule: Rule,
    of: Option<String>,
    source: Option<String>,
    limit: Option<Limit>,
}

impl HealthConfig {
    /// The limits for a source. What is said of it alone counts before what is said of all.
    pub(crate) fn limits_of(&self, source: &str) -> Limits {
        let mut limits = Limits::default();
        for is_own in [false, true] {
            let meant = self.settings.iter().filter(|setting| match &setting.source {
                Some(name) => is_own && name == source,
                None => !is_own,
            });
            for Setting { rule, of, limit, .. } in meant {
                match of {
                    Some(subject) => _ = limits.subjects.insert((*rule, subject.clone()), *limit),
                    None => _ = limits.rules.insert(*rule, *limit),
                }
            }
        }
        limits
    }
}

/// Reads all of it; what is wrong goes to `report`.
pub(super) fn read(
    raw: &Raw,
    every_ms: u64,
    sources: &[SourceConfig],
    endpoints: &[Arc<str>],
    report: &mut Report,
) -> HealthConfig {
    let mut config = HealthConfig { every_ms, ..HealthConfig::default() };
    let mut known = BTreeSet::new();
    for table in raw.list(RELAY_RULES) {
        let Some(setting) = read_rule(table, sources, report) else { continue };
        if !known.insert((setting.rule, setting.of.clone(), setting.source.clone())) {
            let mut reader = TableReader::new(table, report);
            reader.refuse("name", "it is said twice of the same", "leave one of them away");
        }
        config.settings.push(setting);
    }
    for table in raw.list(RELAY_ALARMS) {
        config.targets.extend(read_target(table, endpoints, report));
    }
    config
}

fn read_rule(table: &Table, sources: &[SourceConfig], report: &mut Report) -> Option<Setting> {
    let mut reader = TableReader::new(table, report);
    let name = reader.name("name", "a health rule")?;
    let Some(rule) = Rule::named(&name) else {
        let names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        let help = format!("the rules are {}", names.join(", "));
        reader.refuse("name", &format!("there is no rule \"{name}\""), &help);
        return None;
    };
    let source = super::endpoints::filled(&mut reader, "source");
    if let Some(source) = &source {
        reader.resolve("source", source, sources.iter().map(|source| &*source.name));
    }
    let of = super::endpoints::filled(&mut reader, "of");
    if let Some(of) = &of {
        resolve_subject(&mut reader, rule, of, sources);
    }
    let limit = read_limit(&mut reader, rule);
    let is_active = reader.boolean("active", true);
    Some(Setting { rule, of, source, limit: is_active.then_some(limit) })
}

/// Services are known to registries only.
fn resolve_subject(reader: &mut TableReader<'_>, rule: Rule, of: &str, sources: &[SourceConfig]) {
    let kind = rule.subject_kind();
    let plans = || sources.iter().map(|source| &source.plan);
    let is_known = match kind {
        "code" => plans().any(|plan| plan.codes.contains_key(of)),
        "group" => plans().any(|plan| plan.groups.contains_key(of)),
        "window" => plans().any(|plan| plan.windows.contains_key(of)),
        "endpoint" => plans().any(|plan| plan.endpoints.contains_key(of)),
        "service" => true,
        _ => {
            let help = "leave it away, or name a source with `source`";
            reader.refuse("of", "this rule is about the source as a whole", help);
            return;
        }
    };
    if !is_known {
        reader.refuse("of", &format!("there is no {kind} \"{of}\""), "correct its name");
    }
}

/// What a table leaves away is as it is for the rule when nothing is said.
fn read_limit(reader: &mut TableReader<'_>, rule: Rule) -> Limit {
    let usual = rule.default_limit();
    let usual = usual.unwrap_or(Limit { value: 1, for_ms: 0, clear_ms: 30_000 });
    let value = match rule.unit() {
        Unit::Ms => reader.duration("limit", usual.value, 1..=DURATION_MS_MAX),
        Unit::Count => reader.integer("limit", usual.value, 1..=COUNT_MAX),
        Unit::Percent => reader.integer("limit", usual.value, 1..=100),
        Unit::DaysLeft => reader.integer("limit", usual.value, 0..=3_650),
        Unit::MiB => {
            let most = SIZE_MIB_MAX << 20;
            reader.size("limit", usual.value << 20, 1 << 20..=most) >> 20
        }
    };
    Limit {
        value,
        for_ms: reader.duration("for", usual.for_ms, 0..=DURATION_MS_MAX),
        clear_ms: reader.duration("clear", usual.clear_ms, 0..=DURATION_MS_MAX),
    }
}

fn read_target(table: &Table, endpoints: &[Arc<str>], report: &mut Report) -> Option<AlarmTarget> {
    const SEVERITIES: [(&str, Severity); 2] =
        [("warning", Severity::Warning), ("error", Severity::Error)];
    let mut reader = TableReader::new(table, report);
    let endpoint = reader.name("endpoint", "an alarm target")?;
    reader.resolve("endpoint", &endpoint, endpoints.iter().map(|name| &**name));
    let severity = reader.word("severity", Severity::Warning, &SEVERITIES);
    Some(AlarmTarget { endpoint: endpoint.into(), severity })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::duration_text;

    const MANUAL: &str = include_str!("../../../../../docs/alarms.md");

    fn limit_text(unit: Unit, value: u64) -> String {
        match unit {
            Unit::Ms => duration_text(value),
            Unit::Count => value.to_string(),
            Unit::Percent => format!("{value} %"),
            Unit::DaysLeft => format!("{value} days left"),
            Unit::MiB if value.is_multiple_of(1_024) => format!("{} GiB", value / 1_024),
            Unit::MiB => format!("{value} MiB"),
        }
    }

    fn row(rule: Rule) -> String {
        let (name, kind) = (rule.name(), rule.subject_kind());
        let severity = if rule.severity() == Severity::Error { "error" } else { "warning" };
        let (limit, for_ms, clear_ms) = match rule.default_limit() {
            Some(limit) => (limit_text(rule.unit(), limit.value), limit.for_ms, limit.clear_ms),
            None => ("off".to_owned(), 0, 30_000),
        };
        let (wait, clear) = (duration_text(for_ms), duration_text(clear_ms));
        format!("| `{name}` | {kind} | {limit} | {wait} | {clear} | {severity} |")
    }

    #[test]
    fn the_manual_has_every_rule_as_it_is() {
        let headings = MANUAL.lines().filter_map(|line| line.strip_prefix("### "));
        let headings: Vec<&str> = headings.flat_map(|heading| heading.split(", ")).collect();
        for rule in Rule::ALL {
            assert!(MANUAL.contains(&row(rule)), "{}", row(rule));
            assert!(headings.contains(&rule.name()), "{} is not explained", rule.name());
        }
    }
}
