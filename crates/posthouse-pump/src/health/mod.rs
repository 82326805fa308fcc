//! Health rules: what is wrong with a source, as far as a person must know.
//!
//! Every so often the node tells what it knows of a source, a [`Sight`]; each [`Rule`] makes
//! measures of it, a measure beyond its limit is a finding, and a finding that lasts is an alarm.
//! All of it is pure: time is an argument, and changes of alarms are values.
//!
//! What is parked never alarms: a request that waits for its window, its time, its switch or an
//! operator's hold is where it should be. So ages are counted from when a request *could* have
//! gone, and not from when it was written.

mod alarms;
mod growth;
mod measure;
mod memory;
mod of_codes;
mod of_source;
mod of_windows;
mod rule;
mod sight;
#[cfg(test)]
mod tests;

use alarms::Alarms;
use memory::Memory;

pub use alarms::{Alarm, Change, Edge};
pub use measure::Subject;
pub use rule::{Limit, Limits, Rule, Severity, Unit};
pub use sight::{Finder, Sight, Table};

/// The health of one source.
#[derive(Clone, Debug, Default)]
pub struct Health {
    memory: Memory,
    alarms: Alarms,
}

impl Health {
    /// Looks at a source; which alarms have begun and ended by that.
    pub fn look(&mut self, sight: &Sight<'_>, limits: &Limits) -> Vec<Change> {
        self.memory.note(sight);
        let mut measures = of_codes::measures(sight, &self.memory);
        measures.extend(of_windows::measures(sight, &self.memory));
        measures.extend(of_source::measures(sight, &self.memory));
        self.alarms.step(sight, limits, measures)
    }

    /// The alarms that are on, by rule and subject.
    pub fn alarms(&self) -> impl Iterator<Item = &Alarm> {
        self.alarms.on()
    }
}
