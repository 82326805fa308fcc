//! The statements of a feed, put together once from what is configured and what was found.
//!
//! The condition and the expressions of others stand only where the adopted table is the only one,
//! so that no name in them can mean something of ours.

use super::expression::Expressions;
use super::mapping::{Adoption, States};
use super::quoting::{self, column, literal};
use super::shape::Shape;
use super::zone;
use crate::source::base::{Dialect, Kind};
use crate::source::limits::FEED_GAPS_AT_ONCE;

/// Everything that is said to a database about an adopted table.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    pub(super) dialect: Dialect,
    pub(super) adoption: Adoption,
    table: String,
    id: String,
    by_id: String,
    by_state: String,
    is_ready: String,
    shape: Shape,
    pub(super) made: Expressions,
}

impl Statements {
    pub(super) fn new(
        dialect: Dialect,
        adoption: &Adoption,
        shape: &Shape,
        made: Expressions,
    ) -> Statements {
        let hint = |index: Option<&super::shape::Index>| match index {
            Some(index) if !index.name.is_empty() => named_index(dialect, &index.name),
            _ => String::new(),
        };
        let states = adoption.states.as_ref();
        Statements {
            dialect,
            adoption: adoption.clone(),
            table: quoting::table(dialect, &adoption.table),
            id: column(dialect, &adoption.id),
            by_id: hint(shape.id_index(&adoption.id)),
            by_state: hint(states.and_then(|s| shape.state_index(&s.column, &adoption.id))),
            is_ready: states.map_or_else(String::new, |s| is_word(dialect, shape, s, &s.ready)),
            shape: shape.clone(),
            made,
        }
    }

    /// The ids of rows that are ready, in their order; its value is how many.
    pub(super) fn ready(&self, is_locking: bool) -> String {
        let lock = match self.dialect {
            Dialect::Postgres if is_locking => "FOR NO KEY UPDATE OF u SKIP LOCKED",
            Dialect::Mysql if is_locking => "FOR UPDATE SKIP LOCKED",
            _ => "",
        };
        let is_new = format!(
            "AND NOT EXISTS (SELECT 1 FROM relay_unfed AS relay_out WHERE relay_out.row_id = {})",
            self.id
        );
        self.ready_text(&is_new, lock)
    }

    /// The same without regard to our own tables, which may not be there yet.
    pub(super) fn ready_alone(&self) -> String {
        self.ready_text("", "")
    }

    fn ready_text(&self, is_new: &str, lock: &str) -> String {
        format!(
            "SELECT CAST({id} AS BIGINT) AS row_id FROM {} AS u {} WHERE {} AND {} {is_new} \
             ORDER BY {id} LIMIT $1 {lock}",
            self.table,
            self.by_state,
            self.is_ready,
            quoting::condition(&self.adoption),
            id = self.id,
        )
    }

    /// The ids of rows behind an id, in their order; its values are the id and how many.
    pub(super) fn behind(&self) -> String {
        format!(
            "SELECT CAST({id} AS BIGINT) AS row_id FROM {} AS u WHERE {id} > $1 ORDER BY {id} \
             LIMIT $2",
            self.table,
            id = self.id,
        )
    }

    /// The lowest and the highest id.
    pub(super) fn ends(&self) -> String {
        format!(
            "SELECT CAST(min({id}) AS BIGINT) AS first_id, CAST(max({id}) AS BIGINT) AS last_id \
             FROM {} AS u",
            self.table,
            id = self.id,
        )
    }

    /// The ids of rows in ranges that were empty; its values are how many, and the ranges.
    pub(super) fn late(&self) -> String {
        let part = |at: usize| {
            format!(
                "SELECT row_id FROM (SELECT CAST({id} AS BIGINT) AS row_id FROM {} AS u \
                 WHERE {id} BETWEEN ${} AND ${} ORDER BY {id} LIMIT $1) AS part{at}",
                self.table,
                2 * at + 2,
                2 * at + 3,
                id = self.id,
            )
        };
        let parts: Vec<String> = (0..FEED_GAPS_AT_ONCE).map(part).collect();
        format!(
            "SELECT row_id FROM ({}) AS late ORDER BY row_id LIMIT $1",
            parts.join(" UNION ALL ")
        )
    }

    /// What is to be known of rows; its value is a list of their ids.
    pub(super) fn facts(&self) -> String {
        let name = self.made.of("request_id").unwrap_or("''");
        let is_ready = match self.adoption.states {
            Some(_) => format!("{} AND ", self.is_ready),
            None => String::new(),
        };
        format!(
            "SELECT CAST({id} AS BIGINT) AS row_id, CAST({} AS TEXT) AS name, \
             CAST({} AS TEXT) AS business_id, \
             CAST(coalesce({}, 0) AS BIGINT) AS body_bytes, {} AS flaw, \
             CAST(CASE WHEN {is_ready}{} THEN 1 ELSE 0 END AS BIGINT) AS is_wanted \
             FROM {} AS u {} WHERE {} ORDER BY {id}",
            self.cut(name, 65),
            self.cut(&self.made.key, 129),
            self.made.body_bytes,
            self.made.flaw,
            quoting::condition(&self.adoption),
            self.table,
            self.by_id,
            self.dialect.int_in(&self.id, 1),
            id = self.id,
        )
    }

    /// The business id of a row of which nothing else can be had; its value is the id.
    pub(super) fn key(&self) -> String {
        format!(
            "SELECT CAST({} AS TEXT) AS business_id FROM {} AS u {} WHERE {} = $1",
            self.cut(&self.made.key, 129),
            self.table,
            self.by_id,
            self.id
        )
    }

    fn cut(&self, text: &str, letters: u32) -> String {
        match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => format!("substr({text}, 1, {letters})"),
            Dialect::Mysql => format!("left({text}, {letters})"),
        }
    }

    /// Takes rows over; its value is a list of their ids.
    pub(super) fn insert(&self) -> String {
        let names: Vec<&str> = self.made.written.iter().map(|(name, _)| *name).collect();
        let made: Vec<String> =
            self.made.written.iter().map(|(name, made)| self.fitted(name, made)).collect();
        format!(
            "INSERT INTO relay_request ({}) SELECT {} FROM {} AS u {} WHERE {} ORDER BY {}",
            names.join(", "),
            made.join(", "),
            self.table,
            self.by_id,
            self.dialect.int_in(&self.id, 1),
            self.id,
        )
    }

    /// A number as narrow as its column.
    fn fitted(&self, name: &str, made: &str) -> String {
        match name {
            "priority" => format!("CAST({made} AS SMALLINT)"),
            _ => made.to_owned(),
        }
    }

    /// Opens finished requests again, with what stands in their rows now; its values are a list of
    /// the ids of rows, and a table of these with their requests.
    pub(super) fn reopen(&self) -> String {
        let others = || self.made.written.iter().filter(|(name, _)| *name != "request_id");
        let made: Vec<String> = others()
            .map(|(name, made)| format!("{} AS new_{name}", self.fitted(name, made)))
            .collect();
        let rows = format!(
            "(SELECT CAST({} AS BIGINT) AS row_id, {} FROM {} AS u {} WHERE {}) AS n",
            self.id,
            made.join(", "),
            self.table,
            self.by_id,
            self.dialect.int_in(&self.id, 1)
        );
        let pairs = self.dialect.table("v", 2, &PAIR);
        let due = if self.made.of("due_at").is_some() { "" } else { "due_at = 0, " };
        let set = |prefix: &str| {
            let named = others().map(|(name, _)| format!("{prefix}{name} = n.new_{name}"));
            let own = ["state", "attempts"].map(|name| format!("{prefix}{name} = 0"));
            let all: Vec<String> = named.chain(own).collect();
            format!(
                "{due_prefix}{}, {prefix}done_at = NULL, {prefix}updated_at = {}",
                all.join(", "),
                self.dialect.now(),
                due_prefix = if due.is_empty() { String::new() } else { format!("{prefix}{due}") },
            )
        };
        match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => format!(
                "UPDATE relay_request SET {} FROM {pairs} JOIN {rows} ON n.row_id = v.row_id \
                 WHERE relay_request.id = v.request",
                set("")
            ),
            Dialect::Mysql => format!(
                "UPDATE {pairs} STRAIGHT_JOIN {rows} ON n.row_id = v.row_id \
                 STRAIGHT_JOIN relay_request AS r {} ON r.id = v.request SET {}",
                self.dialect.by_id(),
                set("r.")
            ),
        }
    }

    /// Says of rows that they were taken; its value is a list of their ids.
    pub(super) fn take(&self) -> Option<String> {
        let states = self.adoption.states.as_ref()?;
        let set = quoting::name(self.dialect, &states.column);
        let word = typed_word(self.dialect, &self.shape, states, &states.taken);
        Some(format!(
            "UPDATE {} AS u {} SET {} = {word} WHERE {}",
            self.table,
            if self.dialect == Dialect::Mysql { self.by_id.as_str() } else { "" },
            if self.dialect == Dialect::Mysql { format!("u.{set}") } else { set },
            self.dialect.int_in(&self.id, 1)
        ))
    }

    /// Locks rows that nobody else has locked; its value is a list of their ids.
    pub(super) fn lock(&self) -> String {
        let lock = match self.dialect {
            Dialect::Postgres => "FOR NO KEY UPDATE OF u SKIP LOCKED",
            Dialect::Mysql => "FOR UPDATE SKIP LOCKED",
            Dialect::Sqlite => "",
        };
        format!("{} {lock}", self.present())
    }

    /// Which rows there are; its value is a list of their ids.
    pub(super) fn present(&self) -> String {
        format!(
            "SELECT CAST({id} AS BIGINT) AS row_id FROM {} AS u {} WHERE {} ORDER BY {id}",
            self.table,
            self.by_id,
            self.dialect.int_in(&self.id, 1),
            id = self.id,
        )
    }

    /// Tells rows what became of their requests; its values are a table of outcomes.
    pub(super) fn tell(&self) -> Option<String> {
        let states = self.adoption.states.as_ref()?;
        let (dialect, shape) = (self.dialect, &self.shape);
        let outcomes = dialect.table("v", 1, &TOLD);
        let prefix = if dialect == Dialect::Mysql { "u." } else { "" };
        let set: Vec<String> = self
            .told_columns(states)
            .into_iter()
            .map(|(name, value)| format!("{prefix}{} = {value}", quoting::name(dialect, name)))
            .collect();
        let (set, stands) = (set.join(", "), stands_as_left(dialect, shape, states));
        let (table, id) = (&self.table, &self.id);
        Some(match dialect {
            Dialect::Postgres | Dialect::Sqlite => format!(
                "UPDATE {table} AS u SET {set} FROM {outcomes} WHERE {id} = v.row_id AND {stands}"
            ),
            Dialect::Mysql => format!(
                "UPDATE {outcomes} STRAIGHT_JOIN {table} AS u {} ON {id} = v.row_id SET {set} \
                 WHERE {stands}",
                self.by_id
            ),
        })
    }

    fn told_columns<'a>(&self, states: &'a States) -> Vec<(&'a str, String)> {
        let (dialect, shape) = (self.dialect, &self.shape);
        let cases: Vec<String> = (3..8)
            .filter_map(|state| Some((state, states.word(state)?)))
            .map(|(state, word)| {
                format!("WHEN {state} THEN {}", typed_word(dialect, shape, states, word))
            })
            .collect();
        let mut told = vec![(&*states.column, format!("CASE v.state {} END", cases.join(" ")))];
        if let Some(name) = &states.ended_at {
            let kind = shape.columns.get(name).map_or("", |column| column.kind.as_str());
            let zone = self.adoption.zone.as_deref();
            told.push((name, zone::written(dialect, kind, zone, "v.ended_at")));
        }
        if let Some(name) = &states.error {
            told.push((name, "v.error".to_owned()));
        }
        if let Some(name) = &states.attempts {
            told.push((name, "v.attempts".to_owned()));
        }
        told
    }

    /// How many letters of an error its column takes, and whether only those of ASCII are safe.
    pub(super) fn error_room(&self) -> (usize, bool) {
        let named = self.adoption.states.as_ref().and_then(|states| states.error.as_ref());
        let column = named.and_then(|name| self.shape.columns.get(name));
        let chars = column.and_then(|column| column.chars_max);
        let is_narrow = self.dialect == Dialect::Mysql
            && column
                .and_then(|column| column.loose_collation.as_ref())
                .is_some_and(|name| !name.starts_with("utf8mb4"));
        (chars.and_then(|chars| usize::try_from(chars).ok()).unwrap_or(usize::MAX), is_narrow)
    }
}

/// A row of the adopted table and a request.
pub(super) const PAIR: [(&str, Kind); 2] = [("row_id", Kind::Int), ("request", Kind::Int)];

/// What a row is told.
pub(super) const TOLD: [(&str, Kind); 6] = [
    ("row_id", Kind::Int),
    ("told", Kind::Int),
    ("state", Kind::Int),
    ("attempts", Kind::Int),
    ("ended_at", Kind::Int),
    ("error", Kind::Text),
];

fn named_index(dialect: Dialect, index: &str) -> String {
    match dialect {
        Dialect::Postgres => String::new(),
        Dialect::Mysql => format!("FORCE INDEX ({})", quoting::name(dialect, index)),
        Dialect::Sqlite => format!("INDEXED BY {}", quoting::name(dialect, index)),
    }
}

/// A word as a value of the column of states.
fn typed_word(dialect: Dialect, shape: &Shape, states: &States, word: &str) -> String {
    let word = literal(dialect, word);
    match (dialect, shape.columns.get(&states.column)) {
        (Dialect::Postgres, Some(column)) => format!("CAST({word} AS {})", column.whole),
        _ => word,
    }
}

fn is_word(dialect: Dialect, shape: &Shape, states: &States, word: &str) -> String {
    format!("{} = {}", column(dialect, &states.column), typed_word(dialect, shape, states, word))
}

/// Whether a row still has the word that it was given here: what its owner has written since is
/// left alone.
fn stands_as_left(dialect: Dialect, shape: &Shape, states: &States) -> String {
    let mut ways = vec![is_word(dialect, shape, states, &states.taken)];
    ways.extend((3..8).filter_map(|state| Some((state, states.word(state)?))).map(
        |(state, word)| format!("(v.told = {state} AND {})", is_word(dialect, shape, states, word)),
    ));
    format!("({})", ways.join(" OR "))
}
