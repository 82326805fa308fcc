//! The end of a run: nothing is disturbed any more, workers leave, and fresh consumers empty
//! everything, past a selective one that wants nothing and one that sits on a message.

use super::World;
use super::agenda::Happening;
use crate::client::{Client, Role};
use crate::history::{Durable, Subscribe, Target, What};
use crate::invariants::Breach;
use crate::network::LinkId;
use crate::workload::{self, Scene};

/// How long a sitter sits on its message after the disturbances, in milliseconds.
pub const SITTING_MS: u64 = 3_000;

/// Drainers come this long after the disturbances, in milliseconds.
const DRAIN_AFTER_MS: u64 = 100;

/// Time between two looks whether everything is empty, in milliseconds.
const WATCH_MS: u64 = 25;

/// After this long nobody hopes any more that everything will be consumed, in milliseconds.
const PATIENCE_MS: u64 = 40_000;

impl World {
    pub(super) fn heal(&mut self) -> Result<(), Breach> {
        self.restart()?;
        self.healed_ms = Some(self.now_ms);
        self.note(0, What::Heal);
        self.network.heal();
        for link in self.network.broken() {
            self.agenda.add(self.now_ms, Happening::NodeLearns(link));
            self.agenda.add(self.now_ms, Happening::ClientLearns(link));
        }
        for client in self.clients.values_mut() {
            client.stalled_until_ms = 0;
        }
        for link in self.links.keys().copied().collect::<Vec<LinkId>>() {
            self.read(link)?;
        }
        self.agenda.add(self.now_ms + DRAIN_AFTER_MS, Happening::Drain);
        self.agenda.add(self.now_ms + WATCH_MS, Happening::Watch);
        Ok(())
    }

    pub(super) fn send_drainers(&mut self) {
        let durables: Vec<Durable> = self.durables.iter().cloned().collect();
        self.send_drainer(Role::Sitter, None);
        self.send_drainer(Role::Drainer, None);
        for durable in durables {
            self.send_drainer(Role::Drainer, Some(&durable));
        }
    }

    fn send_drainer(&mut self, role: Role, durable: Option<&Durable>) {
        let id = self.clients.keys().last().copied().unwrap_or(0) + 1;
        let mut client = Client::new(id, role);
        client.name = durable.map(|durable| durable.client.clone());
        let mut scene = Scene {
            now_ms: self.now_ms,
            plan: &self.plan,
            random: &mut self.workload,
            numbers: &mut self.numbers,
        };
        client.errands = workload::errand(&mut scene, durable);
        if role == Role::Sitter {
            for wish in &mut client.errands {
                *wish = Subscribe { to: Target::queue("a.plain"), prefetch: 1, ..wish.clone() };
            }
        }
        self.clients.insert(id, client);
        self.agenda.add(self.now_ms, Happening::Wake(id));
    }

    /// The run is over when everything is consumed, or when that cannot be hoped for any more.
    pub(super) fn watch(&mut self) {
        let waited_ms = self.healed_ms.map_or(0, |healed_ms| self.now_ms - healed_ms);
        if self.is_drained() {
            self.note(0, What::Drained);
            self.is_over = true;
        } else if waited_ms > PATIENCE_MS {
            self.remains = self.describe_remains();
            self.is_over = true;
        } else {
            self.agenda.add(self.now_ms + WATCH_MS, Happening::Watch);
        }
    }

    /// What is not over, in words.
    fn describe_remains(&mut self) -> Vec<String> {
        let mut remains = Vec::new();
        if let Some(driver) = self.node.driver() {
            let all = driver.broker().destinations(None, usize::MAX);
            let kept = all.into_iter().filter(|one| one.messages > 0);
            remains.extend(kept.map(|one| format!("{one:?}")));
            remains.extend(
                driver
                    .broker()
                    .subscriptions(None, usize::MAX)
                    .iter()
                    .map(|one| format!("{one:?}")),
            );
            remains.push(format!("{} effects wait at their gates", driver.waiting_len()));
        }
        let busy = self.clients.values().filter(|client| client.connection.is_some());
        remains.extend(busy.map(|client| {
            let (id, role, open) = (client.id, client.role, client.open_len());
            format!("client {id}, {role:?}, up {}, {open} deliveries open", client.is_up())
        }));
        remains
    }

    fn is_drained(&mut self) -> bool {
        let Some(driver) = self.node.driver() else { return false };
        let is_empty = driver.broker().stats().messages == 0 && driver.waiting_len() == 0;
        let mut drainers = self.clients.values().filter(|client| client.role == Role::Drainer);
        let have_come = self.clients.values().any(|client| client.role == Role::Drainer)
            && drainers.all(|drainer| drainer.is_up() && drainer.errands.is_empty());
        let all_done = self.clients.values().all(|client| match client.role {
            Role::Worker | Role::Sitter => client.connection.is_none(),
            Role::Drainer | Role::Watcher => client.open_len() == 0,
        });
        let is_quiet = self.links.keys().all(|link| self.network.is_quiet(*link));
        is_empty && have_come && all_done && is_quiet
    }
}
