//! Where the calls of one target go: always to one origin, or to whichever instance a discovery
//! knows.

use std::sync::Arc;

use hyper::Uri;
use posthouse_net::discovery::Choice;
use posthouse_net::{Client, Error, HttpVersion, Origin, Scheme};
use posthouse_pump::attempt::{Blame, Verdict};
use tokio::time::Instant;

use super::field::Values;
use super::instances::{CheckedInstances, INSTANCE};

/// The host in an address, as it is configured.
pub(crate) enum Host {
    /// One that stands there.
    Own(Origin),
    /// That of an instance.
    Instance(Way),
}

/// How an instance is called.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    scheme: Scheme,
    is_tls: bool,
    version: HttpVersion,
}

/// See the module.
pub(crate) enum Site {
    /// One origin.
    Fixed(Origin),
    /// An instance, which is chosen for each attempt.
    Found { way: Way, instances: CheckedInstances },
}

/// Where one attempt goes.
pub(crate) struct Spot {
    pub(crate) origin: Origin,
    choice: Option<Choice>,
}

impl Host {
    /// Reads an address, and what stands behind the host in it.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub(crate) fn read(
        text: &str,
        scheme: Scheme,
        version: HttpVersion,
    ) -> Result<(Host, String), String> {
        let (word, rest) = text.split_once("://").unwrap_or(("", text));
        if let Some(path) = rest.strip_prefix(INSTANCE)
            && matches!(path.chars().next(), None | Some('/' | '?' | '#'))
        {
            let is_tls = match word {
                word if word == scheme.plain => false,
                word if word == scheme.tls => true,
                _ => return Err(scheme.complaint.to_owned()),
            };
            return Ok((Host::Instance(Way { scheme, is_tls, version }), path.to_owned()));
        }
        if text.contains('{') {
            return Err("rows do not choose the host: no fields may stand in it".into());
        }
        let url: Uri = text.parse().map_err(|error| format!("it is not a URL: {error}"))?;
        let origin =
            Origin::with_scheme(&url, scheme, version).map_err(|error| error.to_string())?;
        let path = url.path_and_query().map_or("", |path| path.as_str()).to_owned();
        Ok((Host::Own(origin), path))
    }
}

impl Site {
    /// Puts the host and the discovery together, one of which must say where calls go.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub(crate) fn new(
        client: &Client,
        host: Host,
        instances: Option<CheckedInstances>,
    ) -> Result<Site, String> {
        match (host, instances) {
            (Host::Own(origin), None) => {
                client.check(&origin).map_err(|refusal| refusal.to_string())?;
                Ok(Site::Fixed(origin))
            }
            (Host::Instance(way), Some(instances)) => Ok(Site::Found { way, instances }),
            (Host::Instance(_), None) => {
                Err("{instance} needs a discovery that knows where instances are".into())
            }
            (Host::Own(_), Some(_)) => Err("its host is not {instance}, so that the discovery \
                                            would not be asked; write it as ://{instance}"
                .into()),
        }
    }

    /// Begins to follow the instances, if there are any.
    pub(crate) fn follow(&self) {
        if let Site::Found { instances, .. } = self {
            instances.follow();
        }
    }

    /// Where an attempt goes, decided until `until`.
    ///
    /// # Errors
    /// What is to be said of the attempt instead.
    pub(crate) async fn spot(&self, values: &Values<'_>, until: Instant) -> Result<Spot, Verdict> {
        match self {
            Site::Fixed(origin) => Ok(Spot { origin: origin.clone(), choice: None }),
            Site::Found { way, instances } => {
                let choice = instances.choose(values, until).await?;
                let Way { scheme, is_tls, version } = *way;
                let named: Option<&Arc<str>> = instances.host.as_ref();
                let origin = Origin { scheme, ..choice.origin(is_tls, version, named) };
                Ok(Spot { origin, choice: Some(choice) })
            }
        }
    }

    /// Who is to blame for a failure.
    pub(crate) fn blame(&self) -> Blame {
        match self {
            Site::Fixed(_) => Blame::Endpoint,
            Site::Found { instances, .. } => instances.blame(),
        }
    }
}

impl Spot {
    /// It has taken a connection.
    pub(crate) fn accepted(&self) {
        if let Some(choice) = &self.choice {
            choice.accepted();
        }
    }

    /// It has taken no connection. Whether another one may be called instead.
    pub(crate) fn refused(&self) -> bool {
        self.choice.as_ref().is_some_and(Choice::refused)
    }
}

/// Whether an error says that this instance takes no connection, and nothing of the others.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::Unreachable { .. }
            | Error::ConnectTimeout { .. }
            | Error::Tls { .. }
            | Error::Unresolved { .. }
    )
}
