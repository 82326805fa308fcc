//! Request tables.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use posthouse_pump::plan::Plan;
use posthouse_relay::runner::Tempo;
use posthouse_relay::source::adopt::Adoption;
use posthouse_relay::source::retention::Retention;
use posthouse_relay::source::{
    BODY_BYTES_DEFAULT, BODY_BYTES_MAX, CommitOrder, Dialect, check_address, dialect_of, table_of,
};

use super::adopt;
use super::endpoints::filled;
use super::{DURATION_MS_MAX, TEMPO, retention};
use crate::config::keys::RELAY_SOURCES;
use crate::config::raw::{Raw, Table};
use crate::config::report::Report;
use crate::config::table::TableReader;

/// The shortest lease, in milliseconds.
const LEASE_MS_MIN: u64 = 500;

/// The shortest time from one round to the next, in milliseconds.
const ROUND_MS_MIN: u64 = 20;

/// Bytes of a file that holds the address of a database.
const URL_BYTES_MAX: usize = 4_096;

/// What makes a request visible, as it is called here.
const ORDERS: [(&str, CommitOrder); 3] =
    [("none", CommitOrder::Id), ("xid", CommitOrder::Xid), ("key_seq", CommitOrder::KeySeq)];

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Where the address of a database stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Url {
    /// In the configuration.
    Here(Secret),
    /// In a file of its own, so that its password need not be anywhere else.
    File(PathBuf),
}

impl Url {
    /// The address, from wherever it stands.
    ///
    /// # Errors
    /// Why there is none, for people. What may be an address is not repeated.
    pub(crate) fn read(&self) -> Result<String, String> {
        let path = match self {
            Url::Here(url) => return Ok(url.0.clone()),
            Url::File(path) => path,
        };
        if looks_like_address(path) {
            let problem = "url_file is the name of a file that holds an address, and not an \
                           address; write the address as url, or into a file";
            return Err(problem.to_owned());
        }
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        match text.trim() {
            "" => Err(format!("{shown}: it is empty; write the address of its database there")),
            text if text.len() > URL_BYTES_MAX => {
                Err(format!("{shown}: it is longer than {URL_BYTES_MAX} bytes"))
            }
            text => Ok(text.to_owned()),
        }
    }

    /// Whether the address is there and can be understood.
    fn check(&self) -> Result<(), String> {
        check_address(&self.read()?).map_err(|error| error.to_string())
    }
}

/// Whether an address stands where its file is to be named. It must not be repeated.
fn looks_like_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let signs = ["://", "@", "=", "sqlite:", "postgres:", "postgresql:", "mysql:", "mariadb:"];
    signs.iter().any(|sign| text.contains(sign)) && !path.exists()
}

/// One request table.
#[derive(Clone, Debug)]
pub(crate) struct SourceConfig {
    /// Its name.
    pub(crate) name: Arc<str>,
    /// Its database.
    pub(crate) url: Url,
    /// How often it is looked at.
    pub(crate) tempo: Tempo,
    /// What makes a request visible.
    pub(crate) order: CommitOrder,
    /// Bytes of the longest body that is sent.
    pub(crate) body_bytes_max: u64,
    /// How long finished requests stay.
    pub(crate) retention: Retention,
    /// The table of somebody else's that its requests are fed from.
    pub(crate) adoption: Option<Arc<Adoption>>,
    /// What is sent from it.
    pub(crate) plan: Plan,
}

/// Reads all of them, each with an empty plan for its region.
pub(super) fn read(raw: &Raw, report: &mut Report) -> Vec<SourceConfig> {
    let mut sources: Vec<SourceConfig> = Vec::new();
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for table in raw.list(RELAY_SOURCES) {
        let Some(source) = read_source(table, report) else { continue };
        refuse_twin(table, &source, &mut taken, report);
        if sources.iter().any(|other| other.name == source.name) {
            let mut reader = TableReader::new(table, report);
            reader.refuse("name", "there are two sources of this name", "rename one");
        }
        sources.push(source);
    }
    sources
}

/// Two sources on one table would take each other's requests. That of an address in a file of its
/// own is noticed only while they run.
fn refuse_twin(
    table: &Table,
    source: &SourceConfig,
    taken: &mut BTreeMap<String, String>,
    report: &mut Report,
) {
    let Url::Here(url) = &source.url else { return };
    let Some(place) = table_of(&url.0) else { return };
    let address =
        table.settings.get("url").map_or(&table.place, |setting| &setting.place).address();
    let about = format!("the source \"{}\" at {address}", source.name);
    match taken.get(&place) {
        Some(other) => {
            let message = format!("{other} has the same table");
            let help = "a table has one source: give its groups to that one";
            TableReader::new(table, report).refuse("url", &message, help);
        }
        None => _ = taken.insert(place, about),
    }
}

fn read_source(table: &Table, report: &mut Report) -> Option<SourceConfig> {
    let mut reader = TableReader::new(table, report);
    let name = reader.name("name", "a source")?;
    let url = url(&mut reader, &name)?;
    let lease_ms = reader.duration("lease", TEMPO.lease_ms, LEASE_MS_MIN..=DURATION_MS_MAX);
    let round_ms =
        reader.duration("round", TEMPO.round_ms.min(lease_ms / 4), ROUND_MS_MIN..=DURATION_MS_MAX);
    if round_ms > lease_ms / 4 {
        reader.refuse(
            "round",
            "it is longer than a quarter of the lease",
            "leases would be lost between rounds; make it shorter",
        );
    }
    let order = reader.word("settle", CommitOrder::Id, &ORDERS);
    refuse_foreign_order(&mut reader, &url, order);
    let region = reader.text("region").unwrap_or_default();
    let body_bytes_max = reader.size("body_max", BODY_BYTES_DEFAULT, 1..=BODY_BYTES_MAX);
    let retention = retention::read(&mut reader);
    let adoption = adopt::read(table, order, report).map(Arc::new);
    Some(SourceConfig {
        name: name.into(),
        url,
        tempo: Tempo { round_ms, lease_ms },
        order,
        body_bytes_max,
        retention,
        adoption,
        plan: Plan { region: region.into(), ..Plan::default() },
    })
}

/// Only one database tells which transactions are open. Of an address in a file of its own this is
/// said when the source is used.
fn refuse_foreign_order(reader: &mut TableReader<'_>, url: &Url, order: CommitOrder) {
    let Url::Here(url) = url else { return };
    let is_foreign = dialect_of(&url.0).is_some_and(|dialect| dialect != Dialect::Postgres);
    if order == CommitOrder::Xid && is_foreign {
        reader.refuse(
            "settle",
            "\"xid\" is for PostgreSQL, which alone tells whose transactions are still open",
            "leave it out if writers of one business id wait for each other; else number its \
             requests, and write settle = \"key_seq\"",
        );
    }
}

fn url(reader: &mut TableReader<'_>, source: &str) -> Option<Url> {
    let given = (filled(reader, "url"), filled(reader, "url_file"));
    let (key, url) = match given {
        (Some(url), None) => ("url", Url::Here(Secret(url))),
        (None, Some(file)) => ("url_file", Url::File(file.into())),
        _ => {
            let help = "give url = \"sqlite:FILE\", \"postgres://...\" or \"mysql://...\", or a \
                        url_file that holds it";
            reader.refuse("url", "a source needs one of `url` and `url_file`", help);
            return None;
        }
    };
    if let Err(problem) = url.check() {
        let message = format!("the relay source \"{source}\" cannot be used: {problem}");
        reader.refuse(key, &message, "");
    }
    Some(url)
}
