//! Measures the relay beside others that take requests from a database and post them: the same
//! requests, the same receiver, the same PostgreSQL, each in a database of its own, in turn. On
//! MariaDB and SQLite it is measured alone, for none of the others works there.
//!
//! What is told is the run in the middle of the rounds, and all runs go into a file.

mod server;
mod system;
mod table;
mod told;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use self::server::Server;
use self::system::{Kind, SYSTEMS, System};
use self::told::Told;
use super::BUILD;
use super::options::Options;
use crate::command;
use crate::install;

const SERVER: [&str; 9] = [
    "build",
    "--quiet",
    "--release",
    "--package",
    "posthouse-relay",
    "--features",
    "fixture",
    "--example",
    "database_server",
];

/// One thing that is measured of every system.
struct Scenario {
    name: &'static str,
    title: &'static str,
    arguments: &'static [&'static str],
    is_timed: bool,
}

const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "ordered",
        title: "a backlog over 1,000 business ids, in order",
        arguments: &["--scenario", "ordered"],
        is_timed: false,
    },
    Scenario {
        name: "unordered",
        title: "a backlog without business ids",
        arguments: &["--scenario", "ordered", "--keys", "0"],
        is_timed: false,
    },
    Scenario {
        name: "latency",
        title: "500 requests a second, each with a commit of its own",
        arguments: &["--scenario", "latency", "--rate", "500"],
        is_timed: true,
    },
];

/// Where everything is while it runs.
struct Stage {
    program: PathBuf,
    /// Each rival's files, in a directory by its name.
    rivals: PathBuf,
    /// For SQLite's files, and for what is told.
    dir: PathBuf,
    postgres: Server,
    mariadb: Server,
}

/// Installs the others, builds the node, starts the databases, and measures all in turn.
pub(super) fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::parse(words)?;
    let chosen: Vec<(&Scenario, &System)> = pairs(options.only);
    options.check_only(chosen.first())?;
    let stage = Stage::set(root)?;
    let (mut tolds, mut failures): (Vec<Told>, usize) = (Vec::new(), 0);
    for scenario in &SCENARIOS {
        for round in 1..=options.rounds {
            for (_, system) in chosen.iter().filter(|pair| pair.0.name == scenario.name) {
                match stage.measure(scenario, system, round, options.seconds) {
                    Ok(told) => {
                        println!("{told}");
                        tolds.push(told);
                        fs::write(stage.dir.join("runs.csv"), table::csv(&tolds))?;
                    }
                    // What the others have told is worth having all the same.
                    Err(error) => {
                        failures += 1;
                        println!("{}, round {round}, {}: {error:#}", scenario.name, system.name);
                    }
                }
            }
        }
    }
    for scenario in &SCENARIOS {
        print!("{}", table::markdown(scenario, &tolds));
    }
    println!("\nall runs: {}", stage.dir.join("runs.csv").display());
    match failures {
        0 => Ok(()),
        _ => bail!("{failures} runs have failed and are left out"),
    }
}

fn pairs(only: &str) -> Vec<(&'static Scenario, &'static System)> {
    let all = SCENARIOS.iter().flat_map(|scenario| SYSTEMS.iter().map(move |s| (scenario, s)));
    let suits = |(scenario, system): &(&Scenario, &System)| {
        let is_possible = !scenario.is_timed || system.keeps_pace;
        is_possible && (scenario.name == only || system.name.contains(only))
    };
    all.filter(suits).collect()
}

impl Stage {
    fn set(root: &Path) -> Result<Stage> {
        let target = command::target_dir(root);
        let dir = target.join("bench/relay");
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let rivals = target.join("bench/rivals");
        command::step("install the others", || install::rivals(root, &rivals))?;
        command::step("build", || {
            command::run(&mut command::cargo(root, &BUILD))?;
            command::run(&mut command::cargo(root, &SERVER))
        })?;
        let names = |kind| SYSTEMS.iter().filter(move |system| system.kind == kind);
        let server = target.join("release/examples/database_server");
        Ok(Stage {
            program: target.join("release/posthouse"),
            postgres: Server::start(&server, "postgres", names(Kind::Postgres))?,
            mariadb: Server::start(&server, "mariadb", names(Kind::Mariadb))?,
            rivals,
            dir,
        })
    }

    fn measure(
        &self,
        scenario: &Scenario,
        system: &System,
        round: usize,
        seconds: u64,
    ) -> Result<Told> {
        let mut command = Command::new(&self.program);
        command.args(["bench", "relay", "--output", "csv", "--url", &self.url(system)?]);
        command.args(scenario.arguments);
        match scenario.is_timed {
            true => command.args(["--duration", &seconds.to_string()]),
            false => command.args(["--requests", &system.requests.to_string()]),
        };
        if let Some(rival) = system.rival {
            command.arg("--rival").arg(self.rivals.join(rival).join("rival.toml"));
        }
        let output = command.stdin(Stdio::null()).output().context("cannot start the bench")?;
        let text = String::from_utf8_lossy(&output.stdout);
        // A run in which something went wrong ends with a failure, but tells its figures before.
        Told::read(scenario.name, system.name, round, &text).with_context(|| {
            format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr))
        })
    }

    fn url(&self, system: &System) -> Result<String> {
        match system.kind {
            Kind::Postgres => self.postgres.url(system),
            Kind::Mariadb => self.mariadb.url(system),
            Kind::Sqlite => Ok(format!("sqlite:{}", self.dir.join("requests.db").display())),
        }
    }
}
