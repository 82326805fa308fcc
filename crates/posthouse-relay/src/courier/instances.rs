//! Where couriers find the instance that they call, if the address of a target does not say it.

use std::sync::Arc;

use posthouse_net::discovery::{Balance, Choice, Directory, Discovery, NoInstance};
use posthouse_pump::attempt::{Blame, Verdict};
use tokio::time::Instant;

use super::escape::Place;
use super::excerpt::detail;
use super::fault::Faults;
use super::field::Values;
use super::limits::HEADER_BYTES_MAX;
use super::template::Template;

/// What stands for the host of an instance in an address.
pub(crate) const INSTANCE: &str = "{instance}";

/// The instances of a service, which rows may choose.
#[derive(Clone, Debug)]
pub struct Instances {
    /// Who knows them.
    pub discovery: Arc<Discovery>,
    /// The service. Fields in braces are filled in from each request.
    pub service: String,
    /// How work is shared among them.
    pub balance: Balance,
    /// Under which host they are called, if it is not their own.
    pub host: Option<String>,
}

/// The same without mistakes.
pub(crate) struct CheckedInstances {
    discovery: Arc<Discovery>,
    service: Service,
    balance: Balance,
    pub(crate) host: Option<Arc<str>>,
}

enum Service {
    Fixed(String),
    Row(Template),
}

impl Instances {
    /// Checks everything.
    pub(crate) fn check(self, faults: &mut Faults) -> Option<CheckedInstances> {
        let template = Template::parse(&self.service, Place::Header);
        let template = faults.take("instances_of", template)?;
        let service = match template.is_fixed() {
            true => Service::Fixed(self.service),
            false => Service::Row(template),
        };
        let host = match self.host {
            Some(host) => Some(faults.take("host", check_host(&host))?),
            None => None,
        };
        Some(CheckedInstances { discovery: self.discovery, service, balance: self.balance, host })
    }
}

fn check_host(host: &str) -> Result<Arc<str>, String> {
    let authority: Result<hyper::http::uri::Authority, _> = host.parse();
    match authority {
        Ok(authority) if !authority.as_str().contains('@') => Ok(host.to_ascii_lowercase().into()),
        _ => Err("it is not a host; write it as orders.example.com, with a port if need be".into()),
    }
}

impl CheckedInstances {
    /// Follows the service from now on, if it is always the same.
    pub(crate) fn follow(&self) {
        if let Service::Fixed(service) = &self.service
            && let Err(error) = self.discovery.pin(service)
        {
            tracing::error!(%error, "a service cannot be followed");
        }
    }

    /// Chooses an instance for one attempt, which counts as under way until the choice is dropped.
    /// Waits for the first word of the discovery, at most until `until`.
    ///
    /// # Errors
    /// What is to be said of the attempt instead: that nobody can be called is the endpoint's
    /// fault, unless the row chooses the service.
    pub(crate) async fn choose(
        &self,
        values: &Values<'_>,
        until: Instant,
    ) -> Result<Choice, Verdict> {
        let directory = self.directory(values)?;
        let key = values.attempt.request.key.as_deref();
        directory.choose(self.balance, key, until).await.map_err(|error| self.nobody(&error))
    }

    fn directory(&self, values: &Values<'_>) -> Result<Arc<Directory>, Verdict> {
        let found = match &self.service {
            Service::Fixed(service) => self.discovery.pin(service),
            Service::Row(template) => {
                let service = template.fill_text(values, HEADER_BYTES_MAX);
                let wrong = |why: String| Verdict::Rejected { status: None, detail: detail(&why) };
                self.discovery.directory(&service.map_err(wrong)?)
            }
        };
        found.map_err(|error| self.nobody(&error))
    }

    fn nobody(&self, error: &NoInstance) -> Verdict {
        Verdict::Failed {
            status: None,
            detail: detail(&error.to_string()),
            retry_after_ms: None,
            blame: self.blame(),
        }
    }

    /// Where rows choose the service, what is wrong with one says nothing about the others.
    pub(crate) fn blame(&self) -> Blame {
        match self.service {
            Service::Fixed(_) => Blame::Endpoint,
            Service::Row(_) => Blame::Request,
        }
    }
}
