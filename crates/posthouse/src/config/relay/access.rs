//! Where an endpoint outside of this node is, and what it takes to be let out and in: the guard,
//! TLS and signing keys, the same for every protocol.

use std::path::PathBuf;

use posthouse_net::{Client, ClientCertificate, ClientSettings, Reach, Roots, TlsSettings};
use posthouse_relay::courier::{Fault, SecretSource};

use super::endpoints::filled;
use crate::config::table::TableReader;

/// Marks a signing key that stands in an environment variable.
const ENVIRONMENT: &str = "env:";

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Access {
    pub(super) url: String,
    allow: Vec<String>,
    signing_keys: Vec<String>,
    ca_file: Option<PathBuf>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

impl Access {
    /// Reads it, but for the address.
    pub(super) fn read(reader: &mut TableReader<'_>, url: String) -> Access {
        Access {
            url,
            allow: reader.texts("allow"),
            signing_keys: reader.texts("signing_keys"),
            ca_file: filled(reader, "ca_file").map(Into::into),
            certificate_file: filled(reader, "client_certificate_file").map(Into::into),
            key_file: filled(reader, "client_key_file").map(Into::into),
        }
    }

    /// Where the keys stand that sign.
    pub(super) fn signing_keys(&self) -> Vec<SecretSource> {
        self.signing_keys.iter().map(|key| secret(key)).collect()
    }

    /// Makes connections there.
    ///
    /// # Errors
    /// What is wrong with the allow-list or a file.
    pub(super) fn client(&self) -> Result<Client, Vec<Fault>> {
        let certificate = certificate(self.certificate_file.as_ref(), self.key_file.as_ref());
        let client = certificate.map_err(|problem| vec![fault("tls", problem)])?;
        let tls = TlsSettings { roots: roots(self.ca_file.clone()), client };
        let settings = ClientSettings { reach: self.reach()?, tls, ..ClientSettings::default() };
        Client::new(settings).map_err(|error| vec![fault("tls", error.to_string())])
    }

    /// Whether nothing but the address itself says where calls may go.
    pub(super) fn names_no_network(&self) -> bool {
        self.allow.is_empty()
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
}

/// The authorities of a file, or the system's.
pub(super) fn roots(ca_file: Option<PathBuf>) -> Roots {
    ca_file.map_or(Roots::System, Roots::File)
}

/// The certificate of our own, if there is one.
///
/// # Errors
/// If one of its files is missing.
pub(super) fn certificate(
    chain_file: Option<&PathBuf>,
    key_file: Option<&PathBuf>,
) -> Result<Option<ClientCertificate>, String> {
    match (chain_file, key_file) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => {
            Ok(Some(ClientCertificate { chain_file: chain.clone(), key_file: key.clone() }))
        }
        _ => {
            let problem =
                "a client certificate needs both client_certificate_file and client_key_file";
            Err(problem.to_owned())
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

/// A mistake at a field of a courier.
pub(super) fn fault(field: &str, problem: String) -> Fault {
    Fault { field: field.to_owned(), problem }
}
