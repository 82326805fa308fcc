//! Destinations as STOMP peers write them.

use posthouse_core::destination::Kind;

use super::fault::Fault;

/// A destination header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Queue or topic.
    pub(super) kind: Kind,
    /// The dotted path.
    pub(super) path: Box<str>,
}

/// Takes a destination header apart. A bare name means a queue, as ActiveMQ has it.
pub(super) fn parse(header: &str) -> Result<(Kind, &str), Fault> {
    if let Some(path) = header.strip_prefix("/queue/") {
        return Ok((Kind::Queue, path));
    }
    if let Some(path) = header.strip_prefix("/topic/") {
        return Ok((Kind::Topic, path));
    }
    if let Some(path) = header.strip_prefix("/amq/queue/") {
        return Ok((Kind::Queue, path));
    }
    if header.starts_with('/') || header.is_empty() {
        return Err(Fault::destination_invalid(header));
    }
    Ok((Kind::Queue, header))
}
