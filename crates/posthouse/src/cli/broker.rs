//! What the commands that speak STOMP share: where the node is, and what its refusals mean.

use posthouse_client::{Client, Error, Options};

use super::Global;
use super::explain::advice;
use crate::codes::Code;
use crate::data_dir::Endpoints;
use crate::exit::Exit;
use crate::failure::Failure;

/// Connects to the node that is meant.
///
/// # Errors
/// When it cannot be reached, or refuses the login.
pub(super) async fn connect(global: &Global, options: Options) -> Result<Client, Failure> {
    let address = match &global.server {
        Some(address) => address.clone(),
        None => endpoint_of(global)?,
    };
    Client::connect_with(&address, options).await.map_err(|error| failure_of(&error))
}

/// Runs a command that waits for the network.
///
/// # Errors
/// What the command says.
pub(super) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::unexpected(error.to_string()))?.block_on(work)
}

fn endpoint_of(global: &Global) -> Result<String, Failure> {
    let dir = global.node_dir()?;
    match Endpoints::read(&dir) {
        Some(endpoints) => Ok(format!("stomp://{}", endpoints.stomp)),
        None => Err(super::no_node(&dir)),
    }
}

/// The failure that an error of the client means.
pub(super) fn failure_of(error: &Error) -> Failure {
    let (code, exit) = match error {
        Error::Address { .. } | Error::Invalid { .. } => (Code::RequestInvalid, Exit::Usage),
        Error::Unreachable { .. } | Error::GaveUp { .. } | Error::ConnectionLost { .. } => {
            (Code::NodeUnreachable, Exit::Unreachable)
        }
        Error::Protocol { .. } => (Code::AnswerInvalid, Exit::Failed),
        Error::LoginRefused(_) => (Code::LoginWrong, Exit::NotAllowed),
        _ => (Code::Unexpected, Exit::Failed),
    };
    let code = error.code().unwrap_or(code.as_str()).to_owned();
    let message = match error {
        // The rest of what the node says repeats the code and where to read on.
        Error::Refused(refusal) | Error::LoginRefused(refusal) => {
            refusal.message.trim_start_matches(&code).trim_start().to_owned()
        }
        other => other.to_string(),
    };
    let help = advice(&code);
    Failure { exit: exit_of(&code).unwrap_or(exit), code, message, help }
}

/// The code for a destination of no kind that there is, which sessions know and the core does not.
const KIND_UNKNOWN: &str = "PH1110";

/// The exit status of what the node refuses.
fn exit_of(code: &str) -> Option<Exit> {
    use posthouse_core::refusal::Code as Core;
    let is = |codes: &[Core]| codes.iter().any(|known| known.as_str() == code);
    if is(&[Core::DestinationUnknown, Core::SubscriptionUnknown]) {
        return Some(Exit::NotFound);
    }
    if is(&[Core::DestinationFull, Core::SubscriptionInUse, Core::DestinationInUse]) {
        return Some(Exit::Conflict);
    }
    let usage = [Core::NameInvalid, Core::WildcardRefused, Core::SelectorInvalid, Core::NotOffered];
    (is(&usage) || code == KIND_UNKNOWN).then_some(Exit::Usage)
}
