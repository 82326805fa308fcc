//! Runs seeds of the simulation: `posthouse-sim [--seeds N] [--from SEED] [--carrier values|stomp]
//! [--bug NAME] [--history FILE] [--verbose]`.
//!
//! Seeds alternate between the two carriers unless one is named. Every hundredth seed is run
//! twice, and the two runs must be the same. The first seed that fails ends the run with what went
//! wrong, the last events, and the command that repeats it.

use std::process::ExitCode;
use std::time::Instant;

use posthouse_core::broker::planted::PlantedBug;
use posthouse_sim::plan::{Carrier, Plan};
use posthouse_sim::summary::Summary;
use posthouse_sim::world::{self, Outcome};

/// Events that are shown of a run that failed.
const EVENTS_SHOWN: usize = 40;

/// How often a seed is run a second time.
const TWICE_EVERY: u64 = 100;

/// What was asked for.
#[derive(Debug)]
struct Options {
    seeds: u64,
    from: u64,
    carrier: Option<Carrier>,
    bug: Option<PlantedBug>,
    history: Option<String>,
    is_verbose: bool,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            seeds: 100,
            from: 1,
            carrier: None,
            bug: None,
            history: None,
            is_verbose: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--seeds" => options.seeds = number(&value()?)?,
                "--from" => options.from = number(&value()?)?,
                "--carrier" => options.carrier = Some(carrier(&value()?)?),
                "--bug" => options.bug = Some(bug(&value()?)?),
                "--history" => options.history = Some(value()?),
                "--verbose" => options.is_verbose = true,
                _ => return Err(format!("{word} is no option; see the top of the source")),
            }
        }
        Ok(options)
    }

    fn plan(&self, seed: u64) -> Plan {
        let carrier = self.carrier.unwrap_or_else(|| Carrier::of(seed));
        Plan { bug: self.bug, ..Plan::new(seed, carrier) }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn carrier(text: &str) -> Result<Carrier, String> {
    let known = [Carrier::Values, Carrier::Stomp].into_iter().find(|c| c.name() == text);
    known.ok_or_else(|| format!("{text} is no carrier; there are values and stomp"))
}

fn bug(text: &str) -> Result<PlantedBug, String> {
    let known = PlantedBug::ALL.into_iter().find(|bug| format!("{bug:?}") == text);
    known.ok_or_else(|| format!("{text} is no bug; there are {:?}", PlantedBug::ALL))
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)) {
        Ok(options) => run(&options),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> ExitCode {
    let started = Instant::now();
    let mut summary = Summary::default();
    for seed in options.from..options.from.saturating_add(options.seeds) {
        let plan = options.plan(seed);
        if options.is_verbose {
            eprintln!("{plan:?}");
        }
        let outcome = world::run(&plan);
        summary.add(&outcome);
        let is_same = seed % TWICE_EVERY != 0 || world::run(&plan).trace == outcome.trace;
        if let Some(path) = &options.history
            && let Err(why) = std::fs::write(path, outcome.history.to_text())
        {
            eprintln!("{path} cannot be written: {why}");
        }
        if let Some(failure) = outcome.failure() {
            report(&plan, &outcome, &failure);
            return ExitCode::FAILURE;
        }
        if !is_same {
            println!("seed {seed} gave two different runs");
            return ExitCode::FAILURE;
        }
    }
    println!("{}", summary.line(started.elapsed()));
    ExitCode::SUCCESS
}

fn report(plan: &Plan, outcome: &Outcome, failure: &str) {
    let events = &outcome.history.events;
    let shown = events.get(events.len().saturating_sub(EVENTS_SHOWN)..).unwrap_or_default();
    shown.iter().for_each(|event| println!("  {event}"));
    outcome.remains.iter().for_each(|line| println!("  left: {line}"));
    println!("seed {} failed: {failure}", plan.seed);
    println!("repeat it by: {}", command(plan));
}

fn command(plan: &Plan) -> String {
    let Plan { seed, carrier, bug, .. } = plan;
    let carrier = carrier.name();
    let bug = bug.map(|bug| format!(" --bug {bug:?}")).unwrap_or_default();
    format!("cargo xtask sim --seeds 1 --from {seed} --carrier {carrier}{bug}")
}
