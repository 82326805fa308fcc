//! Groups, codes, windows and the limits of endpoints: what becomes the plan of each source.

use std::collections::BTreeMap;
use std::sync::Arc;

use posthouse_pump::calendar::{Window, WindowFault, WindowSpec};
use posthouse_pump::plan::{
    Backoff, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};

use super::DURATION_MS_MAX;
use crate::config::keys::{RELAY_CODES, RELAY_GROUPS, RELAY_WINDOWS};
use crate::config::raw::{Raw, Table};
use crate::config::report::Report;
use crate::config::table::TableReader;

/// Tries after which a request may be given up.
const ATTEMPTS_MAX: u64 = 1_000_000;

/// A request group, and for which source it is.
#[derive(Clone, Debug)]
struct Named {
    group: Group,
    source: Option<String>,
}

/// Everything that plans are made from.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    groups: BTreeMap<Arc<str>, Named>,
    codes: Vec<(Arc<str>, Code)>,
    windows: BTreeMap<Arc<str>, Arc<Window>>,
    endpoints: BTreeMap<Arc<str>, Endpoint>,
}

impl Book {
    /// Reads all of it; what is wrong goes to `report`.
    pub(super) fn read(
        raw: &Raw,
        sources: &[String],
        endpoints: BTreeMap<Arc<str>, Endpoint>,
        report: &mut Report,
    ) -> Book {
        let mut book = Book { endpoints, ..Book::default() };
        for table in raw.list(RELAY_WINDOWS) {
            book.read_window(table, report);
        }
        for table in raw.list(RELAY_GROUPS) {
            book.read_group(table, sources, report);
        }
        for table in raw.list(RELAY_CODES) {
            book.read_code(table, report);
        }
        book
    }

    /// The plan of one source. Groups of other regions are in it, so that their codes are nobody's
    /// mistake; nothing of them is sent.
    pub(super) fn plan_of(&self, source: &str, region: &str) -> Plan {
        let is_ours = |named: &&Named| named.source.as_deref().is_none_or(|name| name == source);
        let groups = self.groups.iter().filter(|(_, named)| is_ours(named));
        let groups: BTreeMap<Arc<str>, Group> =
            groups.map(|(name, named)| (name.clone(), named.group.clone())).collect();
        let codes = self.codes.iter().filter(|(_, code)| groups.contains_key(&code.group));
        Plan {
            region: region.into(),
            codes: codes.cloned().collect(),
            groups,
            endpoints: self.endpoints.clone(),
            windows: self.windows.clone(),
        }
    }

    fn read_window(&mut self, table: &Table, report: &mut Report) {
        let mut reader = TableReader::new(table, report);
        let Some(name) = reader.name("name", "a window") else { return };
        let spec = WindowSpec {
            zone: reader.text("zone").unwrap_or_default(),
            weekly: reader.texts("weekly"),
            dates: reader.texts("dates"),
            valid_until: reader.text("valid_until"),
            after_valid_until: reader.text("after_valid_until"),
            margin_before_close_ms: reader.duration("margin_before_close", 0, 0..=DURATION_MS_MAX),
        };
        // A window with mistakes is known all the same, so that its users are not called wrong,
        // too.
        let window = spec.check().unwrap_or_else(|faults| {
            for WindowFault { field, index, problem, advice, .. } in faults {
                reader.refuse_entry(field, index, &problem, &advice);
            }
            Window::Never
        });
        if self.windows.insert(name.as_str().into(), Arc::new(window)).is_some() {
            reader.refuse("name", "there are two windows of this name", "rename one");
        }
    }

    fn read_group(&mut self, table: &Table, sources: &[String], report: &mut Report) {
        let mut reader = TableReader::new(table, report);
        let Some(name) = reader.name("name", "a request group") else { return };
        let source = reader.text("source");
        if let Some(source) = &source {
            reader.resolve("source", source, sources.iter().map(String::as_str));
        }
        let group = Group {
            is_active: reader.boolean("active", true),
            region: reader.text("region").map(Arc::from),
            order: reader.word("order", Order::Key, &ORDERS),
            claim: reader.word("claim", Claim::Lease, &CLAIMS),
            on_failure: on_failure(&mut reader),
            on_expired: reader.word("on_expired", OnExpired::Skip, &ON_EXPIRED),
            attempts_max: u32::try_from(reader.integer("attempts_max", 0, 0..=ATTEMPTS_MAX))
                .unwrap_or(0),
            backoff: Backoff {
                base_ms: reader.duration("backoff", 500, 1..=DURATION_MS_MAX),
                cap_ms: reader.duration("backoff_max", 300_000, 1..=DURATION_MS_MAX),
            },
            window: self.window(&mut reader),
        };
        if group.claim == Claim::Mark && group.order != Order::None {
            reader.refuse(
                "claim",
                "\"mark\" is for requests without an order: whoever else takes requests from the \
                 table takes any of them",
                "write order = \"none\", or leave it out",
            );
        }
        let named = Named { group, source };
        if self.groups.insert(name.as_str().into(), named).is_some() {
            reader.refuse("name", "there are two request groups of this name", "rename one");
        }
    }

    fn read_code(&mut self, table: &Table, report: &mut Report) {
        let mut reader = TableReader::new(table, report);
        let Some(name) = reader.name("name", "a request code") else { return };
        let Some(group) = reader.name("group", "a request code") else { return };
        reader.resolve("group", &group, self.groups.keys().map(|name| &**name));
        let Some(endpoint) = reader.name("endpoint", "a request code") else { return };
        reader.resolve("endpoint", &endpoint, self.endpoints.keys().map(|name| &**name));
        let window = self.window(&mut reader);
        let code = Code { group: group.into(), endpoint: endpoint.into(), window };
        if self.codes.iter().any(|(other, known)| **other == *name && self.meet(known, &code)) {
            reader.refuse(
                "name",
                "a source would have two request codes of this name",
                "rename one",
            );
        }
        self.codes.push((name.into(), code));
    }

    /// Whether some source has both codes.
    fn meet(&self, one: &Code, other: &Code) -> bool {
        let source =
            |code: &Code| self.groups.get(&code.group).and_then(|named| named.source.clone());
        match (source(one), source(other)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    fn window(&self, reader: &mut TableReader<'_>) -> Option<Arc<str>> {
        let name = reader.text("window")?;
        reader.resolve("window", &name, self.windows.keys().map(|name| &**name));
        Some(name.into())
    }
}

fn on_failure(reader: &mut TableReader<'_>) -> OnFailure {
    const WORDS: [(&str, OnFailure); 3] = [
        ("block", OnFailure::Block),
        ("skip", OnFailure::Skip),
        ("skip-and-mark", OnFailure::SkipAndMark),
    ];
    let Some(text) = reader.text("on_failure") else { return OnFailure::Block };
    if let Some(wait) = text.strip_prefix("block ") {
        match crate::config::duration_ms(wait.trim()) {
            Some(ms) if (1..=DURATION_MS_MAX).contains(&ms) => return OnFailure::BlockFor { ms },
            _ => reader.refuse(
                "on_failure",
                &format!("\"{wait}\" is no duration"),
                "write it as \"block 10m\"",
            ),
        }
        return OnFailure::Block;
    }
    reader.word("on_failure", OnFailure::Block, &WORDS)
}

const ORDERS: [(&str, Order); 3] =
    [("key", Order::Key), ("key-and-code", Order::KeyAndCode), ("none", Order::None)];

const CLAIMS: [(&str, Claim); 2] = [("lease", Claim::Lease), ("mark", Claim::Mark)];

const ON_EXPIRED: [(&str, OnExpired); 2] = [("skip", OnExpired::Skip), ("block", OnExpired::Block)];
