//! Rules for destinations, from their readable names to the policies of the core.

use std::sync::Arc;

use posthouse_core::destination::{Kind, Pattern};
use posthouse_core::policy::{
    KeepExpired, OnReject, Persistence, Policy, Rule, WhenFull, WhenSlow,
};

use super::keys::RULES;
use super::raw::{Raw, Setting, Table};
use super::reader::{Reading, boolean, duration, integer, size, text, word};
use super::report::{Mistake, Report};
use crate::codes::Code;

/// Longest wait that a rule may set, in milliseconds: thirty days.
const WAIT_MS_MAX: u64 = 30 * 86_400_000;

/// Reads all rules; what is wrong with them goes to `report`.
pub(crate) fn read(raw: &Raw, report: &mut Report) -> Vec<Rule> {
    raw.list(RULES).iter().filter_map(|rule| read_rule(rule, report)).collect()
}

fn read_rule(rule: &Table, report: &mut Report) -> Option<Rule> {
    let mut policy = Policy::default();
    for (name, setting) in &rule.settings {
        if let Err(mistake) = set(&mut policy, name, setting) {
            report.mistakes.push(*mistake);
        }
    }
    let Some(pattern) = rule.settings.get("pattern") else {
        let message = "a rule without `pattern` is for nothing".to_owned();
        let help = "add pattern = \"queue/PATH\", \"topic/PATH\" or \"*/PATH\"".to_owned();
        report.mistakes.push(Mistake::at(Code::ValueInvalid, &rule.place, message, help));
        return None;
    };
    match read_pattern(pattern) {
        Ok((kind, path)) => Some(Rule { kind, path, policy: Arc::new(policy) }),
        Err(mistake) => {
            report.mistakes.push(*mistake);
            None
        }
    }
}

fn read_pattern(setting: &Setting) -> Reading<(Option<Kind>, Arc<str>)> {
    let given = text("pattern", setting)?;
    let refuse = |help: String| {
        let message = format!("`pattern`: \"{given}\" is not a pattern");
        Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, help))
    };
    let (kind, path) = match given.split_once('/') {
        Some(("queue", path)) => (Some(Kind::Queue), path),
        Some(("topic", path)) => (Some(Kind::Topic), path),
        Some(("*", path)) => (None, path),
        _ => return Err(refuse("begin it with queue/, topic/ or */".into())),
    };
    match Pattern::new(kind.unwrap_or(Kind::Queue), path) {
        Ok(_) => Ok((kind, path.into())),
        Err(refusal) => Err(refuse(refusal.detail)),
    }
}

fn set(policy: &mut Policy, name: &str, setting: &Setting) -> Reading<()> {
    let any = 0..=u64::MAX;
    let wait = 0..=WAIT_MS_MAX;
    match name {
        "messages_max" => policy.messages_max = integer(name, setting, &any)?,
        "bytes_max" => policy.bytes_max = size(name, setting, &any)?,
        "when_full" => policy.when_full = word(name, setting, &WHEN_FULL)?,
        "block_time_max" => policy.block_ms_max = duration(name, setting, &wait)?,
        "slow_messages_max" => policy.slow_messages_max = integer(name, setting, &any)?,
        "slow_bytes_max" => policy.slow_bytes_max = size(name, setting, &any)?,
        "when_slow" => policy.when_slow = word(name, setting, &WHEN_SLOW)?,
        "persistence" => policy.persistence = word(name, setting, &PERSISTENCE)?,
        "on_reject" => policy.on_reject = word(name, setting, &ON_REJECT)?,
        "dead_letter" => policy.dead_letter = dead_letter(setting)?,
        "keep_expired" => policy.keep_expired = word(name, setting, &KEEP_EXPIRED)?,
        "auto_create" => policy.auto_create = boolean(name, setting)?,
        _ => set_redelivery(policy, name, setting)?,
    }
    Ok(())
}

fn set_redelivery(policy: &mut Policy, name: &str, setting: &Setting) -> Reading<()> {
    let wait = 0..=WAIT_MS_MAX;
    let redelivery = &mut policy.redelivery;
    match name {
        "attempts_max" => redelivery.attempts_max = number(name, setting, 0, 1_000_000)?,
        "redelivery_delay" => redelivery.delay_ms = duration(name, setting, &wait)?,
        "redelivery_growth_percent" => {
            redelivery.growth_percent = number(name, setting, 100, 10_000)?;
        }
        "redelivery_delay_max" => redelivery.delay_ms_max = duration(name, setting, &wait)?,
        _ => {}
    }
    Ok(())
}

fn number(name: &str, setting: &Setting, least: u32, most: u32) -> Reading<u32> {
    let number = integer(name, setting, &(u64::from(least)..=u64::from(most)))?;
    Ok(u32::try_from(number).unwrap_or(most))
}

/// The template must make a name of a queue for any destination.
fn dead_letter(setting: &Setting) -> Reading<Option<Arc<str>>> {
    let template = text("dead_letter", setting)?;
    if template.is_empty() {
        return Ok(None);
    }
    let example = template.replace("{}", "orders");
    let is_name = Pattern::new(Kind::Queue, &example).map(|pattern| pattern.as_name());
    if ["queue/", "topic/", "/"].iter().any(|prefix| template.starts_with(prefix)) {
        let message = format!("`dead_letter`: \"{template}\" begins with a kind of destination");
        let help = "write the queue's name alone, such as DLQ.{}".to_owned();
        return Err(Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, help)));
    }
    if !matches!(is_name, Ok(Some(_))) {
        let message = format!("`dead_letter`: \"{template}\" does not name a queue");
        let help = "use a name such as \"DLQ.{}\" or \"dead\"; empty discards".to_owned();
        return Err(Box::new(Mistake::at(Code::ValueInvalid, &setting.place, message, help)));
    }
    Ok(Some(template.into()))
}

const WHEN_FULL: [(&str, WhenFull); 3] = [
    ("block", WhenFull::Block),
    ("reject", WhenFull::Reject),
    ("drop-oldest", WhenFull::DropOldest),
];

const WHEN_SLOW: [(&str, WhenSlow); 3] = [
    ("block", WhenSlow::Block),
    ("drop-oldest", WhenSlow::DropOldest),
    ("disconnect", WhenSlow::Disconnect),
];

const PERSISTENCE: [(&str, Persistence); 3] = [
    ("as-sent", Persistence::AsSent),
    ("always", Persistence::Always),
    ("never", Persistence::Never),
];

const ON_REJECT: [(&str, OnReject); 2] =
    [("dead-letter", OnReject::DeadLetter), ("requeue", OnReject::Requeue)];

const KEEP_EXPIRED: [(&str, KeepExpired); 3] = [
    ("persistent", KeepExpired::Persistent),
    ("all", KeepExpired::All),
    ("none", KeepExpired::None),
];
