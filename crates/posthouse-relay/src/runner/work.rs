//! What takes time: each piece is a task that puts its answer into the inbox.

use std::sync::Arc;
use std::time::Duration;

use posthouse_pump::attempt::Attempt;
use posthouse_pump::input::Input;
use posthouse_pump::outcome::Settlement;
use posthouse_pump::read::Read;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::handle::{Event, Events};
use super::rounds::{RoundAnswer, RoundTask};
use crate::courier::{Carrier, Clock as _};
use crate::runner::SteadyClock;
use crate::source::look::Query;
use crate::source::{Concluded, Round, Source, SourceError, SourceErrorKind};

/// A read or a write-back that takes longer has failed.
const STATEMENT_MAX: Duration = Duration::from_secs(30);

pub(super) fn read<S: Source>(source: Arc<S>, read: Read, events: Events) {
    tokio::spawn(async move {
        let input = match within(source.read(&read)).await {
            Ok(found) => Input::Found(found),
            Err(error) => {
                let _ = events.send(Event::Failed(error));
                Input::ReadFailed(read.number)
            }
        };
        let _ = events.send(Event::Input(input));
    });
}

pub(super) fn settle<S: Source>(source: Arc<S>, settlement: Settlement, events: Events) {
    tokio::spawn(async move {
        let number = settlement.number;
        let (input, released) = match within(source.settle(&settlement)).await {
            Ok(Concluded { results, released }) => (Input::Settled { number, results }, released),
            Err(error) => {
                tracing::warn!(%error, "a write-back failed; it is tried again");
                (Input::SettleFailed(number), Vec::new())
            }
        };
        let _ = events.send(Event::Input(input));
        if !released.is_empty() {
            let _ = events.send(Event::Input(Input::Changed(released)));
        }
    });
}

pub(super) fn carry<C: Carrier>(
    carrier: Arc<C>,
    attempt: Attempt,
    clock: SteadyClock,
    events: Events,
) -> AbortHandle {
    let task = tokio::spawn(async move {
        let verdict = carrier.carry(&attempt, &clock).await;
        let _ = events.send(Event::Carried(attempt.number, verdict));
    });
    task.abort_handle()
}

pub(super) fn round<S: Source>(
    source: Arc<S>,
    task: RoundTask,
    clock: SteadyClock,
    events: Events,
) {
    tokio::spawn(async move {
        let prepared = prepare(&*source, &task).await;
        let sent_ms = clock.mono_ms();
        let result = match prepared {
            Ok(()) => greet(&*source, &task).await,
            Err(error) => Err(error),
        };
        let answer = RoundAnswer { task, sent_ms, heard_ms: clock.mono_ms(), result };
        let _ = events.send(Event::Round(answer));
    });
}

/// Asks for what people should be told of. It is not worth trying again before its time.
pub(super) fn look<S: Source>(source: Arc<S>, query: Query, events: Events) {
    tokio::spawn(async move {
        let answer = within(source.look(&query)).await;
        if let Err(error) = &answer {
            tracing::warn!(%error, "the source did not say which business ids have gaps");
        }
        let _ = events.send(Event::Gaps(answer));
    });
}

/// One step of the retention, in the name of this node.
pub(super) fn retain<S: Source>(
    source: Arc<S>,
    node: Arc<str>,
    clock: SteadyClock,
    events: Events,
) {
    tokio::spawn(async move {
        let began_ms = clock.mono_ms();
        let result = within(source.retain(&node)).await;
        let took_ms = clock.mono_ms().saturating_sub(began_ms);
        let _ = events.send(Event::Retained(result, took_ms));
    });
}

async fn prepare<S: Source>(source: &S, task: &RoundTask) -> Result<(), SourceError> {
    if task.prepares { source.prepare().await } else { Ok(()) }
}

async fn greet<S: Source>(source: &S, task: &RoundTask) -> Result<Round, SourceError> {
    match timeout(task.patience(), source.round(&task.greeting)).await {
        Ok(result) => result,
        Err(_) => Err(too_slow("the round took too long")),
    }
}

/// Passes on that the source may have something new, for as long as somebody reads the inbox.
pub(super) async fn listen<S: Source>(source: Arc<S>, events: Events) {
    while !events.is_closed() {
        source.wake().await;
        let _ = events.send(Event::Input(Input::Wake));
    }
}

async fn within<T>(work: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    match timeout(STATEMENT_MAX, work).await {
        Ok(result) => result,
        Err(_) => Err(too_slow("the database did not answer in time")),
    }
}

fn too_slow(detail: &str) -> SourceError {
    SourceError { kind: SourceErrorKind::Unavailable, detail: detail.to_owned() }
}
