//! The command line: one file for each noun. Commands that look at a running node or change it
//! are clients of its admin API; nothing here knows more than the API tells.
//!
//! Data goes to standard output and talk to standard error, so that every command can be piped.

mod api;
mod config;
mod connection;
mod explain;
mod output;
mod queue;
mod rows;
mod serve;
mod subscription;
mod topic;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;
use output::Format;

/// Posthouse, a business message hub.
#[derive(Debug, Parser)]
#[command(name = "posthouse", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes, before or after its name.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// The node to talk to, as http://HOST:PORT. Without it the node of the data directory.
    #[arg(long, global = true, value_name = "URL", env = "POSTHOUSE_SERVER")]
    server: Option<String>,
    /// Where the node keeps everything.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A file with the token to log in with. Without it the one in the data directory.
    #[arg(long, global = true, value_name = "FILE", env = "POSTHOUSE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// How data is written.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node.
    Serve(serve::Serve),
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
    /// Look at the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Explain an error code, such as PH1203.
    Explain(explain::Explain),
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
        Command::Queue(command) => command.run(&global),
        Command::Topic(command) => command.run(&global),
        Command::Subscription(command) => command.run(&global),
        Command::Connection(command) => command.run(&global),
        Command::Config(command) => command.run(&global),
        Command::Explain(command) => command.run(),
        Command::User(command) => command.run(&global),
    }
}

impl Global {
    /// The data directory that is meant.
    fn data_dir(&self) -> Result<PathBuf, Failure> {
        self.data_dir.clone().map_or_else(crate::data_dir::default_path, Ok)
    }
}
