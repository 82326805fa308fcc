//! The loop of a run: fills what may be sent, waits for sockets, reads what has come.
//!
//! In a closed loop producers send as fast as their windows and the number of outstanding messages
//! allow. In an open loop they send by a schedule that does not care how the broker fares:
//! latency counts from when a message was to be sent.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::clock::Clock;
use super::consumer::{Arrivals, Consumer};
use super::figures::Figures;
use super::plan::{Plan, Shape};
use super::producer::Producer;
use crate::failure::Failure;

/// How long to wait when there is nothing to do.
const IDLE: Duration = Duration::from_millis(20);
const SECOND_NS: u64 = 1_000_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) producers: Vec<Producer>,
    pub(super) consumers: Vec<Consumer>,
    /// By consumer for topics, by queue for queues.
    pub(super) arrivals: Vec<Arrivals>,
    pub(super) figures: Figures,
    clock: Clock,
    shape: Shape,
    fan_out: u64,
    outstanding: u64,
    schedule: Option<Schedule>,
    scratch: Vec<u8>,
    /// Sent by destination.
    sent: Vec<u64>,
}

/// When messages are to be sent.
#[derive(Debug)]
struct Schedule {
    per_second: u64,
    begin_ns: u64,
    /// How many messages were sent.
    next: u64,
    /// Whether the next one is overdue but has no room: then only a socket can help.
    is_held: bool,
}

impl Schedule {
    /// When the next message is to be sent.
    fn next_ns(&self) -> u64 {
        let since = u128::from(self.next) * u128::from(SECOND_NS) / u128::from(self.per_second);
        self.begin_ns.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

impl Load {
    /// A load over connections that are ready. Each producer's id is its index.
    pub(super) fn new(
        plan: &Plan,
        producers: Vec<Producer>,
        consumers: Vec<Consumer>,
        scratch: Vec<u8>,
    ) -> Result<Self, Failure> {
        let clock = Clock::start();
        let groups = match plan.shape {
            Shape::Queue => plan.destinations,
            Shape::Topic => consumers.len(),
        };
        let arrivals = || Arrivals::new(producers.len());
        let schedule = plan.rate.map(|per_second| {
            let per_second = per_second.max(1);
            Schedule { per_second, begin_ns: clock.now_ns(), next: 0, is_held: false }
        });
        Ok(Self {
            arrivals: std::iter::repeat_with(arrivals).take(groups).collect(),
            figures: Figures::new(schedule.is_some())?,
            clock,
            shape: plan.shape,
            fan_out: if consumers.is_empty() { 0 } else { plan.fan_out() },
            outstanding: plan.outstanding,
            schedule,
            scratch,
            sent: vec![0; plan.destinations],
            producers,
            consumers,
        })
    }

    /// Runs for `duration`.
    pub(super) fn run(&mut self, duration: Duration) -> Result<(), Failure> {
        let length_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let end_ns = self.clock.now_ns().saturating_add(length_ns);
        while self.clock.now_ns() < end_ns {
            self.fill();
            self.turn()?;
        }
        Ok(())
    }

    /// Sends nothing more and waits until all has come, or nothing has come for `patience`.
    pub(super) fn drain(&mut self, patience: Duration) -> Result<(), Failure> {
        let patience_ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        self.schedule = None;
        let mut last = (self.missing(), self.clock.now_ns());
        while last.0 > 0 && self.clock.now_ns() - last.1 < patience_ns {
            self.turn()?;
            let missing = self.missing();
            if missing != last.0 {
                last = (missing, self.clock.now_ns());
            }
        }
        Ok(())
    }

    /// Messages and receipts that have not come.
    fn missing(&self) -> u64 {
        let unconfirmed: u64 = self.producers.iter().map(Producer::unconfirmed).sum();
        let sent: u64 = self.sent.iter().sum();
        let received: u64 = self.arrivals.iter().map(|arrivals| arrivals.count).sum();
        unconfirmed + (sent * self.fan_out).saturating_sub(received)
    }

    fn fill(&mut self) {
        let now_ns = self.clock.now_ns();
        if self.schedule.is_some() {
            self.fill_by_schedule(now_ns);
            return;
        }
        for at in 0..self.producers.len() {
            let room = self.producers.get(at).map_or(0, |producer| self.room(producer.route));
            let Some(producer) = self.producers.get_mut(at) else { continue };
            let count = producer.fill(now_ns, room);
            if let Some(sent) = self.sent.get_mut(producer.route) {
                *sent += count;
            }
        }
    }

    /// How many messages may still be sent to a destination.
    fn room(&self, route: usize) -> u64 {
        if self.fan_out == 0 {
            return u64::MAX;
        }
        let sent = self.sent.get(route).copied().unwrap_or_default();
        let received: u64 = match self.shape {
            Shape::Queue => self.arrivals.get(route).map_or(0, |arrivals| arrivals.count),
            Shape::Topic => {
                let own = self.consumers.iter().zip(&self.arrivals);
                own.filter(|(c, _)| c.route == route).map(|(_, arrivals)| arrivals.count).sum()
            }
        };
        let underway = (sent * self.fan_out).saturating_sub(received);
        (self.outstanding * self.fan_out).saturating_sub(underway) / self.fan_out
    }

    /// Sends what is due, by producers in turn. One whose window is full holds up the schedule, and
    /// that shows as latency.
    fn fill_by_schedule(&mut self, now_ns: u64) {
        let count = self.producers.len() as u64;
        let Some(schedule) = self.schedule.as_mut() else { return };
        schedule.is_held = false;
        while schedule.next_ns() <= now_ns {
            let at = (schedule.next % count.max(1)) as usize;
            let Some(producer) = self.producers.get_mut(at).filter(|p| p.has_room()) else {
                schedule.is_held = true;
                return;
            };
            let intended_ns = schedule.next_ns();
            producer.push(intended_ns, now_ns);
            self.figures.note_lag(now_ns.saturating_sub(intended_ns));
            schedule.next += 1;
            if let Some(sent) = self.sent.get_mut(producer.route) {
                *sent += 1;
            }
        }
    }

    /// Writes, waits, reads.
    fn turn(&mut self) -> Result<(), Failure> {
        for producer in &mut self.producers {
            producer.peer.flush()?;
        }
        for consumer in &mut self.consumers {
            consumer.peer.flush()?;
        }
        let ready = self.wait()?;
        self.read(&ready)
    }

    /// Waits until a socket can be used or a message is due.
    fn wait(&self) -> Result<Vec<PollFlags>, Failure> {
        let producers = self.producers.iter().map(|producer| producer.peer.interest());
        let consumers = self.consumers.iter().map(|consumer| consumer.peer.interest());
        let mut interests: Vec<PollFd<'_>> = producers.chain(consumers).collect();
        let timeout = Timespec::try_from(self.pause()).unwrap_or_default();
        match poll(&mut interests, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Failure::unexpected(format!("sockets fail: {error}"))),
        }
        Ok(interests.iter().map(PollFd::revents).collect())
    }

    fn pause(&self) -> Duration {
        let Some(schedule) = self.schedule.as_ref().filter(|schedule| !schedule.is_held) else {
            return IDLE;
        };
        let left_ns = schedule.next_ns().saturating_sub(self.clock.now_ns());
        Duration::from_nanos(left_ns).min(IDLE)
    }

    fn read(&mut self, ready: &[PollFlags]) -> Result<(), Failure> {
        let (producers, consumers) =
            ready.split_at_checked(self.producers.len()).unwrap_or_default();
        let now_ns = self.clock.now_ns();
        for (producer, flags) in self.producers.iter_mut().zip(producers) {
            if flags.contains(PollFlags::OUT) {
                producer.peer.on_writable();
            }
            if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                producer.read(&mut self.scratch, now_ns, &mut self.figures)?;
            }
        }
        for (at, (consumer, flags)) in self.consumers.iter_mut().zip(consumers).enumerate() {
            if flags.contains(PollFlags::OUT) {
                consumer.peer.on_writable();
            }
            let group = if self.shape == Shape::Queue { consumer.route } else { at };
            let Some(arrivals) = self.arrivals.get_mut(group) else { continue };
            if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                let figures = &mut self.figures;
                consumer.read(&mut self.scratch, self.clock, arrivals, figures)?;
            }
        }
        Ok(())
    }
}
