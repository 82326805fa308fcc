//! The task of one connection.
//!
//! It takes an order only when everything before it is written, so that a peer that does not read
//! holds back requests that then are too late, and not bytes of theirs. It reads all the while: a
//! peer that waits for its answers to be read would otherwise wait for ever. Whatever ends it,
//! every request is told what is known of it: one of which no byte was written was certainly not
//! taken.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use posthouse_net::Stream;
use posthouse_net::limits::CONNECT_MS_MAX;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use super::call::{Order, Request};
use super::flights::Flights;
use super::lost::Lost;
use super::protocol::{Event, Session, Terms};
use crate::courier::limits::{LINE_IDLE_MS, LINE_INPUT_BYTES_MAX, LINE_WRITE_BYTES};

/// See the module.
pub(super) struct Driver<S> {
    reader: ReadHalf<Stream>,
    writer: WriteHalf<Stream>,
    session: S,
    input: BytesMut,
    out: BytesMut,
    needs_flush: bool,
    terms: Terms,
    orders: mpsc::UnboundedReceiver<Order>,
    permits: Arc<Semaphore>,
    flights: Flights,
    takes_orders: bool,
    heard: Instant,
    wrote: Instant,
    used: Instant,
}

/// What has become of bytes that are to be written.
enum Pushed {
    /// So many were taken.
    Taken(usize),
    /// All that were taken before are on their way.
    Flushed,
}

/// What happens next.
enum Turn {
    Read(std::io::Result<usize>),
    Wrote(std::io::Result<Pushed>),
    Order(Option<Order>),
    Time,
}

impl<S: Session> Driver<S> {
    pub(super) fn new(
        stream: Stream,
        session: S,
        input: BytesMut,
        terms: Terms,
        orders: mpsc::UnboundedReceiver<Order>,
        permits: Arc<Semaphore>,
    ) -> Driver<S> {
        let (reader, writer) = tokio::io::split(stream);
        let now = Instant::now();
        Driver {
            reader,
            writer,
            session,
            input,
            out: BytesMut::new(),
            needs_flush: false,
            terms,
            orders,
            permits,
            flights: Flights::default(),
            takes_orders: true,
            heard: now,
            wrote: now,
            used: now,
        }
    }

    /// Drives the connection to its end.
    pub(super) async fn run(mut self) {
        let ended = self.drive().await;
        self.refuse_orders();
        std::mem::take(&mut self.flights).end(&ended.err().unwrap_or_default());
        // The peer may have closed already, or not read what is left.
        let patience = Duration::from_millis(CONNECT_MS_MAX);
        _ = timeout(patience, self.writer.write_all_buf(&mut self.out)).await;
        _ = timeout(patience, self.writer.shutdown()).await;
    }

    /// Ends well when nothing is left to do; otherwise says how the connection ended.
    async fn drive(&mut self) -> Result<(), String> {
        // Something may have come right behind the greeting.
        self.read_events()?;
        while self.takes_orders || !self.flights.is_empty() {
            match self.turn().await {
                Turn::Read(Ok(0)) => return Err("the receiver has closed it".into()),
                Turn::Read(read) => {
                    read.map_err(|error| error.to_string())?;
                    self.heard = Instant::now();
                    self.read_events()?;
                }
                Turn::Wrote(wrote) => self.note_written(wrote)?,
                Turn::Order(order) => self.obey(order),
                Turn::Time => self.look_at_the_clock()?,
            }
        }
        Ok(())
    }

    async fn turn(&mut self) -> Turn {
        let wake = self.wake();
        let is_idle = self.out.is_empty();
        let has_work = !is_idle || self.needs_flush;
        tokio::select! {
            read = self.reader.read_buf(&mut self.input) => Turn::Read(read),
            wrote = push(&mut self.writer, &mut self.out), if has_work => Turn::Wrote(wrote),
            order = self.orders.recv(), if is_idle && self.takes_orders => Turn::Order(order),
            () = sleep_until(wake) => Turn::Time,
        }
    }

    /// When the clock is to be looked at even if nothing happens.
    fn wake(&self) -> Instant {
        let after = |from: Instant, ms: u64| from + Duration::from_millis(ms);
        let silence = self.terms.silence_ms_max.map(|ms| after(self.heard, ms));
        let beat = self.terms.beat_ms.filter(|_| self.out.is_empty());
        let beat = beat.map(|ms| after(self.wrote, ms));
        let idle = self.flights.is_empty().then(|| after(self.used, LINE_IDLE_MS));
        let far = after(Instant::now(), LINE_IDLE_MS);
        [silence, beat, idle].into_iter().flatten().min().unwrap_or(far)
    }

    fn look_at_the_clock(&mut self) -> Result<(), String> {
        let now = Instant::now();
        let is_past = |from: Instant, ms: u64| now >= from + Duration::from_millis(ms);
        if self.terms.silence_ms_max.is_some_and(|ms| is_past(self.heard, ms)) {
            return Err("the receiver has been silent for too long".into());
        }
        if self.flights.is_empty() && is_past(self.used, LINE_IDLE_MS) {
            self.refuse_orders();
        }
        if !self.takes_orders {
            self.cancel_deserted();
        }
        if self.out.is_empty() && self.terms.beat_ms.is_some_and(|ms| is_past(self.wrote, ms)) {
            self.session.beat(&mut self.out);
            self.wrote = now;
        }
        Ok(())
    }

    fn note_written(&mut self, wrote: std::io::Result<Pushed>) -> Result<(), String> {
        match wrote.map_err(|error| error.to_string())? {
            Pushed::Taken(0) => return Err("nothing more can be written".into()),
            Pushed::Taken(_) => {}
            Pushed::Flushed => {
                self.needs_flush = false;
                // A large request must not leave its room behind.
                self.out = BytesMut::new();
                return Ok(());
            }
        }
        self.wrote = Instant::now();
        self.needs_flush = true;
        self.flights.note_written();
        Ok(())
    }

    /// Takes what has been ordered, as much as is written at once.
    fn obey(&mut self, first: Option<Order>) {
        let mut next = first;
        if next.is_none() {
            // The last courier is gone, and everybody who waited.
            self.takes_orders = false;
        }
        while let Some(order) = next {
            match order {
                Order::Request(request) => self.take(request),
                Order::Cancel(number) => self.cancel(number),
            }
            if self.out.len() >= LINE_WRITE_BYTES {
                return;
            }
            next = self.orders.try_recv().ok();
        }
    }

    /// Nobody may wait any more, or it may be too late by now.
    fn take(&mut self, request: Request) {
        let Request { number, call, start_until, answer, permit } = request;
        self.used = Instant::now();
        if answer.is_closed() {
            return;
        }
        let given = match self.used <= start_until {
            true => self.session.request(number, call, &mut self.out),
            false => return drop(answer.send(Err(Lost::Late))),
        };
        if let Err(reason) = given {
            return drop(answer.send(Err(Lost::Unfit { reason })));
        }
        self.flights.add(number, answer, permit);
    }

    fn cancel(&mut self, number: u64) {
        if self.flights.cancel(number) {
            self.session.cancel(number, &mut self.out);
        }
    }

    /// Nobody can say any more that he does not wait, once no orders are taken.
    fn cancel_deserted(&mut self) {
        for number in self.flights.cancel_deserted() {
            self.session.cancel(number, &mut self.out);
        }
    }

    fn read_events(&mut self) -> Result<(), String> {
        while let Some(event) = next_event(&mut self.session, &mut self.input)? {
            match event {
                Event::Answer { number, reply } => {
                    self.flights.settle(number, reply)?;
                    self.used = Instant::now();
                }
                // What it has not taken may go elsewhere at once.
                Event::Leaving { last } => {
                    self.refuse_orders();
                    self.flights.give_back(last);
                }
                Event::Ready(_) | Event::Alive => {}
            }
        }
        Ok(())
    }

    /// Takes no more orders. Those that wait go elsewhere, and whoever waits for a place finds
    /// another connection.
    fn refuse_orders(&mut self) {
        self.takes_orders = false;
        self.orders.close();
        self.permits.close();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Request(request) => _ = request.answer.send(Err(Lost::NotTaken)),
                Order::Cancel(number) => self.cancel(number),
            }
        }
    }
}

/// Writes what there is, or sees to it that what was written leaves.
async fn push(writer: &mut WriteHalf<Stream>, out: &mut BytesMut) -> std::io::Result<Pushed> {
    match out.is_empty() {
        false => writer.write_buf(out).await.map(Pushed::Taken),
        true => writer.flush().await.map(|()| Pushed::Flushed),
    }
}

/// The next event, within bounds.
pub(super) fn next_event<S: Session>(
    session: &mut S,
    input: &mut BytesMut,
) -> Result<Option<Event>, String> {
    let event = session.read(input)?;
    if event.is_none() && input.len() > LINE_INPUT_BYTES_MAX {
        return Err(format!("it sent {LINE_INPUT_BYTES_MAX} bytes that are no answer"));
    }
    Ok(event)
}
