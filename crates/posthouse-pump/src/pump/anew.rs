//! A source that another one has taken the place of: the pump begins from nothing.
//!
//! Only what gives numbers goes on, so that no answer that is still on its way from before is taken
//! for one to something that was asked since; and what has been counted.

use super::Pump;
use super::row::Phase;
use crate::effect::Effect;

impl Pump {
    pub(super) fn start_anew(&mut self) {
        for row in self.rows.values() {
            if let Phase::Running(attempt) = row.phase {
                self.effects.push(Effect::Abort(attempt));
            }
        }
        let new = Pump::with(self.seed, self.pace.clone(), self.room.clone());
        let old = std::mem::replace(self, new);
        self.dice = old.dice;
        self.events = old.events;
        self.last_attempt = old.last_attempt;
        self.reads.count_on(&old.reads);
        self.settling.count_on(&old.settling);
        self.is_stopping = old.is_stopping;
        self.effects = old.effects;
        self.counts = old.counts;
        for figures in self.counts.values_mut() {
            (figures.resident, figures.in_flight) = (0, 0);
        }
    }
}
