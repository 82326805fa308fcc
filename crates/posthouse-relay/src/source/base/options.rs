//! What can be chosen about a source, apart from where it is.

use std::sync::Arc;

use crate::source::adopt::Adoption;
use crate::source::limits::BODY_BYTES_DEFAULT;
use crate::source::retention::Retention;

/// See the module.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the database shows as the name of its user's program.
    pub application: Arc<str>,
    /// The region of this relay: what rows without one belong to.
    pub region: Arc<str>,
    /// Connections for reads and settlements. Rounds and the wait for news have one more each.
    pub connections_max: u32,
    /// What makes a request visible.
    pub order: CommitOrder,
    /// Bytes of the longest body that is read; requests with a longer one are known, with why they
    /// cannot be sent.
    pub body_bytes_max: u64,
    /// How long finished requests stay.
    pub retention: Retention,
    /// The table of somebody else's that requests are fed from, if there is one.
    pub adoption: Option<Arc<Adoption>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            application: Arc::from("posthouse"),
            region: Arc::from(""),
            connections_max: 4,
            order: CommitOrder::Id,
            body_bytes_max: BODY_BYTES_DEFAULT,
            retention: Retention::default(),
            adoption: None,
        }
    }
}

/// What makes a request visible to reads.
///
/// Ids are given when a row is written, rows appear when their transaction commits. Where two open
/// transactions write requests with the same business id, the higher id may appear first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommitOrder {
    /// Whatever has been committed. In order as long as writers of one business id wait for each
    /// other, as they do when they lock the row of the business that the request is about.
    #[default]
    Id,
    /// PostgreSQL only: what was written by transactions older than every one that is still open,
    /// by the column `xid`. In order whatever writers do, but one long transaction anywhere in the
    /// database holds everything up. After a restore into another server, open rows need `UPDATE
    /// relay_request SET xid = pg_current_xact_id() WHERE state < 3`.
    Xid,
    /// By the numbers that writers give the requests of a business id: 1, 2, 3 and so on, in the
    /// column `key_seq`. A request is seen when all before it are finished, in whatever order they
    /// were written and committed. A number that never comes holds its business id up.
    KeySeq,
}

impl CommitOrder {
    /// The condition under which a row counts as being there at all, with `AND` in front. Whose
    /// turn it is among those that are there is another question.
    pub(crate) fn visible(self) -> &'static str {
        match self {
            CommitOrder::Id | CommitOrder::KeySeq => "",
            CommitOrder::Xid => "AND xid < pg_snapshot_xmin(pg_current_snapshot())",
        }
    }
}
