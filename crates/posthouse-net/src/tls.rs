//! TLS for outgoing calls: whom to trust and what to show, set up in one place.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::origin::HttpVersion;

/// Whom to trust, and what to show when asked for a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// Which authorities are trusted.
    pub roots: Roots,
    /// What is shown to servers that ask for a certificate.
    pub client: Option<ClientCertificate>,
}

/// Which authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those that the system trusts.
    #[default]
    System,
    /// Only those in a PEM file.
    File(PathBuf),
}

/// A certificate of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// A PEM file with the certificate and those between it and its root.
    pub chain_file: PathBuf,
    /// A PEM file with its private key.
    pub key_file: PathBuf,
}

/// Why TLS could not be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The file, if one is to blame.
    pub file: Option<PathBuf>,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// One connector for each way to offer versions, over the same cache of TLS tickets.
#[derive(Clone)]
pub(crate) struct Connectors {
    nothing: TlsConnector,
    auto: TlsConnector,
    http1: TlsConnector,
    http2: TlsConnector,
    has_roots: bool,
}

impl Connectors {
    /// Reads the files.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Connectors, TlsError> {
        let roots = load_roots(&settings.roots)?;
        let has_roots = !roots.is_empty();
        let config = build(roots, settings.client.as_ref())?;
        let offer = |protocols: &[&str]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
            TlsConnector::from(Arc::new(config))
        };
        Ok(Connectors {
            nothing: offer(&[]),
            auto: offer(&["h2", "http/1.1"]),
            http1: offer(&["http/1.1"]),
            http2: offer(&["h2"]),
            has_roots,
        })
    }

    /// The one that offers `version`; an answer for people when nobody is trusted.
    pub(crate) fn offering(&self, version: HttpVersion) -> Result<&TlsConnector, &'static str> {
        self.trusting(match version {
            HttpVersion::Auto => &self.auto,
            HttpVersion::Http1 => &self.http1,
            HttpVersion::Http2 => &self.http2,
        })
    }

    /// The one that offers no protocol by name, or the same answer.
    pub(crate) fn offering_nothing(&self) -> Result<&TlsConnector, &'static str> {
        self.trusting(&self.nothing)
    }

    fn trusting<'a>(&self, connector: &'a TlsConnector) -> Result<&'a TlsConnector, &'static str> {
        match self.has_roots {
            true => Ok(connector),
            false => Err("this system has no trusted root certificates; install them (often the \
                          package ca-certificates) or name a PEM file"),
        }
    }
}

/// A system without any is not an error here: calls without TLS work on it.
fn load_roots(roots: &Roots) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
        }
        Roots::File(file) => {
            for certificate in load_certificates(file)? {
                store.add(certificate).map_err(|error| in_file(file, error))?;
            }
        }
    }
    Ok(store)
}

fn load_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(file).map_err(|error| in_file(file, error))?;
    let certificates: Result<Vec<_>, _> = found.collect();
    let certificates = certificates.map_err(|error| in_file(file, error))?;
    if certificates.is_empty() {
        return Err(in_file(file, "it holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn build(roots: RootCertStore, own: Option<&ClientCertificate>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError { file: None, problem: error.to_string() })?
        .with_root_certificates(roots);
    let Some(own) = own else { return Ok(builder.with_no_client_auth()) };
    let chain = load_certificates(&own.chain_file)?;
    let key = PrivateKeyDer::from_pem_file(&own.key_file)
        .map_err(|error| in_file(&own.key_file, error))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| in_file(&own.chain_file, error))
}

fn in_file(file: &Path, problem: impl fmt::Display) -> TlsError {
    if file.to_string_lossy().contains("-----") {
        let problem = "what should be the name of a file is a key or a certificate itself; write \
                       it into a file, and the name of that here";
        return TlsError { file: None, problem: problem.into() };
    }
    TlsError { file: Some(file.into()), problem: problem.to_string() }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{} cannot be used: {}", file.display(), self.problem),
            None => write!(f, "TLS cannot be set up: {}", self.problem),
        }
    }
}

impl std::error::Error for TlsError {}
