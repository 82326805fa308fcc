//! What is remembered from look to look: how counters grow.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::growth::Growth;
use super::sight::Sight;
use crate::pump::CodeFigures;

/// See the module. Only what the plan names is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    groups: BTreeMap<Arc<str>, GroupMemory>,
    codes: BTreeMap<Arc<str>, Growth>,
    pub fenced: Growth,
}

/// What is remembered of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupMemory {
    /// Failed and rejected.
    pub badly: Growth,
    pub expired: Growth,
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
            let seen = figures.codes.get(name).map_or(0, ended);
            self.codes.entry(name.clone()).or_default().note(mono_ms, seen);
        }
    }

    /// What is remembered of a group.
    pub fn group(&self, name: &str) -> Option<&GroupMemory> {
        self.groups.get(name)
    }

    /// How many requests of a code end in a second; `None` if they have not been watched for long
    /// enough.
    pub fn per_second(&self, code: &str, span_ms: u64) -> Option<f64> {
        self.codes.get(code)?.per_second(span_ms)
    }
}

impl GroupMemory {
    fn note(&mut self, mono_ms: u64, seen: &CodeFigures) {
        self.badly.note(mono_ms, seen.failed + seen.rejected);
        self.expired.note(mono_ms, seen.expired);
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
