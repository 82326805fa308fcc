//! The services of one platform: they take what the relays of the others bring.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;

use super::super::database::runtime;
use super::hours::Hours;
use super::name::Name;
use super::records::{Change, Ledger, Taken};

/// One in so many takers of a change makes one of its own of it.
const REACTION_ONE_IN: i64 = 2;

/// See the module. They end with the process.
pub(super) struct Services {
    pub(super) address: SocketAddr,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    name: Name,
    ledger: Arc<Ledger>,
    hours: Arc<Hours>,
    are_down: AtomicBool,
    /// What was not as it should be.
    wrong: Mutex<Vec<String>>,
}

impl Services {
    pub(super) fn start(name: Name, ledger: Arc<Ledger>, hours: Arc<Hours>) -> Services {
        let (are_down, wrong) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let shared = Arc::new(Shared { name, ledger, hours, are_down, wrong });
        let (taker, (sender, receiver)) = (shared.clone(), std::sync::mpsc::channel());
        thread::spawn(move || {
            runtime().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
                let address = listener.local_addr().expect("it has one");
                sender.send(address).expect("somebody waits for it");
                let answer = move |body: String| {
                    let taker = taker.clone();
                    async move {
                        let taken = tokio::task::spawn_blocking(move || taker.take(&body));
                        taken.await.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
                    }
                };
                let router = Router::new().fallback(post(answer));
                axum::serve(listener, router).await.expect("it serves");
            });
        });
        let address = receiver.recv().expect("it listens");
        Services { address, shared }
    }

    /// They answer nobody but with an error, or take everything again.
    pub(super) fn set_down(&self, are_down: bool) {
        self.shared.are_down.store(are_down, Ordering::Relaxed);
    }

    /// What was not as it should be.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.shared.wrong.lock().expect("nobody panics with it").clone()
    }
}

impl Shared {
    fn take(&self, body: &str) -> StatusCode {
        if !self.hours.is_open_now() {
            self.note(format!("came outside the hours: {body}"));
        }
        if self.are_down.load(Ordering::Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let Some(change) = Change::read(body) else {
            self.note(format!("not understood: {body}"));
            return StatusCode::BAD_REQUEST;
        };
        let reaction = self.reaction(&change);
        match self.ledger.take(&change, reaction) {
            Some(Taken::OutOfOrder) => {
                self.note(format!("out of order: {body}"));
                StatusCode::CONFLICT
            }
            Some(Taken::Now | Taken::Before) => StatusCode::OK,
            None => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The exchange trades orders, and the bank settles trades; not each of them.
    fn reaction(&self, change: &Change) -> Option<i64> {
        let acts = matches!(
            (self.name, change.owner),
            (Name::Operation, Name::Participant) | (Name::Collaboration, Name::Operation)
        );
        (acts && change.value % REACTION_ONE_IN == 0).then_some(change.value / REACTION_ONE_IN)
    }

    fn note(&self, what: String) {
        self.wrong.lock().expect("nobody panics with it").push(what);
    }
}
