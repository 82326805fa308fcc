//! Who has used how much of the machine between two moments.

use std::time::{Duration, Instant};

use super::database::Database;
use super::sender::Sender;
use crate::bench::process::{Machine, Process};
use crate::bench::report::Report;

const MEBIBYTE: f64 = 1_048_576.0;

/// What had been used at one moment.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    at: Instant,
    sender: Option<Duration>,
    database: Option<Duration>,
    generator: Option<Duration>,
    machine: Option<Machine>,
}

impl Usage {
    /// All that is used until now.
    pub(super) fn now(sender: &Sender, database: &Database) -> Self {
        Self {
            at: Instant::now(),
            sender: sender.cpu(),
            database: database.process.and_then(Process::family_cpu),
            generator: Process { pid: std::process::id() }.cpu(),
            machine: Machine::now(),
        }
    }

    /// Processor time of who sends and of the database since `begin`, as a part of one processor.
    pub(super) fn share_since(&self, begin: &Self) -> f64 {
        let used = [since(self.sender, begin.sender), since(self.database, begin.database)];
        let used: Duration = used.into_iter().flatten().sum();
        used.as_secs_f64() / (self.at - begin.at).as_secs_f64()
    }

    /// Adds what was used since `begin`: of a processor, and for each of `requests` if there are
    /// any.
    pub(super) fn put_since(&self, begin: &Self, requests: u64, report: &mut Report) {
        let seconds = (self.at - begin.at).as_secs_f64();
        let share = |time: Duration| time.as_secs_f64() * 100.0 / seconds;
        let of = [
            ("server", since(self.sender, begin.sender)),
            ("database", since(self.database, begin.database)),
            ("generator", since(self.generator, begin.generator)),
        ];
        for (name, time) in of {
            if requests > 0 {
                let each = time.map(|time| time.as_secs_f64() * 1e6 / requests as f64);
                report.put_rounded(&format!("{name}_cpu_us"), each);
            }
            report.put_rounded(&format!("{name}_cpu_percent"), time.map(share));
        }
        let Some((end, begin)) = self.machine.zip(begin.machine) else { return };
        report.put_rounded("machine_cpu_percent", Some(share(end.busy.saturating_sub(begin.busy))));
        let stolen = end.stolen.saturating_sub(begin.stolen);
        report.put_rounded("stolen_cpu_percent", Some(share(stolen)));
    }
}

/// Adds the memory of who sends, now and at its peak.
pub(super) fn put_memory(sender: &Sender, report: &mut Report) {
    let mebibytes = |bytes: u64| bytes as f64 / MEBIBYTE;
    let (resident, peak) = (sender.resident_bytes(), sender.peak_resident_bytes());
    report.put_rounded("memory_mib", resident.map(mebibytes));
    report.put_rounded("memory_peak_mib", peak.map(mebibytes));
}

fn since(end: Option<Duration>, begin: Option<Duration>) -> Option<Duration> {
    end.zip(begin).map(|(end, begin)| end.saturating_sub(begin))
}
