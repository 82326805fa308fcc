//! The command line: one file for each noun. Commands that look at a running node or change it
//! are clients of its admin API; nothing here knows more than the API tells.
//!
//! Data goes to standard output and talk to standard error, so that every command can be piped.

mod api;
mod backup;
mod bench;
mod broker;
mod config;
mod confirm;
mod connection;
mod dev;
mod explain;
mod output;
mod progress;
mod publish;
mod queue;
mod receipts;
mod relay;
mod restore;
mod rows;
mod serve;
mod store;
mod subscribe;
mod subscription;
mod topic;
mod user;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::codes::Code;
use crate::data_dir::{self, Endpoints};
use crate::failure::Failure;
use output::Format;

/// What `posthouse --help` ends with.
const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  failed
   2  wrong command line
   3  partly done
   4  not found
   5  not allowed
   6  conflict
   7  unreachable
   8  configuration
   9  store damaged
  10  store failed";

/// Posthouse, a business message hub.
#[derive(Debug, Parser)]
#[command(
    name = "posthouse",
    version,
    arg_required_else_help = true,
    after_long_help = EXIT_CODES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes, before or after its name.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The node to talk to, as http://HOST:PORT, or for pub and sub as stomp://HOST:PORT or
    /// failover:(...). Without it the node of the data directory.
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// Where the node keeps everything.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A file with the token to log in with. Without it the one in the data directory.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// How data is written.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node.
    Serve(serve::Serve),
    /// Run a node to play with, and say what to try.
    Dev(dev::Dev),
    /// Send messages.
    Pub(publish::Publish),
    /// Receive messages and print them.
    Sub(subscribe::Subscribe),
    /// Look at queues and change them.
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Look at topics.
    #[command(subcommand)]
    Topic(topic::Topic),
    /// Look at durable subscriptions and remove them.
    #[command(subcommand)]
    Subscription(subscription::Subscription),
    /// Look at messaging connections.
    #[command(subcommand)]
    Connection(connection::Connection),
    /// Copy the store of a running node on this machine.
    Backup(backup::Backup),
    /// Make a backup the store of a data directory.
    Restore(restore::Restore),
    /// Look after the relay: request tables, their groups, and single requests.
    #[command(subcommand)]
    Relay(relay::Relay),
    /// Look into what is kept on disk.
    #[command(subcommand)]
    Store(store::Store),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Explain an error code, such as PH1203.
    Explain(explain::Explain),
    /// Measure a message broker.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Look after the users of the admin API.
    #[command(subcommand)]
    User(user::User),
}

/// Whether failures are told as JSON.
pub(crate) fn tells_json(cli: &Cli) -> bool {
    matches!(cli.global.output, Format::Json | Format::Jsonl)
}

/// Does what the command line says.
///
/// # Errors
/// Why it could not be done.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Serve(command) => command.run(&global),
        Command::Dev(command) => command.run(&global),
        Command::Pub(command) => command.run(&global),
        Command::Sub(command) => command.run(&global),
        Command::Queue(command) => command.run(&global),
        Command::Topic(command) => command.run(&global),
        Command::Subscription(command) => command.run(&global),
        Command::Connection(command) => command.run(&global),
        Command::Backup(command) => command.run(&global),
        Command::Restore(command) => command.run(&global),
        Command::Relay(command) => command.run(&global),
        Command::Store(command) => command.run(&global),
        Command::Config(command) => command.run(&global),
        Command::Explain(command) => command.run(),
        Command::Bench(command) => command.run(&global),
        Command::User(command) => command.run(&global),
    }
}

impl Global {
    /// The data directory that is meant.
    fn data_dir(&self) -> Result<PathBuf, Failure> {
        self.data_dir.clone().map_or_else(data_dir::default_path, Ok)
    }

    /// The data directory of the node that is running: where none is said and none runs on the
    /// usual one, it may be the one to play with.
    fn node_dir(&self) -> Result<PathBuf, Failure> {
        let usual = self.data_dir()?;
        if self.data_dir.is_some() || Endpoints::read(&usual).is_some() {
            return Ok(usual);
        }
        let dev = data_dir::dev_path()?;
        Ok(if Endpoints::read(&dev).is_some() { dev } else { usual })
    }
}

/// Nobody is running on a data directory.
fn no_node(dir: &Path) -> Failure {
    Failure::new(
        Code::NodeUnreachable,
        format!("no node is running on the data directory {}", dir.display()),
        "start one with `posthouse serve`, or name one with --server or --data-dir",
    )
}
