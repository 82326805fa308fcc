//! Who may do what. Every route of the API names a verb and a resource, and nothing is done
//! before [`authorize`] has agreed.

use axum::http::StatusCode;

use super::problem::Problem;
use crate::codes::Code;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// An administrator, by name.
    Administrator(Box<str>),
}

impl Principal {
    /// The name, for the log.
    pub(crate) fn name(&self) -> &str {
        let Principal::Administrator(name) = self;
        name
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Look at figures and names.
    Read,
    /// Look at messages.
    Browse,
    /// Throw messages away.
    Purge,
    /// Send messages back to where they came from.
    Redrive,
    /// Remove the thing itself.
    Delete,
    /// Keep it as it is while it is copied.
    Hold,
    /// Decide what becomes of what is under way.
    Operate,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// The node as a whole.
    Node,
    /// Queues.
    Queue,
    /// Topics.
    Topic,
    /// Durable subscriptions.
    Subscription,
    /// Messaging connections.
    Connection,
    /// What is kept on disk.
    Store,
    /// Request tables and their requests.
    Relay,
}

/// Who may come to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody on this machine: health checks, metrics, the description, and login itself.
    Open,
    /// Those whom [`authorize`] lets.
    Login(Verb, Resource),
}

/// Whether `principal` may do `verb` to `resource`.
///
/// # Errors
/// 401 when nobody has logged in. Administrators may do everything; there are no others yet.
pub(crate) fn authorize(
    principal: Option<&Principal>,
    _verb: Verb,
    _resource: Resource,
) -> Result<(), Problem> {
    match principal {
        Some(Principal::Administrator(_)) => Ok(()),
        None => {
            let detail = "this needs a login: send `Authorization: Bearer TOKEN`, with a token \
                          from POST /api/v1/login";
            Err(Problem::new(StatusCode::UNAUTHORIZED, Code::LoginMissing, detail))
        }
    }
}
