//! Sources: the request tables of platforms.
//!
//! A source MUST answer from committed state only, MUST change a request only under the fence that
//! an outcome names, and MUST read its own database's clock for everything that is compared with
//! what stands in the database. It SHOULD never scan more than what it is asked for.

mod address;
pub mod adopt;
mod any;
mod base;
mod columns;
#[cfg(any(test, feature = "fixture"))]
pub mod conformance;
mod error;
pub mod fill;
mod layout;
mod legible;
mod limits;
pub mod look;
mod look_table;
mod look_turn;
mod look_up;
mod mysql;
pub mod operate;
mod ownership;
mod prepare;
mod read;
mod read_text;
pub mod retention;
mod round;
mod row;
pub mod schema;
mod settle;
mod slot;
pub mod submit;
#[cfg(test)]
mod tests;
mod turn;

use std::sync::Arc;

pub use address::table_of;
pub use any::{AnySource, check_address, connect, dialect_of};
pub use base::{CommitOrder, Dialect, Options};
pub use error::{SourceError, SourceErrorKind};
pub use limits::{BODY_BYTES_DEFAULT, BODY_BYTES_MAX};
pub use slot::slot_of;
pub use submit::{NewRequest, Submitted};

use posthouse_pump::input::Hold;
use posthouse_pump::outcome::{BucketNo, Fence, Settled, Settlement};
use posthouse_pump::read::{Found, Read, SlotRange};
use posthouse_pump::request::RequestId;

use look::{Answer, Query};
use operate::{Action, Operated};
use retention::Retained;

/// What a node tells and asks at the beginning of a round.
#[derive(Clone, Debug)]
pub struct Greeting {
    /// The name of this node, unique for each life of a process; behind the last `/`, if there is
    /// one, the name of the source, because a process may have several.
    pub node: Arc<str>,
    /// How long leases last, in milliseconds.
    pub lease_ms: u64,
    /// Buckets that are held, to be renewed.
    pub renew: Vec<(BucketNo, Fence)>,
    /// Buckets that have been drained, to be given back.
    pub release: Vec<(BucketNo, Fence)>,
    /// Whether free buckets are wanted, up to this node's fair share.
    pub wants_more: bool,
    /// The version of the control tables that is known here.
    pub known_version: i64,
}

/// What a node is told at the beginning of a round.
#[derive(Clone, Debug)]
pub struct Round {
    /// The database's time, Unix milliseconds, read within this round.
    pub source_ms: i64,
    /// Buckets that are still held.
    pub renewed: Vec<(BucketNo, Fence)>,
    /// Buckets that are held no longer.
    pub lost: Vec<BucketNo>,
    /// Buckets that have been got.
    pub granted: Vec<Granted>,
    /// Buckets to be drained: others have less than their share, or the number of buckets has
    /// changed.
    pub drain: Vec<BucketNo>,
    /// The control tables, if they have changed since the version that was known.
    pub control: Option<Control>,
}

/// A bucket that has been got.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// The bucket.
    pub bucket: BucketNo,
    /// Its slots.
    pub slots: SlotRange,
    /// Its fence: higher than that of every former owner of any of its slots.
    pub fence: Fence,
    /// Whether the former owner fell silent, instead of giving it back.
    pub was_silent: bool,
}

/// What operators have set while running, as it stands in the platform's database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// Grows with every change.
    pub version: i64,
    /// Switches of groups, by name, that differ from the configuration.
    pub switches: Vec<(Arc<str>, bool)>,
    /// What is held.
    pub holds: Vec<Hold>,
    /// Requests that operators have changed since the version that was known; `None` if that is too
    /// long ago to say.
    pub changed: Option<Vec<RequestId>>,
    /// How many buckets there are.
    pub buckets: u32,
}

/// What came of a settlement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Concluded {
    /// What the source says of each outcome, in their order.
    pub results: Vec<Settled>,
    /// Requests that became visible because those before them are finished, ascending. A source in
    /// which nothing waits to be seen ([`CommitOrder::KeySeq`]) has none.
    pub released: Vec<RequestId>,
}

/// A request table. At most ten methods; `conformance` shows what each must do.
pub trait Source: Send + Sync + 'static {
    /// Checks everything that would go wrong later: tables, columns, indexes, rights, the way that
    /// reads would go.
    ///
    /// # Errors
    /// `Unfit`, with one sentence that says what is wrong and what helps; or see [`SourceError`].
    fn prepare(&self) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Begins a round: heart-beat, leases, control tables, the time; one transaction.
    ///
    /// # Errors
    /// See [`SourceError`]; `Replaced`, once, if it is another database than before.
    fn round(&self, greeting: &Greeting)
    -> impl Future<Output = Result<Round, SourceError>> + Send;

    /// Reads requests.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn read(&self, read: &Read) -> impl Future<Output = Result<Found, SourceError>> + Send;

    /// Writes outcomes back, each under its fence; one transaction. Answers in the order of the
    /// outcomes, and with the requests that may go now because of them. It MUST NOT wait for
    /// whoever has locked a single request: it writes the others, and says so.
    ///
    /// # Errors
    /// See [`SourceError`]. After `Unavailable` nobody knows whether it was done; writing it again
    /// is safe, and answers the same.
    fn settle(
        &self,
        settlement: &Settlement,
    ) -> impl Future<Output = Result<Concluded, SourceError>> + Send;

    /// Carries out what an operator wants, by whomever: no lease is needed.
    ///
    /// # Errors
    /// See [`SourceError`]; `Refused` if it makes no sense.
    fn operate(
        &self,
        action: &Action,
    ) -> impl Future<Output = Result<Operated, SourceError>> + Send;

    /// One step of the retention, in the name of a node: moves or deletes finished requests that
    /// are old enough. It MUST leave alone what is open, what is too young, and what somebody has
    /// locked, and MUST do nothing while another node is about it.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn retain(&self, node: &str) -> impl Future<Output = Result<Retained, SourceError>> + Send;

    /// Answers a question. Changes nothing.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn look(&self, query: &Query) -> impl Future<Output = Result<Answer, SourceError>> + Send;

    /// Waits until there may be something new. It may come back for no reason; a caller SHOULD look
    /// by itself now and then all the same. One caller at a time.
    fn wake(&self) -> impl Future<Output = ()> + Send;

    /// Closes every connection, and waits for that.
    fn close(&self) -> impl Future<Output = ()> + Send;
}
