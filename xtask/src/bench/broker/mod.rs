//! Measures the node beside ActiveMQ: the same generator, the same bytes, in turn, so that both
//! meet the same machine.
//!
//! What is told is the median of the rounds and the ratio of the two medians; every round is
//! printed as it ends.

mod activemq;
mod figures;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use self::activemq::ActiveMq;
use self::figures::{Figures, median};
use super::BUILD;
use super::options::Options;
use crate::command;
use crate::install;

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

fn chosen<'a>(options: &Options<'a>) -> impl Iterator<Item = &'static Scenario> + use<'a> {
    let only = options.only;
    SCENARIOS.iter().filter(move |scenario| scenario.name.contains(only))
}

/// Builds the node, starts ActiveMQ in a directory of its own, and measures both in turn.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    options.check_only(chosen(&options).next())?;
    install::activemq()?;
    command::run(&mut command::cargo(root, &BUILD))?;
    let program = command::target_dir(root).join("release/posthouse");
    let peer = ActiveMq::start(&command::target_dir(root).join("bench/activemq"))?;
    let mut lines = Vec::new();
    for scenario in chosen(&options) {
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
