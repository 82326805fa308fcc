//! What must be true of every start, and at the end (design 5, P14).

use posthouse_pump::attempt::Attempt;
use posthouse_pump::plan::Order;
use posthouse_pump::request::Request;

use crate::workload::TIMEOUT_MS;
use crate::world::{ERROR_MS, World, true_to_mono};

/// What plays one history again.
const AGAIN: &str = "cargo test -p posthouse-pump --test simulation";

impl World {
    /// When a pump says that something starts: what it knows must allow it.
    pub fn check_start(&mut self, number: u64, attempt: &Attempt) {
        self.starts += 1;
        let plan = self.nodes[&number].plan.clone();
        let code = plan.codes.get(&attempt.request.code);
        let group = code.and_then(|code| plan.groups.get(&code.group));
        let is_active = group.is_some_and(|group| group.is_active);
        self.demand(is_active, "starts of what is not active", attempt);
        let names = [code.and_then(|code| code.window.as_ref()), attempt.request.window.as_ref()];
        let windows = names.into_iter().flatten().map(|name| &plan.windows[name]);
        let is_open = windows.clone().all(|window| window.is_open(self.true_ms));
        self.demand(is_open, "starts outside its window", attempt);
        let close_ms = windows.filter_map(|window| window.next_close(self.true_ms)).min();
        let close_ms = close_ms.unwrap_or(i64::MAX);
        self.demand(attempt.not_after_ms < close_ms, "may begin after its window", attempt);
        self.closes.insert((number, attempt.number.0), close_ms);
        let end_mono_ms = true_to_mono(number, self.true_ms) + TIMEOUT_MS;
        self.demand(attempt.end_by_mono_ms == end_mono_ms, "has not its whole time", attempt);
        let id = attempt.request.id;
        let is_twice = self.on_wire.iter().any(|((node, _), wire)| *node == number && wire.0 == id);
        self.demand(!is_twice, "is in flight twice", attempt);
    }

    /// When a courier sends: the truth must allow it.
    pub fn check_send(&mut self, number: u64, attempt: &Attempt) {
        let id = attempt.request.id;
        self.note(format!("{number} sends {} try {}", id.0, attempt.try_no));
        let lease = &self.table.leases[attempt.bucket.0 as usize];
        let is_held = lease.fence == attempt.fence.0 && lease.owner == Some(number);
        self.demand(is_held, "is sent under a lost lease", attempt);
        let taken = self.table.foreign.get(&id.0).filter(|until_ms| **until_ms > self.true_ms);
        self.demand(taken.is_none(), "is sent while somebody else has it", attempt);
        let is_in_time = attempt.request.expires_ms.is_none_or(|at| self.true_ms < at);
        self.demand(is_in_time, "is sent after its expiry", attempt);
        self.demand(attempt.request.due_ms <= self.true_ms, "is sent before it is due", attempt);
        let is_before_end = attempt.not_after_ms >= self.true_ms - 2 * ERROR_MS;
        self.demand(is_before_end, "is sent after its end", attempt);
        let close_ms = self.closes.remove(&(number, attempt.number.0));
        let is_open = close_ms.is_none_or(|at| self.true_ms < at);
        self.demand(is_open, "is sent outside its window", attempt);
        let before = self.table.rows.range(..id.0).map(|(_, row)| row);
        let before = before.filter(|row| row.state < 3 && self.is_before(&row.request, attempt));
        let first = before.map(|row| row.request.id.0).next();
        let what = format!("is sent before {} of its key", first.unwrap_or_default());
        self.demand(first.is_none(), &what, attempt);
        let on_wire = self.on_wire.iter().filter(|(_, wire)| wire.1 > self.true_ms);
        let on_wire = on_wire.filter_map(|(_, wire)| self.table.rows.get(&wire.0.0));
        let is_alone = !on_wire.clone().any(|row| self.is_before(&row.request, attempt));
        self.demand(is_alone, "is sent beside another of its key", attempt);
    }

    /// When somebody else takes a request: no pump that may send it does.
    pub fn check_take(&self, id: i64) {
        for (number, node) in &self.nodes {
            let sends = node.running.values().find(|attempt| attempt.request.id.0 == id);
            let Some(attempt) = sends else { continue };
            let is_held = node.held.get(&attempt.bucket.0) == Some(&attempt.fence.0)
                && self.table.leases[attempt.bucket.0 as usize].owner == Some(*number);
            self.demand(!is_held, "is taken by somebody else while it is sent", attempt);
        }
    }

    /// Whether order ties two requests together.
    fn is_before(&self, other: &Request, attempt: &Attempt) -> bool {
        let order = |code: &str| {
            let code = self.plan.codes.get(code);
            let group = code.and_then(|code| self.plan.groups.get(&code.group));
            group.map_or(Order::Key, |group| group.order)
        };
        let request = &attempt.request;
        let is_known = |code: &str| self.plan.codes.contains_key(code);
        if request.key.is_none() || request.key != other.key || !is_known(&other.code) {
            return false;
        }
        match (order(&other.code), order(&request.code)) {
            (Order::Key, Order::Key) => true,
            (Order::KeyAndCode, Order::KeyAndCode) => request.code == other.code,
            _ => false,
        }
    }

    /// At the end nothing may be open, and nothing in hand.
    pub fn check_end(&self) {
        let open = self.table.rows.iter().filter(|(_, row)| row.state < 3);
        let open: Vec<String> =
            open.map(|(id, row)| format!("{id} ({}, {:?})", row.state, row.request.code)).collect();
        let first = open.first().map_or(String::new(), |text| text.clone());
        let number = first.split(' ').next().unwrap_or_default().to_owned();
        if !open.is_empty() {
            let figures = self
                .nodes
                .values()
                .map(|node| format!("{:?} {:?}", node.held, node.pump.figures()));
            let figures: Vec<String> = figures.collect();
            self.give_up(
                &format!("{} are still open: {first}\n{}", open.len(), figures.join("\n")),
                &number,
            );
        }
    }

    fn demand(&self, is_so: bool, what: &str, attempt: &Attempt) {
        if !is_so {
            let id = attempt.request.id.0;
            self.give_up(&format!("{id} {what}: {attempt:?}"), &id.to_string());
        }
    }

    fn give_up(&self, what: &str, id: &str) -> ! {
        if let Ok(path) = std::env::var("PUMP_LOG") {
            std::fs::write(path, self.log.join("\n")).unwrap();
        }
        let about = self.log.iter().filter(|line| line.split(' ').skip(1).any(|word| word == id));
        let about: Vec<&str> = about.map(String::as_str).collect();
        let last = about.len().saturating_sub(60);
        panic!(
            "seed {}: {what}\n{}\nagain: PUMP_SEED={} {AGAIN}",
            self.seed,
            about[last..].join("\n"),
            self.seed
        );
    }
}
