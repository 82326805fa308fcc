//! How an endpoint is reached, and the courier that is made from it.
//!
//! A route is compared with the one before when the configuration is read again, so that couriers
//! keep their connections as long as nothing about them has changed.

use std::path::PathBuf;
use std::sync::Arc;

use posthouse_net::{
    Client, ClientCertificate, ClientSettings, HttpVersion, Reach, Roots, TlsSettings,
};
use posthouse_relay::courier::{
    AnyCourier, BodyRule, DestinationCourier, DestinationTarget, Fault, HttpCourier, HttpTarget,
    Publication, PublishError, Published, Publisher, SecretSource,
};

/// Marks a signing key that stands in an environment variable.
const ENVIRONMENT: &str = "env:";

/// How an endpoint is reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Route {
    /// By HTTP.
    Http(Box<Http>),
    /// Into a destination of this node.
    Destination(Destination),
}

/// How a service is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Http {
    pub(super) url: String,
    pub(super) allow: Vec<String>,
    pub(super) method: Option<String>,
    pub(super) service: Option<String>,
    pub(super) service_method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<String>,
    pub(super) success: Option<String>,
    pub(super) success_text: Option<String>,
    pub(super) success_field: Option<(String, serde_json::Value)>,
    pub(super) never: Option<String>,
    pub(super) signing_keys: Vec<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) version: HttpVersion,
    pub(super) timeout_ms: u64,
}

/// How something is published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Destination {
    pub(super) destination: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) service: Option<String>,
    pub(super) service_method: Option<String>,
    pub(super) timeout_ms: u64,
}

impl Route {
    /// The courier that goes there.
    ///
    /// # Errors
    /// Every mistake in the route, and files that cannot be read.
    pub(crate) fn courier(&self, publisher: Arc<dyn Publisher>) -> Result<AnyCourier, Vec<Fault>> {
        match self {
            Route::Http(http) => {
                HttpCourier::new(http.target()?).map(|courier| AnyCourier::Http(Box::new(courier)))
            }
            Route::Destination(destination) => {
                DestinationCourier::new(destination.target(publisher)).map(AnyCourier::Destination)
            }
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.courier(Arc::new(Nobody)).err().unwrap_or_default()
    }
}

impl Http {
    fn target(&self) -> Result<HttpTarget, Vec<Fault>> {
        let usual = HttpTarget::new(self.client()?, &self.url);
        Ok(HttpTarget {
            http_version: self.version,
            method: self.method.clone().unwrap_or(usual.method),
            headers: self.headers.clone(),
            content_type: self.content_type.clone(),
            body: self.body.clone(),
            service: self.service.clone(),
            service_method: self.service_method.clone(),
            success: self.success.clone().unwrap_or(usual.success),
            success_body: self.success_body()?,
            never: self.never.clone().unwrap_or(usual.never),
            signing_keys: self.signing_keys.iter().map(|key| secret(key)).collect(),
            timeout_ms: self.timeout_ms,
            client: usual.client,
            url: usual.url,
        })
    }

    fn client(&self) -> Result<Client, Vec<Fault>> {
        let tls = TlsSettings { roots: self.roots(), client: self.certificate()? };
        let settings = ClientSettings { reach: self.reach()?, tls, ..ClientSettings::default() };
        Client::new(settings).map_err(|error| vec![fault("tls", error.to_string())])
    }

    fn roots(&self) -> Roots {
        self.ca_file.clone().map_or(Roots::System, Roots::File)
    }

    fn certificate(&self) -> Result<Option<ClientCertificate>, Vec<Fault>> {
        match (&self.certificate_file, &self.key_file) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => {
                Ok(Some(ClientCertificate { chain_file: chain.clone(), key_file: key.clone() }))
            }
            _ => {
                let problem =
                    "a client certificate needs both client_certificate_file and client_key_file";
                Err(vec![fault("tls", problem.to_owned())])
            }
        }
    }

    /// What is allowed, and the host of the URL itself.
    fn reach(&self) -> Result<Reach, Vec<Fault>> {
        let mut rules = self.allow.clone();
        rules.extend(own_host(&self.url));
        Reach::parse(&rules).map_err(|faults| {
            let fault = |one: posthouse_net::ReachFault| {
                fault("allow", format!("\"{}\": {}", one.rule, one.problem))
            };
            faults.into_iter().map(fault).collect()
        })
    }

    fn success_body(&self) -> Result<Option<BodyRule>, Vec<Fault>> {
        match (&self.success_text, &self.success_field) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(BodyRule::Contains(text.clone()))),
            (None, Some((pointer, equals))) => {
                Ok(Some(BodyRule::Pointer { pointer: pointer.clone(), equals: equals.clone() }))
            }
            _ => {
                let problem = "success_text and success_field exclude each other";
                Err(vec![fault("success_body", problem.to_owned())])
            }
        }
    }
}

impl Destination {
    fn target(&self, publisher: Arc<dyn Publisher>) -> DestinationTarget {
        DestinationTarget {
            headers: self.headers.clone(),
            service: self.service.clone(),
            service_method: self.service_method.clone(),
            timeout_ms: self.timeout_ms,
            ..DestinationTarget::new(publisher, &self.destination)
        }
    }
}

/// The rule that lets the URL's own host out. An address that is written out is meant, whatever
/// network it lies in; a name may be called wherever it leads in public, and beyond that only
/// where `allow` names the network.
fn own_host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // A user name and a password are refused with the address itself, and must not become a rule.
    let authority = Some(authority).filter(|text| !text.contains('@'))?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    (!host.is_empty() && !host.contains('{')).then(|| match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => format!("{host}/32"),
        Ok(std::net::IpAddr::V6(_)) => format!("{host}/128"),
        Err(_) => host.to_owned(),
    })
}

fn secret(text: &str) -> SecretSource {
    match text.strip_prefix(ENVIRONMENT) {
        Some(name) => SecretSource::Environment(name.to_owned()),
        None => SecretSource::File(text.into()),
    }
}

fn fault(field: &str, problem: String) -> Fault {
    Fault { field: field.to_owned(), problem }
}

/// Publishes nothing: while a configuration is only checked, there is no broker.
struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: Publication) -> Published<'_> {
        let detail = "there is no broker".to_owned();
        Box::pin(async { Err(PublishError::Unreachable { detail }) })
    }
}
