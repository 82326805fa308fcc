//! The records of one platform, as its programs keep them: in its database, one row for each part
//! of each order, changed in the same transaction in which the others are told of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::runtime::Runtime;

use super::super::database::{Link, Texts, runtime};
use super::name::Name;

/// How often each part of each order has changed, and what it is.
pub(super) type Records = BTreeMap<(String, Name), (i64, i64)>;

/// A part of an order, changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) order: String,
    pub(super) owner: Name,
    pub(super) version: i64,
    pub(super) value: i64,
}

/// What became of a change that another platform has told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Now,
    Before,
    /// One before it is missing, or it is an old one.
    OutOfOrder,
}

/// See the module.
pub(super) struct Ledger {
    name: Name,
    url: String,
    inner: Mutex<Inner>,
}

struct Inner {
    runtime: Runtime,
    link: Option<Link>,
    /// As it stands in the database; `None` after a failure, when nobody knows.
    known: Option<Records>,
    /// Requests that were written, for their ids.
    written: u64,
}

/// The table of a platform's records.
pub(super) const TABLE: &str = "CREATE TABLE record (order_id VARCHAR(64) NOT NULL, \
    owner VARCHAR(32) NOT NULL, version BIGINT NOT NULL, value BIGINT NOT NULL, \
    PRIMARY KEY (order_id, owner))";

impl Ledger {
    pub(super) fn new(name: Name, url: &str) -> Ledger {
        let (runtime, link, known) = (runtime(), None, None);
        let inner = Mutex::new(Inner { runtime, link, known, written: 0 });
        Ledger { name, url: url.to_owned(), inner }
    }

    /// Changes the part of an order that this platform owns, and tells the others. Whether the
    /// database has taken it.
    pub(super) fn change(&self, order: &str, value: i64) -> bool {
        let mut inner = self.inner();
        inner.act(&self.url, |inner| inner.own_change(self.name, order, value)).is_some()
    }

    /// Takes over what another platform has changed, and reacts to it in the same transaction, if
    /// a value is given for that; `None` if the database does not answer.
    pub(super) fn take(&self, change: &Change, reaction: Option<i64>) -> Option<Taken> {
        let mut inner = self.inner();
        inner.act(&self.url, |inner| {
            let known = inner.known.as_ref()?;
            let known = known.get(&(change.order.clone(), change.owner));
            let version = known.map_or(0, |known| known.0);
            match change.version - version {
                1 => {}
                0 => return Some((Vec::new(), Vec::new(), Taken::Before)),
                _ => return Some((Vec::new(), Vec::new(), Taken::OutOfOrder)),
            }
            let mut texts = vec![put(change)];
            let mut changes = vec![change.clone()];
            if let Some(value) = reaction {
                let (more, own, ()) = inner.own_change(self.name, &change.order, value)?;
                texts.extend(more);
                changes.extend(own);
            }
            Some((texts, changes, Taken::Now))
        })
    }

    /// Everything, as it stands in the database.
    pub(super) fn records(&self) -> Records {
        let mut inner = self.inner();
        inner.known = None;
        inner.act(&self.url, |_| Some((Vec::new(), Vec::new(), ())));
        inner.known.clone().expect("the database answers")
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics with it")
    }
}

/// Statements, the changes that they make, and an answer.
type Plan<T> = (Vec<String>, Vec<Change>, T);

impl Inner {
    /// Carries out what is planned, all of it or nothing. After a failure everything is read anew.
    fn act<T>(&mut self, url: &str, plan: impl FnOnce(&mut Inner) -> Option<Plan<T>>) -> Option<T> {
        if self.known.is_none() {
            self.link = self.runtime.block_on(Link::open(url)).ok();
            self.known = self.link.as_mut().and_then(|link| read(&self.runtime, link));
        }
        let (texts, changes, answer) = plan(self)?;
        if !texts.is_empty() {
            let begin = if url.starts_with("sqlite") { "BEGIN IMMEDIATE" } else { "BEGIN" };
            let text = format!("{begin}; {}; COMMIT", texts.join("; "));
            let link = self.link.as_mut()?;
            if self.runtime.block_on(link.run(text)).is_err() {
                self.known = None;
                return None;
            }
        }
        let known = self.known.as_mut()?;
        for Change { order, owner, version, value } in changes {
            known.insert((order, owner), (version, value));
        }
        Some(answer)
    }

    fn own_change(&mut self, name: Name, order: &str, value: i64) -> Option<Plan<()>> {
        let known = self.known.as_ref()?.get(&(order.to_owned(), name));
        let version = known.map_or(0, |known| known.0) + 1;
        let change = Change { order: order.to_owned(), owner: name, version, value };
        let mut texts = vec![put(&change)];
        for other in name.others() {
            self.written += 1;
            let request = format!("{}-{order}-{version}-{}", name.word(), other.word());
            texts.push(format!(
                "INSERT INTO relay_request (request_id, code, business_id, body) \
                 VALUES ('{request}', '{}', '{order}', CAST('{order} {} {version} {value}' AS \
                 {}))",
                name.code_to(other),
                name.word(),
                bytes_of(name)
            ));
        }
        Some((texts, vec![change], ()))
    }
}

/// What bytes are called in the database of a platform.
fn bytes_of(name: Name) -> &'static str {
    match name {
        Name::Participant => "BYTEA",
        Name::Collaboration => "BINARY",
        Name::Operation => "BLOB",
    }
}

fn put(change: &Change) -> String {
    let Change { order, owner, version, value } = change;
    let owner = owner.word();
    match version {
        1 => format!("INSERT INTO record VALUES ('{order}', '{owner}', {version}, {value})"),
        _ => format!(
            "UPDATE record SET version = {version}, value = {value} \
             WHERE order_id = '{order}' AND owner = '{owner}'"
        ),
    }
}

fn read(runtime: &Runtime, link: &mut Link) -> Option<Records> {
    let text = "SELECT order_id, owner, CAST(version AS TEXT), CAST(value AS TEXT) FROM record";
    let rows = runtime.block_on(link.rows(text.to_owned())).ok()?;
    rows.into_iter().map(record).collect()
}

/// One entry of [`Records`].
type Entry = ((String, Name), (i64, i64));

fn record(row: Texts) -> Option<Entry> {
    let mut cells = row.into_iter().flatten();
    let (order, owner) = (cells.next()?, Name::named(&cells.next()?)?);
    Some(((order, owner), (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?)))
}

impl Change {
    /// Reads the body of a request.
    pub(super) fn read(body: &str) -> Option<Change> {
        let mut words = body.split(' ');
        let (order, owner) = (words.next()?.to_owned(), Name::named(words.next()?)?);
        let (version, value) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Change { order, owner, version, value })
    }
}
