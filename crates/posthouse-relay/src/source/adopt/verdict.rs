//! Whether a table can be adopted, by what the catalogue says of it. No database is asked here.

use super::expression::{TARGETS, Takes};
use super::mapping::{Adoption, Mapped, States};
use super::quoting;
use super::report::Report;
use super::shape::{Column, Shape};
use super::zone::{self, Instant};
use crate::source::base::{CommitOrder, Dialect};

/// Judges everything, and notes each thing that is wrong.
pub(super) fn judge(
    dialect: Dialect,
    adoption: &Adoption,
    order: CommitOrder,
    shape: &Shape,
    report: &mut Report,
) {
    let mut judge = Judge { dialect, adoption, shape, report };
    judge.order(order);
    judge.kind();
    judge.columns();
    judge.id();
    judge.key();
    judge.instants();
    if let Some(states) = &adoption.states {
        judge.states(states);
    }
}

struct Judge<'a> {
    dialect: Dialect,
    adoption: &'a Adoption,
    shape: &'a Shape,
    report: &'a mut Report,
}

impl Judge<'_> {
    fn table(&self) -> String {
        self.adoption.table.shown()
    }

    fn order(&mut self, order: CommitOrder) {
        match order {
            CommitOrder::Xid => self.report.refuse(
                "settle = \"xid\" goes by the transactions that write into relay_request, which \
                 are those of the feed and not of your writers",
                "leave it out if writers of one business id wait for each other; else number its \
                 requests, map key_seq, and write settle = \"key_seq\"",
            ),
            CommitOrder::KeySeq if !self.adoption.columns.contains_key("key_seq") => {
                self.report.refuse(
                    "settle = \"key_seq\" goes by numbers, and no column gives them",
                    "map key_seq in [relay.source.adopt.columns]",
                );
            }
            CommitOrder::Id | CommitOrder::KeySeq => {}
        }
        for name in ["code", "body"] {
            if !self.adoption.columns.contains_key(name) {
                self.report.refuse(
                    format!("nothing says what the {name} of a request is"),
                    format!("map {name} in [relay.source.adopt.columns]"),
                );
            }
        }
    }

    fn kind(&mut self) {
        let (table, kind) = (self.table(), &self.shape.kind);
        if kind == "table" {
            return;
        }
        let help = match kind.strip_prefix("table of the engine") {
            Some(_) => format!(
                "it knows no transactions; run `ALTER TABLE {} ENGINE = InnoDB`",
                quoting::table(self.dialect, &self.adoption.table)
            ),
            None => "its ids need not be unique, and nothing finds its rows by them; adopt the \
                     table that is behind it"
                .to_owned(),
        };
        self.report.refuse(format!("{table} is a {kind}"), help);
    }

    /// Columns that are named and are not there.
    fn columns(&mut self) {
        let mut named = vec![self.adoption.id.as_str()];
        for mapped in self.adoption.columns.values() {
            if let Mapped::Column(name) = mapped {
                named.push(name);
            }
        }
        named.extend(self.adoption.states.iter().flat_map(States::written_columns));
        named.sort_unstable();
        named.dedup();
        for name in named {
            if !self.shape.columns.contains_key(name) {
                let known: Vec<&str> = self.shape.columns.keys().map(String::as_str).collect();
                self.report.refuse(
                    format!("{} has no column {name}", self.table()),
                    format!("its columns are {}", known.join(", ")),
                );
            }
        }
    }

    fn id(&mut self) {
        let (table, id) = (self.table(), self.adoption.id.clone());
        let Some(column) = self.shape.columns.get(&id) else { return };
        if !column.is_whole_number() {
            self.report.refuse(
                format!("the ids of {table} are no whole numbers: {id} is {}", column.whole),
                "name another column as id, such as one that the database counts; order cannot be \
                 had from ids that do not ascend",
            );
        }
        if column.is_nullable {
            self.report.refuse(
                format!("{id} of {table} may be empty"),
                "make it NOT NULL, or name another column as id",
            );
        }
        if self.shape.id_index(&id).is_none() {
            let index = quoting::name(self.dialect, &format!("{}_id", self.adoption.table.name));
            let made = format!(
                "CREATE UNIQUE INDEX {index} ON {} ({})",
                quoting::table(self.dialect, &self.adoption.table),
                quoting::name(self.dialect, &id)
            );
            self.report.refuse(
                format!("{table} may have the same {id} twice, and no index finds a row by it"),
                format!("create a unique index on that column alone: `{made}`"),
            );
            self.report.theirs.push(made);
        } else if !column.is_assigned {
            self.report.warnings.push(format!(
                "nothing in {table} makes {id} ascend: rows are sent in the order of their ids, so \
                 whoever assigns them must do it in the order in which requests are to go"
            ));
        }
    }

    /// Requests are in order if their business ids are the same byte for byte.
    fn key(&mut self) {
        let Some(Mapped::Column(name)) = self.adoption.columns.get("business_id") else { return };
        let Some(column) = self.shape.columns.get(name) else { return };
        if let Some(collation) = &column.loose_collation {
            let bare = quoting::name(self.dialect, name);
            self.report.refuse(
                format!(
                    "{name} of {} is compared by {collation}, by which texts such as 'A1' and \
                     'a1' may be the same business id; for the relay they are two, so that order \
                     cannot be had",
                    self.table()
                ),
                format!(
                    "say which text stands for all of them, such as business_id = {{ sql = \
                     \"lower({bare})\" }}, or {{ sql = \"{bare}\" }} if only one of them is written"
                ),
            );
        }
    }

    fn instants(&mut self) {
        for (target, takes) in TARGETS {
            let (Takes::Instant, Some(Mapped::Column(name))) =
                (takes, self.adoption.columns.get(target))
            else {
                continue;
            };
            let Some(column) = self.shape.columns.get(name) else { continue };
            match zone::instant_of(self.dialect, &column.kind) {
                Instant::Unzoned if self.adoption.zone.is_none() => {
                    self.no_zone(target, name, column);
                }
                Instant::None => self.report.refuse(
                    format!("{name} is {}, which tells no instant for {target}", column.whole),
                    format!("map {target} = {{ sql = \"...\" }} that gives Unix milliseconds"),
                ),
                Instant::Milliseconds | Instant::Zoned | Instant::Unzoned => {}
            }
        }
        let zone = self.adoption.zone.as_deref();
        let is_named = zone.is_some_and(|zone| zone::offset_ms(zone).is_none());
        if self.dialect == Dialect::Sqlite && is_named {
            self.report.refuse(
                "SQLite knows no time zones by name",
                "write zone = \"UTC\", or an offset such as \"+02:00\"",
            );
        }
    }

    fn no_zone(&mut self, target: &str, name: &str, column: &Column) {
        self.report.refuse(
            format!(
                "{name}, which gives {target}, is {} and does not say in which time zone its \
                 clock stands",
                column.whole
            ),
            "write zone = \"UTC\", or whichever it is, into [relay.source.adopt]",
        );
    }

    fn states(&mut self, states: &States) {
        let (table, name) = (self.table(), &states.column);
        let Some(column) = self.shape.columns.get(name) else { return };
        if !self.shape.columns.contains_key(&self.adoption.id) {
            return;
        }
        let index = self.index_statement(states);
        if self.shape.state_index(name, &self.adoption.id).is_none() {
            self.report.refuse(
                format!(
                    "no index of {table} finds the rows whose {name} is '{}' in the order of {}",
                    states.ready, self.adoption.id
                ),
                format!("every look would walk over the whole table; run `{index}`"),
            );
            self.report.theirs.push(index);
        }
        for word in states.written().into_iter().chain([states.ready.as_str()]) {
            let letters = i64::try_from(word.chars().count()).unwrap_or(i64::MAX);
            if column.chars_max.is_some_and(|max| letters > max) && !column.kind.contains("enum") {
                self.report.refuse(
                    format!("'{word}' does not fit into {name}, which is {}", column.whole),
                    "choose a shorter word, or make the column longer",
                );
            }
            let is_known = || column.whole.contains(&format!("'{}'", word.replace('\'', "''")));
            if column.kind == "enum" && !is_known() {
                self.report.refuse(
                    format!("'{word}' is none of the words of {name}, which is {}", column.whole),
                    "choose one of them, or add it to the column",
                );
            }
        }
        for trigger in &self.shape.triggers {
            self.report.warnings.push(format!(
                "the trigger {trigger} of {table} fires when a row is marked or told"
            ));
        }
    }

    fn index_statement(&self, states: &States) -> String {
        let name = |name: &str| quoting::name(self.dialect, name);
        let table = quoting::table(self.dialect, &self.adoption.table);
        let index = name(&format!("{}_ready", self.adoption.table.name));
        let (id, state) = (name(&self.adoption.id), name(&states.column));
        match self.dialect {
            Dialect::Mysql => format!("CREATE INDEX {index} ON {table} ({state}, {id})"),
            Dialect::Postgres | Dialect::Sqlite => format!(
                "CREATE INDEX {index} ON {table} ({id}) WHERE {state} = {}",
                quoting::literal(self.dialect, &states.ready)
            ),
        }
    }
}
