//! What the lines of the script do.

use posthouse_pump::input::Hold;
use posthouse_pump::plan::Code;

use crate::business;
use crate::platform::Name;
use crate::world::World;

/// How far a clock goes wrong.
const CLOCK_OFF_MS: i64 = 3_000;

impl World {
    /// A line of the script begins.
    pub fn begins(&mut self, at: usize) {
        let happening = self.script[at].clone();
        let (name, object) = (happening.platform, &*happening.object);
        let end_ms = happening.end_ms;
        let platform = self.platforms.get_mut(&name).unwrap();
        match &*happening.what {
            "none" => {}
            "services-down" => platform.are_services_down = true,
            "database-down" => platform.is_database_down = true,
            "turns-down" | "turns-down-for-good" => platform.turns_down = Some(object.into()),
            "group-off" => self.switch(name, object, false),
            "hold-code" => self.hold(name, Some(Hold::Code(object.into()))),
            "hold-endpoint" => self.hold(name, Some(Hold::Endpoint(object.into()))),
            "unknown-code" => platform.writes_unknown = true,
            "lock-row" => platform.locks_next = true,
            "burst" => business::burst(self, name, end_ms),
            "clock-off" => self.set_clocks(name, CLOCK_OFF_MS),
            "cut-off" => {
                let number = self.nodes_of(name)[0];
                self.nodes.get_mut(&number).unwrap().cut_off_until_ms = end_ms;
            }
            "node-ends" => _ = self.nodes.remove(&self.nodes_of(name)[0]),
            "nodes-end" => self.nodes.retain(|_, node| node.platform != name),
            other => panic!("not understood: {other}"),
        }
    }

    /// It ends.
    pub fn ends(&mut self, at: usize) {
        let happening = self.script[at].clone();
        let (name, object) = (happening.platform, &*happening.object);
        let platform = self.platforms.get_mut(&name).unwrap();
        match &*happening.what {
            "services-down" => platform.are_services_down = false,
            "database-down" => platform.is_database_down = false,
            what @ ("turns-down" | "turns-down-for-good") => {
                platform.turns_down = None;
                business::decide(self, Name::Participant, what == "turns-down-for-good");
            }
            "group-off" => self.switch(name, object, true),
            "hold-code" | "hold-endpoint" => self.hold(name, None),
            "unknown-code" => self.learn(name),
            "lock-row" => platform.table.locked = None,
            "clock-off" => self.set_clocks(name, 0),
            "node-ends" => self.add_node(name),
            "nodes-end" => {
                self.add_node(name);
                self.add_node(name);
            }
            _ => {}
        }
    }

    fn switch(&mut self, name: Name, group: &str, is_active: bool) {
        let platform = self.platforms.get_mut(&name).unwrap();
        platform.replan(|plan| plan.groups.get_mut(group).unwrap().is_active = is_active);
    }

    fn hold(&mut self, name: Name, hold: Option<Hold>) {
        let platform = self.platforms.get_mut(&name).unwrap();
        platform.holds = hold.into_iter().collect();
        platform.version += 1;
    }

    fn learn(&mut self, name: Name) {
        let code =
            Code { group: "collaboration".into(), endpoint: "collaboration".into(), window: None };
        let platform = self.platforms.get_mut(&name).unwrap();
        platform.replan(|plan| _ = plan.codes.insert("REPORT".into(), code));
    }

    fn set_clocks(&mut self, name: Name, clock_off_ms: i64) {
        let nodes = self.nodes.values_mut().filter(|node| node.platform == name);
        nodes.for_each(|node| node.clock_off_ms = clock_off_ms);
    }

    /// The programs have nothing more to do.
    pub fn close(&mut self) {
        self.is_over = true;
    }

    /// Nothing may be left to send, and all platforms must know the same.
    pub fn check_end(&mut self) {
        for name in Name::ALL {
            let left: Vec<String> = self.platforms[&name]
                .table
                .open()
                .map(|row| format!("{} {} ({})", row.request.id.0, row.request.code, row.state))
                .collect();
            if let Some(first) = left.first() {
                self.blame(&format!("{name:?} has {} left, the first {first}", left.len()));
            }
        }
        let records = |name: Name| &self.platforms[&name].records;
        for name in [Name::Collaboration, Name::Operation] {
            let (own, other) = (records(Name::Participant), records(name));
            let mut differing = own.iter().filter(|(key, record)| other.get(*key) != Some(record));
            if let Some((key, record)) = differing.next() {
                let text = format!(
                    "of {key} the participant knows {record:?}, and {name:?} {:?}",
                    other.get(key)
                );
                return self.blame(&text);
            }
            if own.len() != other.len() {
                return self.blame(&format!("{name:?} knows {} orders", other.len()));
            }
        }
    }

    /// One line about the week.
    pub fn summary(&self) -> String {
        let rows: usize = Name::ALL.iter().map(|name| self.platforms[name].table.count(3)).sum();
        let expired = self.platforms[&Name::Participant].table.count(5);
        let trades = self.platforms[&Name::Operation].says.len();
        let begun = self.told.iter().filter(|told| told.begins).count();
        format!(
            "seed {}: {} orders, {trades} notes of trades, {rows} requests delivered in {} \
             attempts, {expired} quotes expired, {begun} alarms, each with its cause",
            self.seed,
            self.platforms[&Name::Participant].records.len(),
            self.sends
        )
    }
}
