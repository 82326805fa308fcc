//! Measures the node beside ActiveMQ: the same generator, the same bytes, in turn, so that both
//! meet the same machine.
//!
//! What is told is the median of the rounds and the ratio of the two medians; every round is
//! printed as it ends.

mod activemq;
mod figures;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use self::activemq::ActiveMq;
use self::figures::{Figures, median};
use crate::command;
use crate::install;

const BUILD: [&str; 5] = ["build", "--quiet", "--release", "--package", "posthouse"];
/// A virtual machine translates its code while it runs, so it is given time before anything counts.
const JAVA_WARMUP_SECONDS: &str = "5";

/// One thing that is measured.
struct Scenario {
    name: &'static str,
    arguments: &'static [&'static str],
}

const SCENARIOS: [Scenario; 4] = [
    Scenario { name: "queue 1→1, 128 B, need not survive", arguments: &["queue", "--no-bare"] },
    Scenario {
        name: "topic 1→50, 128 B, deliveries",
        arguments: &["topic", "--consumers", "50", "--outstanding", "1000", "--no-bare"],
    },
    Scenario {
        name: "1 KiB persistent, receipts in a window of 1,000, client ack",
        arguments: &[
            "persistent",
            "--size",
            "1024",
            "--ack",
            "client",
            "--window",
            "1000",
            "--no-bare",
        ],
    },
    Scenario {
        name: "the same, 16 producers with a window of 1",
        arguments: &[
            "persistent",
            "--size",
            "1024",
            "--ack",
            "client",
            "--window",
            "1",
            "--producers",
            "16",
            "--no-bare",
        ],
    },
];

/// What to measure, how long and how often.
#[derive(Debug, PartialEq, Eq)]
struct Options<'a> {
    rounds: usize,
    seconds: u64,
    /// Only scenarios whose names contain this.
    only: &'a str,
}

impl<'a> Options<'a> {
    fn parse(words: &[&'a str]) -> Result<Options<'a>> {
        let mut options = Options { rounds: 3, seconds: 10, only: "" };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} wants a number"))?;
            match *word {
                "--rounds" => options.rounds = value.parse().context("--rounds wants a number")?,
                "--seconds" => options.seconds = value.parse().context("--seconds")?,
                "--only" => options.only = value,
                _ => bail!("no such option: {word}"),
            }
        }
        if options.rounds == 0 || options.seconds == 0 {
            bail!("--rounds and --seconds begin at 1");
        }
        if options.scenarios().next().is_none() {
            bail!("no scenario has {:?} in its name", options.only);
        }
        Ok(options)
    }

    fn scenarios(&self) -> impl Iterator<Item = &'static Scenario> {
        SCENARIOS.iter().filter(|scenario| scenario.name.contains(self.only))
    }
}

/// Builds the node, starts ActiveMQ in a directory of its own, and measures both in turn.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    install::activemq()?;
    command::run(&mut command::cargo(root, &BUILD))?;
    let program = command::target_dir(root).join("release/posthouse");
    let peer = ActiveMq::start(&command::target_dir(root).join("bench/activemq"))?;
    let mut lines = Vec::new();
    for scenario in options.scenarios() {
        lines.push(compare(&program, &peer, scenario, &options)?);
    }
    println!("\n| what | Posthouse | ActiveMQ | ratio | server CPU, µs a message |");
    println!("|---|---|---|---|---|");
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn compare(
    program: &Path,
    peer: &ActiveMq,
    scenario: &Scenario,
    options: &Options<'_>,
) -> Result<String> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let own = measure(program, scenario, options, None)?;
        let other = measure(program, scenario, options, Some(peer))?;
        println!("{}, round {round}: {own} against {other}", scenario.name);
        ours.push(own);
        theirs.push(other);
    }
    let (own, other) = (median(ours), median(theirs));
    let ratio = own.received_per_s / other.received_per_s;
    Ok(format!(
        "| {} | {:.0}/s | {:.0}/s | {ratio:.1} | {:.1} against {:.1} |",
        scenario.name,
        own.received_per_s,
        other.received_per_s,
        own.server_cpu_us,
        other.server_cpu_us
    ))
}

/// One run, on a node of its own or on the peer.
fn measure(
    program: &Path,
    scenario: &Scenario,
    options: &Options<'_>,
    peer: Option<&ActiveMq>,
) -> Result<Figures> {
    let mut command = Command::new(program);
    command.arg("bench").args(scenario.arguments).args(["--output", "csv"]);
    command.args(["--duration", &options.seconds.to_string()]);
    if let Some(peer) = peer {
        command.args(["--server", &peer.address(), "--server-pid", &peer.pid().to_string()]);
        command.args(["--warmup", JAVA_WARMUP_SECONDS]);
    }
    let told = command::output(&mut command).context("`posthouse bench` failed; run it by hand")?;
    Figures::read(&told)
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn check(words: &[&str], expected: Option<(usize, u64, &str)>) {
        let options = Options::parse(words).ok();
        let expected = expected.map(|(rounds, seconds, only)| Options { rounds, seconds, only });
        assert_eq!(options, expected, "{words:?}");
    }

    #[test]
    fn options_are_read() {
        check(&[], Some((3, 10, "")));
        check(&["--rounds", "5", "--seconds", "2"], Some((5, 2, "")));
        check(&["--only", "16 producers"], Some((3, 10, "16 producers")));
        check(&["--only", "17 producers"], None);
        check(&["--rounds"], None);
        check(&["--rounds", "0"], None);
        check(&["--rounds", "x"], None);
        check(&["--round", "1"], None);
    }
}
