//! `posthouse relay`: set request tables up, look at them, and decide what becomes of requests.

mod act;
mod adopt;
mod alarms;
mod check;
mod hold;
mod instance;
mod look;
mod of;
mod retention;
mod rows;
mod setup;
mod submit;
mod unfed;

use clap::Subcommand;

use super::Global;
use crate::failure::Failure;
use look::Look;

/// What can be done with the relay.
#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// Make the relay's tables in a database. What is there stays as it is.
    Init(setup::Init),
    /// Print the statements that make the relay's tables.
    Ddl(setup::Ddl),
    /// See whether a table of your own can be adopted, and make what that needs on the relay's
    /// side. Nothing of your table is changed. No node is needed.
    Adopt(adopt::Adopt),
    /// See whether every source of a configuration can be used. No node is needed.
    Check(check::Check),
    /// Write a request, as a platform would. No node is needed.
    Submit(Box<submit::Submit>),
    /// Look at request tables.
    #[command(subcommand)]
    Source(look::Source),
    /// Look at request groups, and switch them.
    #[command(subcommand)]
    Group(act::Group),
    /// Look at request codes.
    #[command(subcommand)]
    Code(Look),
    /// Look at endpoints.
    #[command(subcommand)]
    Endpoint(Look),
    /// Look at alarms.
    #[command(subcommand)]
    Alarm(alarms::Alarm),
    /// Look at the health rules behind alarms.
    #[command(subcommand)]
    Rule(alarms::Rule),
    /// Look at the services whose instances are found by a discovery.
    #[command(subcommand)]
    Discovery(instance::Discovery),
    /// Look at the instances of services, and drain them.
    #[command(subcommand)]
    Instance(instance::Instance),
    /// Look at processing windows.
    #[command(subcommand)]
    Window(Look),
    /// Look at buckets and their owners, and change their number.
    #[command(subcommand)]
    Bucket(act::Bucket),
    /// Look at the nodes that share the buckets.
    #[command(subcommand)]
    Node(Look),
    /// Look at requests.
    #[command(subcommand)]
    Row(rows::Row),
    /// Look at business ids that wait for somebody to decide.
    #[command(subcommand)]
    Blocked(rows::Blocked),
    /// Look at rows of an adopted table that could not be fed.
    #[command(subcommand)]
    Unfed(unfed::Unfed),
    /// Try open requests again at once.
    Retry(act::Retry),
    /// Give open requests up as failed; their business ids go on.
    Skip(act::Skip),
    /// Cancel open requests; their business ids go on.
    Cancel(act::Cancel),
    /// Send finished requests once more.
    Replay(act::Replay),
    /// Hold a business id, a code or an endpoint: nothing of it starts. Or list what is held.
    #[command(subcommand)]
    Hold(hold::Hold),
    /// Let go what is held.
    #[command(subcommand)]
    Release(hold::Release),
    /// See how long finished requests stay, and what has been removed.
    Retention(retention::Retention),
    /// Say that a source may have something new.
    Poke(act::Poke),
}

impl Relay {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        match self {
            Relay::Init(command) => command.run(),
            Relay::Ddl(command) => command.run(),
            Relay::Adopt(command) => command.run(global),
            Relay::Check(command) => command.run(global),
            Relay::Submit(command) => command.run(global),
            Relay::Source(command) => command.run(global),
            Relay::Group(command) => command.run(global),
            Relay::Code(command) => command.run(global, &look::CODES),
            Relay::Endpoint(command) => command.run(global, &look::ENDPOINTS),
            Relay::Alarm(command) => command.run(global),
            Relay::Rule(command) => command.run(global),
            Relay::Discovery(command) => command.run(global),
            Relay::Instance(command) => command.run(global),
            Relay::Window(command) => command.run(global, &look::WINDOWS),
            Relay::Bucket(command) => command.run(global),
            Relay::Node(command) => command.run(global, &look::NODES),
            Relay::Row(command) => command.run(global),
            Relay::Blocked(command) => command.run(global),
            Relay::Unfed(command) => command.run(global),
            Relay::Retry(command) => command.run(global),
            Relay::Skip(command) => command.run(global),
            Relay::Cancel(command) => command.run(global),
            Relay::Replay(command) => command.run(global),
            Relay::Hold(command) => command.run(global),
            Relay::Release(command) => command.run(global),
            Relay::Retention(command) => command.run(global),
            Relay::Poke(command) => command.run(global),
        }
    }
}
