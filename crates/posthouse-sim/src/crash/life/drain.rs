//! The end of the last life: everybody leaves, fresh consumers empty everything, and the checker
//! judges what was seen through all lives.

use crate::checker;
use crate::client::{Client, Role};
use crate::clock;
use crate::history::{Durable, History, Key, What};
use crate::invariants::Breach;
use crate::workload;

use super::Life;

/// Rounds within which everything must be drained.
const ROUNDS_MAX: usize = 3_000;

/// What a drainer does in one round.
const AT_ONCE: usize = 20;

impl Life {
    /// Empties everything and has it judged.
    ///
    /// # Errors
    /// What is left, or which promise was broken.
    pub fn drain(&mut self) -> Result<(), Breach> {
        self.empty_seats();
        self.rest()?;
        let first = self.setup.plan.clients + 1;
        self.seat_drainer(first, None);
        for (id, durable) in (first + 1..).zip(self.durables()) {
            self.seat_drainer(id, Some(&durable));
        }
        for _ in 0..ROUNDS_MAX {
            if self.broker().stats().messages == 0 && self.driver.waiting_len() == 0 {
                self.note(0, What::Drained);
                self.empty_seats();
                return self.judge();
            }
            if !self.alarms.is_empty() && self.only_damage_is_left() {
                return self.judge();
            }
            self.drain_on()?;
        }
        let all = self.broker().destinations(None, usize::MAX);
        let left: Vec<_> = all.into_iter().filter(|one| one.messages > 0).collect();
        Err(Breach { invariant: "everything-can-be-consumed", detail: format!("{left:?}") })
    }

    /// Whether nothing is left but messages that cannot be read.
    fn only_damage_is_left(&self) -> bool {
        let all = self.broker().destinations(None, usize::MAX);
        all.iter().all(|one| one.messages == one.unreadable) && self.driver.waiting_len() == 0
    }

    fn durables(&self) -> Vec<Durable> {
        let all = self.broker().subscriptions(None, usize::MAX);
        let named = all.into_iter();
        named.map(|one| Durable { client: one.client.into(), name: one.name.into() }).collect()
    }

    fn seat_drainer(&mut self, id: u32, durable: Option<&Durable>) {
        let mut client = Client::new(id, Role::Drainer);
        client.name = durable.map(|durable| durable.client.clone());
        client.errands = workload::errand(&mut self.scene(), durable);
        self.seat(client);
    }

    /// Every drainer does what it can; what waits for its next attempt has its time come.
    fn drain_on(&mut self) -> Result<(), Breach> {
        let before = self.events.len();
        for id in self.seats.keys().copied().collect::<Vec<u32>>() {
            for _ in 0..AT_ONCE {
                self.wake(id, |client, scene| workload::next_errand(client, scene, true))?;
            }
        }
        self.rest()?;
        self.works()?;
        if self.events.len() == before {
            self.hands.idle();
            let due_ms = self.driver.next_deadline_ms(clock::now(self.now_ms));
            self.now_ms = self.now_ms.max(due_ms.unwrap_or(0));
            self.tick();
        }
        Ok(())
    }

    fn judge(&self) -> Result<(), Breach> {
        let history = History { terms: self.setup.plan.terms(), events: self.events() };
        let report = checker::check(&history);
        let report = report.map_err(|detail| Breach { invariant: "history-is-sound", detail })?;
        match report.violations.first() {
            None => Ok(()),
            Some(first) => {
                let told = first.key.map(|key| told_of(key, &history)).unwrap_or_default();
                let detail = format!("{first}{told}");
                Err(Breach { invariant: first.check.name(), detail })
            }
        }
    }
}

/// Everything in the history that names a message, a line for each, and every crash.
fn told_of(key: Key, history: &History) -> String {
    let key = key.to_string();
    let lines = history.events.iter().filter_map(|event| {
        let line = event.to_string();
        let names = line.split([' ', '=']).any(|word| word == key);
        (names || event.what == What::Crash).then_some(line)
    });
    lines.map(|line| format!("\n    {line}")).collect()
}
