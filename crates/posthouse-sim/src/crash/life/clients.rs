//! What clients do: they come, ask for what the workload draws, and leave.

use std::collections::BTreeMap;

use crate::carrier::ValueFront;
use crate::client::{Client, Role};
use crate::clock;
use crate::history::{Call, Send, What};
use crate::invariants::Breach;
use crate::port::Request;
use crate::workload::{self, Intent, Scene};

use super::{Life, Seat};

impl Life {
    /// Lets as many workers in as the plan has. They send again what an earlier life never
    /// confirmed to them.
    pub fn populate(&mut self) {
        let mut unconfirmed: BTreeMap<u32, Vec<Send>> = BTreeMap::new();
        for (client, send) in self.past.unconfirmed() {
            unconfirmed.entry(client).or_default().push(send);
        }
        for id in 1..=self.setup.plan.clients {
            let mut client = Client::new(id, Role::Worker);
            client.weights = workload::leanings(&mut self.workload);
            client.name = (id % 2 == 1).then(|| format!("client-{id}"));
            client.next_number = self.numbers.take();
            let sends = unconfirmed.remove(&id).unwrap_or_default();
            client.unconfirmed = sends.into_iter().map(|send| (send.key, send)).collect();
            self.seat(client);
        }
    }

    pub(super) fn seat(&mut self, client: Client) {
        self.seats.insert(client.id, Seat { client, front: None, is_leaving: false });
    }

    pub(super) fn wake_somebody(&mut self) -> Result<(), Breach> {
        let ids: Vec<u32> = self.seats.keys().copied().collect();
        let Some(id) = self.workload.pick(&ids).copied() else { return Ok(()) };
        self.wake(id, workload::next)
    }

    /// A client that is away comes; one that is there does what is drawn, if it is listened to.
    pub(super) fn wake(
        &mut self,
        id: u32,
        draw: impl Fn(&mut Client, &mut Scene<'_>) -> Option<Intent>,
    ) -> Result<(), Breach> {
        let Some(mut seat) = self.seats.remove(&id) else { return Ok(()) };
        if seat.front.is_none() {
            self.connect(&mut seat);
        } else if !seat.is_leaving
            && seat.front.as_ref().is_some_and(ValueFront::wants_input)
            && let Some(intent) = draw(&mut seat.client, &mut self.scene())
        {
            self.perform(&mut seat, intent);
        }
        self.seats.insert(id, seat);
        Ok(())
    }

    pub(super) fn scene(&mut self) -> Scene<'_> {
        Scene {
            now_ms: self.now_ms,
            plan: &self.setup.plan,
            random: &mut self.workload,
            numbers: &mut self.numbers,
        }
    }

    fn connect(&mut self, seat: &mut Seat) {
        let mut front = ValueFront::new(&self.setup.plan);
        let request = Request::Connect { client: seat.client.name.clone() };
        front.on_request(clock::now(self.now_ms), request, &mut self.driver);
        seat.front = Some(front);
        seat.is_leaving = false;
        self.note(seat.client.id, What::Open);
    }

    fn perform(&mut self, seat: &mut Seat, intent: Intent) {
        match intent {
            Intent::Ask { call, receipt, handle } => self.ask(seat, call, receipt, handle),
            Intent::Leave(workload::Leaving::Politely) => {
                self.ask(seat, Call::Disconnect, true, 0);
                seat.is_leaving = true;
            }
            Intent::Leave(_) => self.hang_up(seat),
            Intent::Stall(_) => {}
        }
    }

    pub(super) fn ask(&mut self, seat: &mut Seat, call: Call, receipt: bool, handle: u64) {
        let op = self.numbers.take();
        self.note(seat.client.id, What::Invoke(op, call.clone()));
        let Some(front) = &mut seat.front else { return };
        seat.client.pending.insert(op, call.clone());
        let request = Request::Call { op, call, receipt, handle };
        front.on_request(clock::now(self.now_ms), request, &mut self.driver);
    }

    /// The client is gone, and the node knows it.
    pub(super) fn hang_up(&mut self, seat: &mut Seat) {
        if let Some(mut front) = seat.front.take() {
            front.on_closed(clock::now(self.now_ms), &mut self.driver);
            self.note(seat.client.id, What::Close);
            seat.client.disconnect();
        }
    }

    /// Everybody goes.
    pub(super) fn empty_seats(&mut self) {
        for (_, mut seat) in std::mem::take(&mut self.seats) {
            self.hang_up(&mut seat);
        }
    }
}
