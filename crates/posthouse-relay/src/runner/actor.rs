//! The task that owns the pump.

use std::collections::HashMap;
use std::sync::Arc;

use posthouse_pump::attempt::{AttemptNo, Blame, Verdict};
use posthouse_pump::effect::{Effect, Notice};
use posthouse_pump::input::Input;
use posthouse_pump::pump::Pump;
use posthouse_pump::time::Now;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::sleep_until;

use super::gap_watch::GapWatch;
use super::handle::{Ask, Event, Events, Status};
use super::retainer::Retainer;
use super::rounds::{RoundAnswer, Rounds};
use super::troubles::Troubles;
use super::{Parts, SourceClock, SteadyClock, notices, work};
use crate::courier::{Carrier, Clock as _};
use crate::source::look::{Answer, Gap};
use crate::source::retention::Retained;
use crate::source::{Source, SourceError, SourceErrorKind, slot_of};

/// Events that are taken in before their effects are carried out.
const EVENTS_PER_TURN: usize = 256;

/// How long a stopping source waits for what runs, in milliseconds.
const STOP_MS_MAX: u64 = 8_000;

struct Actor<S, C> {
    name: Arc<str>,
    source: Arc<S>,
    carrier: Arc<C>,
    pump: Pump,
    rounds: Rounds,
    gap_watch: GapWatch,
    retainer: Retainer,
    steady: SteadyClock,
    clock: SourceClock,
    events: Events,
    running: HashMap<AttemptNo, AbortHandle>,
    effects: Vec<Effect>,
    stopping: Option<Stopping>,
    troubles: Troubles,
    /// What was wrong with reads.
    failures: Troubles,
    fenced: u64,
}

struct Stopping {
    done: Vec<oneshot::Sender<()>>,
    until_ms: u64,
}

/// Runs a source until it is stopped.
pub(super) async fn run<S: Source, C: Carrier>(
    parts: Parts<S, C>,
    events: Events,
    mut inbox: mpsc::UnboundedReceiver<Event>,
) {
    let mut actor = Actor::new(parts, events);
    let mut batch = Vec::with_capacity(EVENTS_PER_TURN);
    while !actor.has_ended() {
        let due = actor.steady.instant(actor.due_ms());
        tokio::select! {
            biased;
            _ = inbox.recv_many(&mut batch, EVENTS_PER_TURN) => {}
            () = sleep_until(due.into()) => actor.apply(Input::Tick),
        }
        batch.drain(..).for_each(|event| actor.hear(event));
        actor.perform();
    }
    actor.end();
}

impl<S: Source, C: Carrier> Actor<S, C> {
    fn new(parts: Parts<S, C>, events: Events) -> Actor<S, C> {
        let Parts { name, node, source, carrier, plan, tempo, retention, seed } = parts;
        let steady = SteadyClock::new();
        Actor {
            name,
            source,
            carrier,
            pump: Pump::new(seed),
            rounds: Rounds::new(node, tempo, plan),
            gap_watch: GapWatch::new(steady.mono_ms()),
            retainer: Retainer::new(steady.mono_ms(), &retention),
            steady,
            clock: SourceClock::default(),
            events,
            running: HashMap::new(),
            effects: Vec::new(),
            stopping: None,
            troubles: Troubles::default(),
            failures: Troubles::default(),
            fenced: 0,
        }
    }

    fn now(&self) -> Now {
        self.clock.now(self.steady.mono_ms())
    }

    fn due_ms(&self) -> u64 {
        let stop = self.stopping.as_ref().map(|stopping| stopping.until_ms);
        let watches = [self.gap_watch.due_ms(), self.retainer.due_ms()];
        let own = [self.pump.due_mono_ms(), self.rounds.due_ms(), stop];
        let due = own.into_iter().chain(watches);
        due.flatten().min().unwrap_or(u64::MAX)
    }

    fn apply(&mut self, input: Input) {
        let now = self.now();
        self.pump.apply(now, input, &mut self.effects);
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Input(input) => {
                if matches!(input, Input::Found(_)) {
                    self.hear_found();
                }
                self.apply(input);
            }
            Event::Carried(attempt, verdict) => {
                if self.running.remove(&attempt).is_some() {
                    self.apply(Input::Verdict { attempt, verdict });
                }
            }
            Event::Round(answer) => self.hear_round(answer),
            Event::Plan(plan) => {
                let input = self.rounds.replan(plan);
                self.apply(input);
            }
            Event::Failed(error) => self.hear_failure(&error),
            Event::Gaps(answer) => self.hear_gaps(answer),
            Event::Retained(result, took_ms) => self.hear_retained(result, took_ms),
            Event::Ask(ask) => self.answer(ask),
            Event::Stop(done) => self.begin_stop(done),
        }
    }

    fn hear_round(&mut self, answer: RoundAnswer) {
        if let Ok(round) = &answer.result
            && let Some(step_ms) = self.clock.hear(answer.sent_ms, answer.heard_ms, round.source_ms)
        {
            tracing::warn!(
                source = &*self.name,
                step_ms,
                "the clock of the source was set; windows and expiry follow it"
            );
        }
        let kind = answer.result.as_ref().err().map(|error| error.kind);
        let inputs = self.rounds.hear(answer);
        self.tell_trouble(kind);
        inputs.into_iter().for_each(|input| self.apply(input));
    }

    /// A read has failed, which says more than that rounds go well.
    fn hear_failure(&mut self, error: &SourceError) {
        if error.kind == SourceErrorKind::Unfit {
            self.rounds.look_again();
        }
        if self.failures.is_new(&error.to_string()) {
            tracing::warn!(
                source = &*self.name, %error, "requests cannot be read; it is tried again"
            );
        }
    }

    fn hear_found(&mut self) {
        if self.failures.end() {
            tracing::info!(source = &*self.name, "requests can be read again");
        }
    }

    /// Each node tells of its own buckets.
    fn hear_gaps(&mut self, answer: Result<Answer, SourceError>) {
        let is_ours = |gap: &Gap| self.rounds.holds(slot_of(&gap.key));
        let gaps = self.gap_watch.hear(self.steady.mono_ms(), answer, is_ours);
        gaps.iter().for_each(|gap| notices::tell_gap(&self.name, gap));
    }

    fn hear_retained(&mut self, result: Result<Retained, SourceError>, took_ms: u64) {
        if let Some(told) = self.retainer.hear(self.steady.mono_ms(), took_ms, result) {
            notices::tell_retention(&self.name, &told);
        }
    }

    /// What is to be done differs with the kind of trouble, and so does what is told.
    fn tell_trouble(&mut self, kind: Option<SourceErrorKind>) {
        let source = &*self.name;
        let Some(error) = &self.rounds.trouble else {
            if self.troubles.end() {
                tracing::info!(source, "the source answers again");
            }
            return;
        };
        if !self.troubles.is_new(error) {
            return;
        }
        match kind {
            Some(SourceErrorKind::Unfit) => tracing::error!(
                source, %error,
                "the source cannot be used as it is; it is looked at again every two seconds"
            ),
            Some(SourceErrorKind::Replaced) => tracing::error!(
                source, %error, "the source is another one than before; what was known is forgotten"
            ),
            _ => tracing::error!(source, %error, "the source does not answer; it is asked again"),
        }
    }

    fn answer(&mut self, ask: Ask) {
        // Whoever asked may be gone, which is no harm.
        match ask {
            Ask::Status(reply) => {
                let _ = reply.send(Status {
                    name: self.name.clone(),
                    node: self.rounds.node.clone(),
                    plan: self.rounds.configured.clone(),
                    now: self.now(),
                    figures: self.pump.figures(),
                    trouble: self.rounds.trouble.as_ref().or(self.failures.last()).cloned(),
                    control_version: self.rounds.control_version(),
                    fenced: self.fenced,
                    gap_keys: self.gap_watch.keys(),
                    retention: self.retainer.tally,
                });
            }
            Ask::Why(id, reply) => {
                let now = self.now();
                let _ = reply.send(self.pump.why_here(now, id));
            }
        }
    }

    fn begin_stop(&mut self, done: oneshot::Sender<()>) {
        if let Some(stopping) = &mut self.stopping {
            return stopping.done.push(done);
        }
        let until_ms = self.steady.mono_ms() + STOP_MS_MAX;
        self.stopping = Some(Stopping { done: vec![done], until_ms });
        self.rounds.stop();
        self.apply(Input::Stop);
    }

    fn perform(&mut self) {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Read(read) => work::read(self.source.clone(), read, self.events.clone()),
                Effect::Settle(settlement) => {
                    work::settle(self.source.clone(), settlement, self.events.clone());
                }
                Effect::Start(attempt) => {
                    let number = attempt.number;
                    let task = work::carry(
                        self.carrier.clone(),
                        attempt,
                        self.steady,
                        self.events.clone(),
                    );
                    self.running.insert(number, task);
                }
                Effect::Abort(attempt) => self.abort(attempt),
                Effect::Release(bucket) => self.rounds.release(bucket),
                Effect::Tell(notice) => self.tell(&notice),
            }
        }
        let mono_ms = self.steady.mono_ms();
        if let Some(task) = self.rounds.begin(mono_ms) {
            work::round(self.source.clone(), task, self.steady, self.events.clone());
        }
        if let Some(query) = self.gap_watch.begin(mono_ms) {
            work::look(self.source.clone(), query, self.events.clone());
        }
        let may_work = self.rounds.is_working() && self.stopping.is_none();
        if self.retainer.begin(mono_ms, may_work) {
            let node = self.rounds.node.clone();
            work::retain(self.source.clone(), node, self.steady, self.events.clone());
        }
    }

    fn tell(&mut self, notice: &Notice) {
        if let Notice::Fenced { outcomes, .. } = notice {
            self.fenced = self.fenced.saturating_add(u64::from(*outcomes));
        }
        notices::tell(&self.name, notice);
    }

    /// Ends an attempt here and now. Nobody knows what has become of it at its receiver.
    fn abort(&mut self, attempt: AttemptNo) {
        let Some(task) = self.running.remove(&attempt) else { return };
        task.abort();
        let detail = "given up, because the lease of its bucket may have ended".to_owned();
        let verdict =
            Verdict::Failed { status: None, detail, retry_after_ms: None, blame: Blame::Request };
        let _ = self.events.send(Event::Input(Input::Verdict { attempt, verdict }));
    }

    fn has_ended(&self) -> bool {
        let Some(stopping) = &self.stopping else { return false };
        let is_idle = self.running.is_empty() && self.rounds.has_nothing();
        is_idle || self.steady.mono_ms() >= stopping.until_ms
    }

    fn end(self) {
        self.running.values().for_each(AbortHandle::abort);
        for done in self.stopping.into_iter().flat_map(|stopping| stopping.done) {
            let _ = done.send(());
        }
    }
}
