//! Why a request is withheld, how it came into sight, and where it stands in its key.

use std::sync::Arc;

use crate::input::Hold;
use crate::request::RequestId;

/// Why requests are withheld.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The plan does not know the code.
    UnknownCode(Arc<str>),
    /// The row names another group than this code's.
    OtherGroup(Arc<str>),
    /// This group is switched off.
    GroupOff(Arc<str>),
    /// An operator holds it.
    Held(Hold),
    /// The plan does not know this window.
    UnknownWindow(Arc<str>),
    /// This window is shut.
    WindowShut(Arc<str>),
    /// It is due in this minute since 1970, which is far.
    DueLater(i64),
    /// What waits for this endpoint takes as much memory as it may.
    EndpointFull(Arc<str>),
    /// It was read without its content, which is wanted by now.
    ContentWanted,
    /// The source cannot give its content. It waits until somebody changes it.
    Unreadable,
    /// So many keys are blocked that the others are not known by name.
    BlockedFull,
}

/// How a request came into sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// In order, by the walk with this number.
    Walk(u32),
    /// In order, by a read of its key from this id on, of which nothing is withheld so far.
    Key(RequestId),
    /// On new ground.
    Forward,
    /// Out of order: a probe, or it was in memory.
    Single,
}

/// Where a request stands against what is withheld of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Nothing below it is withheld.
    Free,
    /// It is the first that is withheld, as far as there still is one.
    First,
    /// Something below it is withheld.
    Behind,
}
