//! Where clients meet the node, and how they are told that it is gone.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::chronicle::PATIENCE;

/// See the module. Closed at first.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    node: Option<SocketAddr>,
    is_dismissed: bool,
    links: usize,
}

/// What a client without a connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    /// Try to connect there, and tell with [`Gate::leave`] when that is over.
    Enter(SocketAddr),
    /// Ask again.
    Wait,
    /// Go home.
    Leave,
}

impl Gate {
    /// The node listens there from now on.
    pub(super) fn open(&self, node: SocketAddr) {
        let mut state = self.lock();
        state.node = Some(node);
        state.is_dismissed = false;
        self.changed.notify_all();
    }

    /// The node is gone. Waits until every client has noticed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.node = None;
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.links > 0);
        let (state, timeout) = waited.expect("nobody panics at the gate");
        assert!(!timeout.timed_out(), "{} clients still think there is a node", state.links);
    }

    /// Clients are to leave and not to come back.
    pub(super) fn dismiss(&self) {
        self.lock().is_dismissed = true;
        self.changed.notify_all();
    }

    /// Clients may come again, once there is a node.
    pub(super) fn recall(&self) {
        self.lock().is_dismissed = false;
    }

    /// Whether clients are to leave.
    pub(super) fn is_dismissed(&self) -> bool {
        self.lock().is_dismissed
    }

    /// What a client without a connection does next. Waits a little for a node if there is none.
    pub(super) fn enter(&self, patience: Duration) -> Advice {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| {
            state.node.is_none() && !state.is_dismissed
        });
        let (mut state, _) = waited.expect("nobody panics at the gate");
        match state.node {
            _ if state.is_dismissed => Advice::Leave,
            None => Advice::Wait,
            Some(node) => {
                state.links += 1;
                Advice::Enter(node)
            }
        }
    }

    /// A connection, or the attempt to make one, is over, and what it brought has been noted.
    pub(super) fn leave(&self) {
        self.lock().links -= 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics at the gate")
    }
}
