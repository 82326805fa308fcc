//! What the system knows about the broker's process, and about the whole machine.

use std::fs;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// Fields of `/proc/PID/stat` behind the name, counted from 0: user and system time, in ticks, and
/// the same of children that have ended.
const USER_TIME_FIELD: usize = 11;
const OWN_TIME_FIELDS: usize = 2;
const FAMILY_TIME_FIELDS: usize = 4;

/// A process that is watched. Where the system does not tell, nothing is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
}

impl Process {
    /// Processor time of all its threads.
    pub(super) fn cpu(self) -> Option<Duration> {
        time_of(parse_ticks(&self.read("stat")?, OWN_TIME_FIELDS)?)
    }

    /// Processor time of it and of all its children, those that have ended too.
    pub(super) fn family_cpu(self) -> Option<Duration> {
        let own = time_of(parse_ticks(&self.read("stat")?, FAMILY_TIME_FIELDS)?)?;
        let children = self.read(&format!("task/{}/children", self.pid))?;
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        // A child that ends between the two looks is missed, by no more than it has just used.
        Some(own + children.filter_map(|pid| Process { pid }.cpu()).sum::<Duration>())
    }

    /// The process that has started it.
    pub(super) fn parent(self) -> Option<Process> {
        let pid = parse_number(&self.read("status")?, "PPid:")?;
        Some(Process { pid: u32::try_from(pid).ok()? })
    }

    /// What it is called.
    pub(super) fn name(self) -> Option<String> {
        Some(self.read("comm")?.trim_end().to_owned())
    }

    /// Memory in use, in bytes.
    pub(super) fn resident_bytes(self) -> Option<u64> {
        parse_number(&self.read("status")?, "VmRSS:").map(|kibibytes| kibibytes * 1_024)
    }

    /// The most memory that was ever in use, in bytes.
    pub(super) fn peak_resident_bytes(self) -> Option<u64> {
        parse_number(&self.read("status")?, "VmHWM:").map(|kibibytes| kibibytes * 1_024)
    }

    fn read(self, name: &str) -> Option<String> {
        fs::read_to_string(format!("/proc/{}/{name}", self.pid)).ok()
    }
}

/// What the whole machine has done since it was started, in time of one processor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Machine {
    /// All processors, for all processes.
    pub(super) busy: Duration,
    /// What the host has given to somebody else although this machine wanted it.
    pub(super) stolen: Duration,
}

impl Machine {
    /// The machine at this moment, where the system tells.
    pub(super) fn now() -> Option<Self> {
        parse_machine(&fs::read_to_string("/proc/stat").ok()?, clock_ticks_per_second())
    }
}

/// The first line: user, nice, system, idle, waiting, interrupts hard and soft, stolen.
fn parse_machine(text: &str, ticks_per_second: u64) -> Option<Machine> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _, _, hard, soft, stolen, ..] = *ticks else { return None };
    let time = |ticks: u64| Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64);
    Some(Machine { busy: time(user + nice + system + hard + soft), stolen: time(stolen) })
}

fn time_of(ticks: u64) -> Option<Duration> {
    Some(Duration::from_micros(ticks.checked_mul(1_000_000)? / clock_ticks_per_second()))
}

/// The name is in parentheses and may hold anything, so that the fields begin behind the last.
fn parse_ticks(text: &str, count: usize) -> Option<u64> {
    let (_, fields) = text.rsplit_once(") ")?;
    let times = fields.split_whitespace().skip(USER_TIME_FIELD).take(count);
    times.map(|field| field.parse::<u64>().ok()).sum()
}

fn parse_number(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Machine, Process, parse_machine, parse_number, parse_ticks};

    #[test]
    fn what_the_system_tells_is_read() {
        let stat = "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 700 30 1 1 20";
        assert_eq!(parse_ticks(stat, 2), Some(730));
        assert_eq!(parse_ticks(stat, 4), Some(732));
        assert_eq!(parse_ticks("12 (a) S 1 2", 2), Some(0));
        assert_eq!(parse_ticks("", 2), None);
        let seconds = Duration::from_secs;
        let machine = Machine { busy: seconds(19), stolen: seconds(8) };
        let stat = "cpu  100 200 300 400 500 600 700 800 0 0\ncpu0 1\n";
        assert_eq!(parse_machine(stat, 100), Some(machine));
        assert_eq!(parse_machine("cpu 1 2 3\n", 100), None);
        let status = "Name:\tx\nVmHWM:\t    90 kB\nVmRSS:\t    70 kB\n";
        assert_eq!(parse_number(status, "VmRSS:"), Some(70));
        assert_eq!(parse_number(status, "VmSwap:"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        let own = Process { pid: std::process::id() };
        assert!(own.resident_bytes().is_none_or(|bytes| bytes > 0));
        assert!(Process { pid: 0 }.cpu().is_none());
    }
}
