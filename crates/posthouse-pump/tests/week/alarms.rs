//! What the health rules tell, compared with what has happened.

use std::fmt;

use posthouse_pump::health::{Change, Edge};

use crate::platform::Name;
use crate::script::{AlarmName, Certainty};
use crate::world::World;

/// An alarm that a node has told.
pub struct Told {
    pub at_ms: i64,
    pub local: String,
    pub node: u64,
    pub begins: bool,
    pub name: AlarmName,
    pub detail: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { local, node, begins, name, detail, .. } = self;
        let AlarmName { platform, rule, subject } = name;
        let (sign, platform) = (if *begins { '+' } else { '-' }, platform.word());
        write!(f, "{local} {sign} {platform}/{node} {rule} {subject}: {detail}")
    }
}

impl World {
    /// Takes down what a node tells; one that begins must have a cause.
    pub fn tell(&mut self, platform: Name, node: u64, changes: Vec<Change>) {
        for Change { edge, alarm } in changes {
            let name = AlarmName {
                platform,
                rule: alarm.rule.name().to_owned(),
                subject: alarm.subject.name().to_owned(),
            };
            let told = Told {
                at_ms: self.true_ms,
                local: self.local(&self.platforms[&Name::Operation].window),
                node,
                begins: edge == Edge::Begins,
                name: name.clone(),
                detail: alarm.detail,
            };
            let text = told.to_string();
            self.told.push(told);
            let at_ms = self.true_ms;
            let is_meant = self.script.iter().any(|it| it.explains(&name, at_ms));
            if edge == Edge::Begins && !is_meant {
                self.blame(&format!("an alarm without cause: {text}"));
            }
        }
    }

    /// What a line of the script must have had told was told, and is over.
    pub fn check_over(&mut self, at: usize) {
        let happening = self.script[at].clone();
        for expected in &happening.alarms {
            let name = &expected.name;
            let mut told = self.told.iter().filter(|told| told.begins && told.name == *name);
            let is_told = told.any(|told| happening.explains(name, told.at_ms));
            if expected.certainty != Certainty::May && !is_told {
                self.blame(&format!("no alarm {name:?} by: {}", happening.line));
            }
            if expected.certainty != Certainty::Stays && self.is_on(name) {
                self.blame(&format!("still on is {name:?} by: {}", happening.line));
            }
        }
    }

    fn is_on(&self, name: &AlarmName) -> bool {
        let nodes = self.nodes.values().filter(|node| node.platform == name.platform);
        let mut alarms = nodes.flat_map(|node| node.health.alarms());
        alarms.any(|alarm| alarm.rule.name() == name.rule && alarm.subject.name() == name.subject)
    }
}
