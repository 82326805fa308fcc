//! A source of which a script says how it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::{Window, WindowSpec};
use crate::health::{Change, Edge, Finder, Health, Limit, Limits, Rule, Sight, Table};
use crate::input::Hold;
use crate::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use crate::pump::{Cause, Figures, LockedFigures, WithheldFigures};
use crate::request::RequestId;
use crate::time::Now;

/// A Monday, 08:00 UTC.
const BEGIN_MS: i64 = 1_767_600_000_000;

const LOOK_MS: u64 = 10_000;

pub(super) struct World {
    health: Health,
    limits: Limits,
    plan: Plan,
    figures: Figures,
    table: Option<Table>,
    finders: Vec<Finder>,
    trouble: Option<String>,
    fenced: u64,
    gap_keys: u64,
    mono_ms: u64,
    offset_ms: i64,
    /// What is done each look, by code.
    pace: BTreeMap<Arc<str>, u64>,
}

fn plan() -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 2,
        backoff: Backoff { base_ms: 100, cap_ms: 100 },
        window: None,
    };
    let code = |group: &str, endpoint: &str| Code {
        group: group.into(),
        endpoint: endpoint.into(),
        window: None,
    };
    let breaker = Breaker { failures_max: 3, pause_ms: 1_000, pause_cap_ms: 4_000 };
    let endpoint = Endpoint { concurrency_max: 8, rate_per_s: 0, timeout_ms: 500, breaker };
    let day = WindowSpec {
        zone: "UTC".into(),
        weekly: vec!["mon-fri 09:00-17:00".into()],
        valid_until: Some("2026-02-10".into()),
        after_valid_until: Some("weekly".into()),
        ..WindowSpec::default()
    };
    Plan {
        region: "here".into(),
        groups: BTreeMap::from([
            ("orders".into(), group.clone()),
            ("trades".into(), Group { window: Some("day".into()), ..group }),
        ]),
        codes: BTreeMap::from([
            ("new".into(), code("orders", "shop")),
            ("deal".into(), code("trades", "bank")),
        ]),
        endpoints: BTreeMap::from([("shop".into(), endpoint.clone()), ("bank".into(), endpoint)]),
        windows: BTreeMap::from([("day".into(), Arc::new(window(&day)))]),
    }
}

fn window(spec: &WindowSpec) -> Window {
    spec.check().unwrap_or_else(|faults| panic!("{faults:?}"))
}

impl World {
    /// Everything is well.
    pub(super) fn new() -> World {
        World {
            health: Health::default(),
            limits: Limits::default(),
            plan: plan(),
            figures: Figures::default(),
            table: Some(Table { buckets: 16, own_buckets: 8, ..Table::default() }),
            finders: Vec::new(),
            trouble: None,
            fenced: 0,
            gap_keys: 0,
            mono_ms: 0,
            offset_ms: 0,
            pace: BTreeMap::new(),
        }
    }

    fn source_ms(&self) -> i64 {
        BEGIN_MS + i64::try_from(self.mono_ms).unwrap()
    }

    /// Plays one line; which alarms change by it.
    pub(super) fn play(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse::<u64>().unwrap();
        match *words.as_slice() {
            ["wait", ms] => return self.wait(number(ms)),
            ["claimable", code, ms] => {
                let since_ms = self.source_ms() - i64::try_from(number(ms)).unwrap();
                self.count(code, |figures| figures.oldest_ms = Some(since_ms));
            }
            ["none-claimable", code] => self.count(code, |figures| figures.oldest_ms = None),
            ["resident", code, count] => self.count(code, |it| it.resident = number(count)),
            ["pace", code, count] => _ = self.pace.insert(code.into(), number(count)),
            ["failed", code, count] => self.count(code, |it| it.failed = number(count)),
            ["rejected", code, count] => self.count(code, |it| it.rejected = number(count)),
            ["expired", code, count] => self.count(code, |it| it.expired = number(count)),
            ["blocked", code, count] => self.count(code, |it| it.blocked = number(count)),
            ["move", code, group] => {
                self.plan.codes.get_mut(code).unwrap().group = group.into();
                let figures = self.figures.codes.get(code).cloned().unwrap_or_default();
                self.figures.groups.insert(group.into(), figures);
            }
            ["forget", code] => _ = self.plan.codes.remove(code),
            ["learn", code] => {
                let known = self.plan.codes.values().next().unwrap().clone();
                self.plan.codes.insert(code.into(), known);
            }
            ["down", endpoint] => self.down(endpoint, true),
            ["up", endpoint] => self.down(endpoint, false),
            ["withheld", cause, keys] => self.withhold(cause, keys.parse().unwrap()),
            _ => self.play_source(&words),
        }
        Vec::new()
    }

    fn play_source(&mut self, words: &[&str]) {
        let number = |text: &str| text.parse::<u64>().unwrap();
        let table = self.table.get_or_insert_default();
        match *words {
            ["fenced", count] => self.fenced = number(count),
            ["gaps", keys] => self.gap_keys = number(keys),
            ["trouble", what] => self.trouble = Some(what.to_owned()),
            ["no-trouble"] => self.trouble = None,
            ["full"] => self.figures.is_withheld_full = true,
            ["not-full"] => self.figures.is_withheld_full = false,
            ["locked", requests] => {
                let (lowest, since_ms) = (RequestId(7), self.source_ms());
                let requests = requests.parse().unwrap();
                self.figures.locked = Some(LockedFigures { requests, lowest, since_ms });
            }
            ["unlocked"] => self.figures.locked = None,
            ["clock", ms] => self.offset_ms = ms.parse().unwrap(),
            ["unowned", buckets] => table.unowned_buckets = number(buckets),
            ["ready", code, count] => _ = table.ready.insert(code.into(), number(count)),
            ["rows", live, dead] => {
                (table.live_rows, table.dead_rows) = (Some(number(live)), Some(number(dead)));
            }
            ["transaction", ms] => table.oldest_transaction_ms = Some(number(ms)),
            ["log", mebibytes] => table.log_bytes = Some(number(mebibytes) << 20),
            ["service", name, healthy] => self.find(name, number(healthy), None),
            ["stale", name, ms] => self.find(name, 1, Some(number(ms))),
            ["limit", rule, value, for_ms, clear_ms] => {
                let (value, for_ms, clear_ms) = (number(value), number(for_ms), number(clear_ms));
                self.limit(rule, Some(Limit { value, for_ms, clear_ms }));
            }
            ["off", rule] => self.limit(rule, None),
            _ => panic!("not a command: {words:?}"),
        }
    }

    /// `rule` or `rule/subject`.
    fn limit(&mut self, rule: &str, limit: Option<Limit>) {
        match rule.split_once('/') {
            None => _ = self.limits.rules.insert(Rule::named(rule).unwrap(), limit),
            Some((rule, subject)) => {
                let key = (Rule::named(rule).unwrap(), subject.to_owned());
                self.limits.subjects.insert(key, limit);
            }
        }
    }

    /// Counts for a code and for its group.
    fn count(&mut self, code: &str, how: impl Fn(&mut crate::pump::CodeFigures)) {
        how(self.figures.codes.entry(code.into()).or_default());
        if let Some(known) = self.plan.codes.get(code) {
            how(self.figures.groups.entry(known.group.clone()).or_default());
        }
    }

    fn down(&mut self, endpoint: &str, is_down: bool) {
        self.figures.endpoints.entry(endpoint.into()).or_default().is_down = is_down;
    }

    fn withhold(&mut self, cause: &str, keys: usize) {
        let cause = match cause {
            "unknown-code" => Cause::UnknownCode("odd".into()),
            "other-group" => Cause::OtherGroup("new".into()),
            "unreadable" => Cause::Unreadable,
            "shut" => Cause::WindowShut("day".into()),
            "off" => Cause::GroupOff("orders".into()),
            "held" => Cause::Held(Hold::Code("new".into())),
            "later" => Cause::DueLater(1),
            "endpoint-full" => Cause::EndpointFull("bank".into()),
            other => panic!("no cause: {other}"),
        };
        self.figures.withheld.retain(|withheld| withheld.cause != cause);
        if keys > 0 {
            let (requests, lowest) = (0, RequestId(3));
            self.figures.withheld.push(WithheldFigures { cause, keys, requests, lowest });
        }
    }

    fn find(&mut self, name: &str, healthy: u64, stale_ms: Option<u64>) {
        self.finders.retain(|finder| *finder.name != *name);
        let error = (healthy == 0 || stale_ms.is_some()).then(|| "it is gone".to_owned());
        self.finders.push(Finder { name: name.into(), healthy, stale_ms, error });
    }

    fn wait(&mut self, ms: u64) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..ms.div_ceil(LOOK_MS) {
            for (code, done) in self.pace.clone() {
                self.count(&code, |it| it.done += done);
            }
            told.extend(self.look().iter().map(told_as));
            self.mono_ms += LOOK_MS;
        }
        told
    }

    fn look(&mut self) -> Vec<Change> {
        let source_ms = self.source_ms();
        let sight = Sight {
            now: Now { mono_ms: self.mono_ms, source_ms, error_ms: 5 },
            wall_ms: source_ms + self.offset_ms,
            plan: &self.plan,
            figures: &self.figures,
            trouble: self.trouble.as_deref(),
            fenced: self.fenced,
            gap_keys: self.gap_keys,
            table: self.table.as_ref(),
            finders: &self.finders,
        };
        self.health.look(&sight, &self.limits)
    }
}

fn told_as(change: &Change) -> String {
    let alarm = &change.alarm;
    let rule = alarm.rule.name();
    assert_eq!(alarm.subject.kind(), alarm.rule.subject_kind(), "{rule}");
    match change.edge {
        Edge::Begins => format!("+ {rule} {}: {}", alarm.subject, alarm.detail),
        Edge::Ends => format!("- {rule} {}", alarm.subject),
    }
}
