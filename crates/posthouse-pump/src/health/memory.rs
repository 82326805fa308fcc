//! What is remembered from look to look: how counters grow.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::growth::Growth;
use super::sight::Sight;
use crate::plan::Plan;
use crate::pump::CodeFigures;

/// See the module. Only what the plan names is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    groups: BTreeMap<Arc<str>, GroupMemory>,
    /// Counted by code, and not by group: a code that moves takes its past with it.
    codes: BTreeMap<Arc<str>, CodeMemory>,
    pub fenced: Growth,
    has_begun: bool,
}

/// What is remembered of one code.
#[derive(Clone, Debug, Default)]
struct CodeMemory {
    ended: Growth,
    /// Failed and rejected.
    badly: Growth,
    expired: Growth,
}

/// What is remembered of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupMemory {
    ended: u64,
    /// Since when nothing has ended although something could go, milliseconds of the steady clock.
    idle_since_mono_ms: Option<u64>,
}

impl Memory {
    /// Takes note of what is seen now.
    pub fn note(&mut self, sight: &Sight<'_>) {
        let mono_ms = sight.now.mono_ms;
        let (plan, figures) = (sight.plan, sight.figures);
        self.fenced.note(mono_ms, sight.fenced);
        self.groups.retain(|name, _| plan.groups.contains_key(name));
        self.codes.retain(|name, _| plan.codes.contains_key(name));
        for name in plan.groups.keys() {
            let seen = figures.groups.get(name).cloned().unwrap_or_default();
            self.groups.entry(name.clone()).or_default().note(mono_ms, &seen);
        }
        for name in plan.codes.keys() {
            let seen = figures.codes.get(name).cloned().unwrap_or_default();
            let is_new_here = self.has_begun;
            let known = self.codes.entry(name.clone());
            let known = known.or_insert_with(|| CodeMemory::new(mono_ms, &seen, is_new_here));
            known.note(mono_ms, &seen);
        }
        self.has_begun = true;
    }

    /// How many requests of a group have failed or were rejected lately, and have expired.
    pub fn lately(&self, plan: &Plan, group: &str) -> (u64, u64) {
        let codes = plan.codes.iter().filter(|(_, code)| *code.group == *group);
        let known = codes.filter_map(|(name, _)| self.codes.get(name));
        known.fold((0, 0), |(badly, expired), code| {
            (badly + code.badly.lately(), expired + code.expired.lately())
        })
    }

    /// What is remembered of a group.
    pub fn group(&self, name: &str) -> Option<&GroupMemory> {
        self.groups.get(name)
    }

    /// How many requests of a code end in a second; `None` if they have not been watched for long
    /// enough.
    pub fn per_second(&self, code: &str, span_ms: u64) -> Option<f64> {
        self.codes.get(code)?.ended.per_second(span_ms)
    }
}

impl CodeMemory {
    /// One that comes into the plan later may have a past that is nobody's business now.
    fn new(mono_ms: u64, seen: &CodeFigures, is_new_here: bool) -> CodeMemory {
        if !is_new_here {
            return CodeMemory::default();
        }
        CodeMemory {
            ended: Growth::from_now(mono_ms, ended(seen)),
            badly: Growth::from_now(mono_ms, seen.failed + seen.rejected),
            expired: Growth::from_now(mono_ms, seen.expired),
        }
    }

    fn note(&mut self, mono_ms: u64, seen: &CodeFigures) {
        self.ended.note(mono_ms, ended(seen));
        self.badly.note(mono_ms, seen.failed + seen.rejected);
        self.expired.note(mono_ms, seen.expired);
    }
}

impl GroupMemory {
    fn note(&mut self, mono_ms: u64, seen: &CodeFigures) {
        let ended = ended(seen);
        if ended != self.ended || seen.oldest_ms.is_none() {
            self.idle_since_mono_ms = None;
        }
        self.ended = ended;
        if seen.oldest_ms.is_some() {
            self.idle_since_mono_ms.get_or_insert(mono_ms);
        }
    }

    /// For how long nothing has ended although something could go.
    pub fn idle_ms(&self, mono_ms: u64) -> u64 {
        self.idle_since_mono_ms.map_or(0, |since| mono_ms.saturating_sub(since))
    }
}

/// Requests that came to an end.
fn ended(figures: &CodeFigures) -> u64 {
    figures.done + figures.failed + figures.expired + figures.rejected + figures.gone
}
