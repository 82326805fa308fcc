//! Expressions that make the columns of a request out of a row of the adopted table.
//!
//! Every one is over a row of that table alone, so that names in an expression of somebody else's
//! mean columns of it and of nothing else.

use super::mapping::{Adoption, Mapped};
use super::quoting::{column, literal};
use super::shape::Shape;
use super::zone::{self, Instant};
use crate::source::base::Dialect;
use crate::source::columns::{
    CODE, CONTENT_TYPE, GROUP, HEADERS, KEY, METHOD, PROTOCOL, REGION, REQUEST_ID, SERVICE,
    TRACEPARENT, Text, WINDOW,
};

/// What a column of a request takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// A text with an end.
    Text(&'static Text),
    /// A whole number.
    Number,
    /// An instant in Unix milliseconds.
    Instant,
    /// Bytes.
    Body,
}

/// Every column that can be mapped.
pub(super) const TARGETS: [(&str, Takes); 18] = [
    ("request_id", Takes::Text(&REQUEST_ID)),
    ("code", Takes::Text(&CODE)),
    ("grp", Takes::Text(&GROUP)),
    ("region", Takes::Text(&REGION)),
    ("protocol", Takes::Text(&PROTOCOL)),
    ("service", Takes::Text(&SERVICE)),
    ("method", Takes::Text(&METHOD)),
    ("headers", Takes::Text(&HEADERS)),
    ("content_type", Takes::Text(&CONTENT_TYPE)),
    ("business_id", Takes::Text(&KEY)),
    ("window_name", Takes::Text(&WINDOW)),
    ("traceparent", Takes::Text(&TRACEPARENT)),
    ("key_seq", Takes::Number),
    ("priority", Takes::Number),
    ("due_at", Takes::Instant),
    ("expires_at", Takes::Instant),
    ("created_at", Takes::Instant),
    ("body", Takes::Body),
];

/// The names of columns of a request that can be mapped.
pub const MAPPABLE: [&str; 18] = [
    "request_id",
    "code",
    "grp",
    "region",
    "protocol",
    "service",
    "method",
    "headers",
    "content_type",
    "business_id",
    "window_name",
    "traceparent",
    "key_seq",
    "priority",
    "due_at",
    "expires_at",
    "created_at",
    "body",
];

/// What is made of a row.
#[derive(Clone, Debug)]
pub(super) struct Expressions {
    /// The columns that are written, `request_id` first.
    pub(super) written: Vec<(&'static str, String)>,
    /// What is wrong with a row, in words; `NULL` if nothing is.
    pub(super) flaw: String,
    /// The business id, or `NULL`.
    pub(super) key: String,
    /// The length of the body, in bytes.
    pub(super) body_bytes: String,
}

impl Expressions {
    /// The expression of a column.
    pub(super) fn of(&self, name: &str) -> Option<&str> {
        self.written.iter().find(|(known, _)| *known == name).map(|(_, made)| made.as_str())
    }
}

/// Makes all of them. `types` has the types of expressions that only the database knows.
pub(super) fn expressions(
    dialect: Dialect,
    adoption: &Adoption,
    shape: &Shape,
    body_type: &str,
    body_bytes_max: u64,
) -> Expressions {
    let maker = Maker { dialect, adoption, shape, body_type };
    let written: Vec<(&'static str, String)> = TARGETS
        .iter()
        .filter_map(|(name, takes)| Some((*name, maker.column_of(name, *takes)?)))
        .collect();
    let mut made = Expressions {
        written,
        flaw: String::new(),
        key: "CAST(NULL AS TEXT)".to_owned(),
        body_bytes: maker.body_bytes(),
    };
    if let Some(key) = made.of("business_id") {
        made.key = key.to_owned();
    }
    made.flaw = maker.flaw(&made, body_bytes_max);
    made
}

struct Maker<'a> {
    dialect: Dialect,
    adoption: &'a Adoption,
    shape: &'a Shape,
    body_type: &'a str,
}

impl Maker<'_> {
    /// How a column of a request is made, if it is.
    fn column_of(&self, name: &str, takes: Takes) -> Option<String> {
        let made = match self.adoption.columns.get(name) {
            Some(mapped) => self.converted(mapped, takes),
            None if name == "request_id" => Some(self.default_name()),
            None => return None,
        }?;
        Some(match name {
            "due_at" => format!("coalesce({made}, 0)"),
            "priority" => format!("coalesce({made}, 4)"),
            "created_at" => format!("coalesce({made}, {})", self.dialect.now()),
            _ => made,
        })
    }

    /// Made of table and id, so that it is the same whenever it is made.
    fn default_name(&self) -> String {
        const NAME_CHARS: usize = 40;
        let table: String = self.adoption.table.name.chars().take(NAME_CHARS).collect();
        let (table, id) =
            (literal(self.dialect, &format!("{table}-")), column(self.dialect, &self.adoption.id));
        match self.dialect {
            Dialect::Mysql => self.text(&format!("concat({table}, {id})")),
            Dialect::Postgres | Dialect::Sqlite => format!("({table} || CAST({id} AS TEXT))"),
        }
    }

    fn raw(&self, mapped: &Mapped) -> String {
        match mapped {
            Mapped::Column(name) => column(self.dialect, name),
            Mapped::Value(text) => literal(self.dialect, text),
            Mapped::Sql(text) => format!("({text})"),
        }
    }

    fn kind_of(&self, mapped: &Mapped) -> &str {
        match mapped {
            Mapped::Column(name) => {
                self.shape.columns.get(name).map_or("", |column| column.kind.as_str())
            }
            Mapped::Value(_) => "text",
            Mapped::Sql(_) => "",
        }
    }

    fn converted(&self, mapped: &Mapped, takes: Takes) -> Option<String> {
        let raw = self.raw(mapped);
        Some(match takes {
            Takes::Text(_) => self.text(&raw),
            Takes::Number => self.number(&raw),
            Takes::Instant => match mapped {
                Mapped::Column(_) => self.instant(&raw, self.kind_of(mapped))?,
                Mapped::Value(_) | Mapped::Sql(_) => self.number(&raw),
            },
            Takes::Body => self.body(&raw, mapped),
        })
    }

    fn text(&self, raw: &str) -> String {
        match self.dialect {
            Dialect::Postgres | Dialect::Sqlite => format!("CAST({raw} AS TEXT)"),
            Dialect::Mysql => format!("CONVERT({raw} USING utf8mb4)"),
        }
    }

    fn number(&self, raw: &str) -> String {
        format!("CAST({raw} AS BIGINT)")
    }

    fn instant(&self, raw: &str, kind: &str) -> Option<String> {
        match zone::instant_of(self.dialect, kind) {
            Instant::Milliseconds => Some(self.number(raw)),
            Instant::Zoned => Some(zone::zoned(self.dialect, raw)),
            Instant::Unzoned => {
                let zone = self.adoption.zone.as_ref()?;
                Some(zone::unzoned(self.dialect, raw, zone))
            }
            Instant::None => None,
        }
    }

    fn body_kind(&self, mapped: &Mapped) -> &str {
        match mapped {
            Mapped::Sql(_) => self.body_type,
            other => self.kind_of(other),
        }
    }

    fn body(&self, raw: &str, mapped: &Mapped) -> String {
        match self.dialect {
            Dialect::Postgres if self.body_kind(mapped) == "bytea" => raw.to_owned(),
            Dialect::Postgres => format!("convert_to(CAST({raw} AS TEXT), 'UTF8')"),
            // Bytes are left as they are, and letters become those of UTF-8.
            Dialect::Mysql => format!(
                "CASE WHEN charset({raw}) = 'binary' THEN CAST({raw} AS BINARY) \
                 ELSE CAST(CONVERT({raw} USING utf8mb4) AS BINARY) END"
            ),
            Dialect::Sqlite => format!("CAST({raw} AS BLOB)"),
        }
    }

    fn body_bytes(&self) -> String {
        let Some(mapped) = self.adoption.columns.get("body") else { return "0".to_owned() };
        let raw = self.raw(mapped);
        match self.dialect {
            Dialect::Postgres if self.body_kind(mapped) == "bytea" => {
                format!("octet_length({raw})")
            }
            Dialect::Postgres => format!("octet_length(CAST({raw} AS TEXT))"),
            Dialect::Mysql => format!("octet_length({raw})"),
            Dialect::Sqlite => format!("octet_length(CAST({raw} AS BLOB))"),
        }
    }

    /// The first thing that is wrong with a row, of what the request table would not take.
    fn flaw(&self, made: &Expressions, body_bytes_max: u64) -> String {
        let mut cases = Vec::new();
        for (name, takes) in TARGETS {
            let Some(one) = made.of(name) else { continue };
            match takes {
                Takes::Text(text) => cases.extend(self.text_flaws(one, text)),
                Takes::Number => cases.extend(self.number_flaws(one, name)),
                Takes::Instant => {}
                Takes::Body => cases.extend(body_flaws(&made.body_bytes, body_bytes_max)),
            }
        }
        format!("CAST(CASE {} END AS TEXT)", cases.join(" "))
    }

    fn text_flaws(&self, made: &str, text: &Text) -> Vec<String> {
        let name = text.name;
        let (measured, unit) = match (name, self.dialect) {
            ("headers", _) => (format!("octet_length({made})"), "bytes"),
            (_, Dialect::Sqlite) => (format!("length({made})"), "letters"),
            _ => (format!("char_length({made})"), "letters"),
        };
        let long = format!(
            "WHEN {measured} > {max} THEN '{name} is longer than {max} {unit}'",
            max = text.chars_max
        );
        let is_needed = ["code", "request_id"].contains(&name);
        let absent = format!("WHEN coalesce({made}, '') = '' THEN '{name} is empty'");
        if is_needed { vec![absent, long] } else { vec![long] }
    }

    fn number_flaws(&self, made: &str, name: &str) -> Vec<String> {
        let bounds = match name {
            "key_seq" => format!("WHEN {made} < 1 THEN 'key_seq is below 1'"),
            _ => {
                format!("WHEN {made} NOT BETWEEN -32768 AND 32767 THEN '{name} is no small number'")
            }
        };
        let raw = self.adoption.columns.get(name).map(|mapped| self.raw(mapped));
        // SQLite makes 0 of any text.
        match (self.dialect, raw) {
            (Dialect::Sqlite, Some(raw)) => vec![
                format!("WHEN CAST({raw} AS BIGINT) <> {raw} THEN '{name} is no whole number'"),
                bounds,
            ],
            _ => vec![bounds],
        }
    }
}

fn body_flaws(bytes: &str, bytes_max: u64) -> Vec<String> {
    vec![
        format!("WHEN {bytes} IS NULL THEN 'body is empty'"),
        format!("WHEN {bytes} > {bytes_max} THEN 'body is longer than {bytes_max} bytes'"),
    ]
}
