//! What clients hear.

use posthouse_core::refusal::Code;

use crate::carrier::{Parcel, ValueFront};
use crate::client::Open;
use crate::clock;
use crate::history::{Call, Delivery, Mode, Op, Send, What};
use crate::invariants::Breach;
use crate::port::{Arrival, Reply};
use crate::workload;

use super::{Life, Seat};

impl Life {
    /// Hands out what the driver has let go, until nothing moves any more.
    pub(super) fn hear(&mut self) -> Result<(), Breach> {
        loop {
            let mut has_moved = false;
            let now = clock::now(self.now_ms);
            while let Some((holder, effect)) = self.driver.next_effect() {
                has_moved = true;
                let mut fronts = self.seats.values_mut().filter_map(|seat| seat.front.as_mut());
                if let Some(front) = fronts.find(|front| front.holder() == Some(holder)) {
                    front.on_effect(now, effect, &mut self.driver);
                }
            }
            for id in self.seats.keys().copied().collect::<Vec<u32>>() {
                let Some(mut seat) = self.seats.remove(&id) else { continue };
                let read = self.read(&mut seat);
                self.seats.insert(id, seat);
                has_moved |= read?;
            }
            if !has_moved {
                return Ok(());
            }
            self.driver.turn(now);
        }
    }

    /// Reads all that is there for a client; answers whether there was anything.
    fn read(&mut self, seat: &mut Seat) -> Result<bool, Breach> {
        let now = clock::now(self.now_ms);
        let mut has_read = false;
        while let Some(parcel) = seat.front.as_mut().and_then(|f| f.write(now, &mut self.driver)) {
            has_read = true;
            let Parcel::Reply(reply) = parcel else { continue };
            self.take(seat, *reply)?;
        }
        if seat.front.as_ref().is_some_and(ValueFront::is_closing) {
            self.hang_up(seat);
        }
        Ok(has_read)
    }

    fn take(&mut self, seat: &mut Seat, reply: Reply) -> Result<(), Breach> {
        let id = seat.client.id;
        match reply {
            Reply::Connected => {}
            Reply::Receipt(op) => self.confirm(seat, op),
            Reply::Refused { op, code, detail } => return self.refuse(seat, op, &code, &detail),
            Reply::Message(arrival) => self.receive(seat, arrival),
            Reply::BrowseEnd(consumer) => {
                if seat.client.consumers.remove(&consumer).is_some() {
                    self.note(id, What::BrowseEnd(consumer));
                    self.ask(seat, Call::Unsubscribe(consumer), false, 0);
                }
            }
            Reply::Missed(consumer, count) => self.note(id, What::Missed(consumer, count)),
        }
        Ok(())
    }

    fn confirm(&mut self, seat: &mut Seat, op: Op) {
        if let Some(Call::Send(Send { key, transaction: None, .. })) =
            seat.client.pending.remove(&op)
        {
            seat.client.numbered.remove(&key);
        }
        self.note(seat.client.id, What::Ok(op));
    }

    fn refuse(
        &mut self,
        seat: &mut Seat,
        op: Option<Op>,
        code: &str,
        detail: &str,
    ) -> Result<(), Breach> {
        let call = op.and_then(|op| seat.client.pending.remove(&op));
        let is_full = code == Code::StoreFull.as_str();
        let is_expected = workload::is_expected(call.as_ref(), code)
            || op.zip(call.as_ref()).is_some_and(|(op, call)| self.excuses(seat, op, call, code));
        if !is_expected && (!is_full || !self.may_be_full) {
            let detail = format!("client {} was refused {call:?}: {detail}", seat.client.id);
            return Err(Breach { invariant: "refusals-have-a-reason", detail });
        }
        if let Some(Call::Send(send)) = &call
            && (is_full || code == Code::DestinationFull.as_str())
        {
            seat.client.numbered.remove(&send.key);
        }
        if let (Some(op), Some(_)) = (op, call) {
            self.note(seat.client.id, What::Fail(op));
        }
        Ok(())
    }

    fn receive(&mut self, seat: &mut Seat, arrival: Arrival) {
        let consumer = seat.client.consumers.get_mut(&arrival.consumer);
        let Some(consumer) = consumer.filter(|_| !seat.is_leaving) else { return };
        consumer.received += 1;
        let number = consumer.received;
        if !consumer.wish.browse && consumer.wish.mode != Mode::Auto {
            consumer.open.push(Open { number, handle: arrival.handle });
        }
        let Arrival { consumer, key, from, redeliveries, .. } = arrival;
        let delivery = Delivery { consumer, number, key, from, redeliveries };
        self.note(seat.client.id, What::Deliver(delivery));
    }
}
