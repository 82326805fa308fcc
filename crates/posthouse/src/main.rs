//! Posthouse: one binary that is the node, and the commands that look at it and change it.

mod admin;
mod bench;
mod broker_thread;
mod cli;
mod codes;
mod config;
mod data_dir;
mod exit;
mod failure;
mod logging;
mod node;
mod pages;
mod password;
mod process;
mod relay;
mod stop;
mod store_failure;
mod version;

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use cli::Cli;
use exit::Exit;
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let tells_json = cli::tells_json(&cli);
    match cli::run(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            tell(&failure, tells_json);
            failure.exit.into()
        }
    }
}

fn tell(failure: &Failure, as_json: bool) {
    if as_json {
        let Failure { code, message, help, .. } = failure;
        eprintln!("{}", json!({ "code": code, "message": message, "help": help }));
    } else {
        eprintln!("{failure}");
    }
}
