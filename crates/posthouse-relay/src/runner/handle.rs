//! The way to a running source from the rest of the process.

use std::sync::Arc;

use posthouse_pump::attempt::{AttemptNo, Verdict};
use posthouse_pump::input::Input;
use posthouse_pump::plan::Plan;
use posthouse_pump::pump::{Figures, Why};
use posthouse_pump::request::RequestId;
use posthouse_pump::time::Now;
use tokio::sync::{mpsc, oneshot};

use super::rounds::RoundAnswer;
use crate::source::SourceError;
use crate::source::look::Answer;
use crate::source::retention::Retained;

/// What arrives in the inbox of a running source.
#[derive(Debug)]
pub(super) enum Event {
    /// Something for the pump.
    Input(Input),
    /// A courier has spoken.
    Carried(AttemptNo, Verdict),
    /// A round has ended.
    Round(RoundAnswer),
    /// A read has failed.
    Failed(SourceError),
    /// Which business ids wait for a number that is not there.
    Gaps(Result<Answer, SourceError>),
    /// What came of a step of the retention, and how many milliseconds it took.
    Retained(Result<Retained, SourceError>, u64),
    /// Somebody wants to know something.
    Ask(Ask),
    /// Another plan holds from now on.
    Plan(Plan),
    /// Let what runs end, give everything back, and end.
    Stop(oneshot::Sender<()>),
}

/// What may be asked of a running source.
#[derive(Debug)]
pub(super) enum Ask {
    /// How it does.
    Status(oneshot::Sender<Status>),
    /// What a request waits for, as far as only the pump knows.
    Why(RequestId, oneshot::Sender<Why>),
}

/// How a running source does.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name.
    pub name: Arc<str>,
    /// The name of this node, as it stands beside its buckets.
    pub node: Arc<str>,
    /// The plan as it is configured; operators' switches come on top.
    pub plan: Arc<Plan>,
    /// The clocks.
    pub now: Now,
    /// What the pump counts.
    pub figures: Figures,
    /// Whether the last round went well; else what was wrong with it.
    pub trouble: Option<String>,
    /// The version of the control tables that holds.
    pub control_version: i64,
    /// Outcomes that were refused because the bucket belonged to another node by then.
    pub fenced: u64,
    /// Business ids in this node's buckets that wait for a number that is not there: as many as
    /// were found the last time that all were looked at, or so far by now.
    pub gap_keys: u64,
    /// Finished requests that this node has removed.
    pub retention: RetentionTally,
}

/// Finished requests that a node has removed since it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetentionTally {
    /// Moved to the archive.
    pub archived: u64,
    /// Deleted.
    pub deleted: u64,
    /// Deleted from the archive.
    pub forgotten: u64,
}

impl RetentionTally {
    pub(super) fn add(&mut self, step: &Retained) {
        self.archived = self.archived.saturating_add(step.archived);
        self.deleted = self.deleted.saturating_add(step.deleted);
        self.forgotten = self.forgotten.saturating_add(step.forgotten);
    }
}

/// The inbox of a running source. Unbounded by type; its length is bounded by what the pump has
/// asked for, and by askers who wait.
pub(super) type Events = mpsc::UnboundedSender<Event>;

/// See the module. Clones are of the same source.
#[derive(Clone, Debug)]
pub struct Handle {
    name: Arc<str>,
    events: Events,
}

pub(super) fn channel(name: Arc<str>) -> (Handle, mpsc::UnboundedReceiver<Event>) {
    let (events, inbox) = mpsc::unbounded_channel();
    (Handle { name, events }, inbox)
}

impl Handle {
    /// The name of the source.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Says that the source may have something new.
    pub fn poke(&self) {
        let _ = self.events.send(Event::Input(Input::Wake));
    }

    /// Puts another plan in place of the one that holds.
    pub fn replan(&self, plan: Plan) {
        let _ = self.events.send(Event::Plan(plan));
    }

    /// How it does; `None` when it has ended.
    pub async fn status(&self) -> Option<Status> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Ask(Ask::Status(reply))).ok()?;
        answer.await.ok()
    }

    /// What a request waits for, as far as only the pump knows; `None` when it has ended.
    pub async fn why(&self, id: RequestId) -> Option<Why> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Ask(Ask::Why(id, reply))).ok()?;
        answer.await.ok()
    }

    /// Lets what runs end and gives the buckets back. Returns when that is done.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.events.send(Event::Stop(reply)).is_ok() {
            let _ = done.await;
        }
    }

    pub(super) fn events(&self) -> Events {
        self.events.clone()
    }
}
