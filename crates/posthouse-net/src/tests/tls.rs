//! TLS with an authority of the test's own.

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::exchange::post;
use super::resolver::Names;
use super::server::{origin, settings};
use crate::{
    Client, ClientCertificate, ClientSettings, HttpVersion, Origin, Roots, Scheme, TlsSettings,
};

/// Issues certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer, folder: TempDir::new().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        let file = self.folder.path().join("roots.pem");
        fs::write(&file, self.issuer.pem()).unwrap();
        file
    }

    fn issue(&self, name: &str) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// The files of a certificate for a client.
    pub(crate) fn client(&self) -> ClientCertificate {
        let (certificate, key) = self.issue("posthouse");
        let chain_file = self.folder.path().join("client.pem");
        let key_file = self.folder.path().join("client.key");
        fs::write(&chain_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        ClientCertificate { chain_file, key_file }
    }

    fn acceptor(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        self.acceptor_with(name, protocols, Arc::new(NoClientAuth))
    }

    /// Lets in only those with a certificate of this authority.
    pub(crate) fn strict_acceptor(&self, name: &str) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        self.acceptor_with(name, &[], verifier.build().unwrap())
    }

    fn acceptor_with(
        &self,
        name: &str,
        protocols: &[&str],
        verifier: Arc<dyn ClientCertVerifier>,
    ) -> TlsAcceptor {
        let (certificate, key) = self.issue(name);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server for whichever HTTP was chosen in the handshake.
async fn start(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            if is_http2 {
                let server = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(stream, service_fn(say_version)));
            } else {
                let server = http1::Builder::new();
                tokio::spawn(server.serve_connection(stream, service_fn(say_version)));
            }
        }
    });
    port
}

/// Answers 211 to HTTP/1.1 and 220 to HTTP/2.
async fn say_version(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let status = if request.version() == Version::HTTP_2 { 220 } else { 211 };
    let response = Response::builder().status(status).body(String::new());
    Ok(response.unwrap())
}

/// Calls `https://api.internal` with only the roots given.
async fn check(roots: Roots, acceptor: TlsAcceptor, expected: Result<u16, &str>) {
    check_with(TlsSettings { roots, client: None }, acceptor, expected).await;
}

async fn check_with(tls: TlsSettings, acceptor: TlsAcceptor, expected: Result<u16, &str>) {
    let port = start(acceptor).await;
    let resolver = Arc::new(Names::one("api.internal", "127.0.0.1"));
    let client = Client::new(ClientSettings { resolver, tls, ..settings() }).unwrap();
    let origin = Origin {
        is_tls: true,
        host: "api.internal".into(),
        version: HttpVersion::Auto,
        ..origin(port)
    };
    match (post(&client, &origin).await, expected) {
        (Ok(answer), Ok(status)) => assert_eq!(answer.status, status),
        (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
        (answer, _) => panic!("{answer:?} instead of {expected:?}"),
    }
}

#[tokio::test]
async fn only_certificates_of_trusted_authorities_for_the_right_name_will_do() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let trusted = || Roots::File(ours.file());
    check(trusted(), ours.acceptor("api.internal", &["http/1.1"]), Ok(211)).await;
    check(trusted(), ours.acceptor("api.internal", &[]), Ok(211)).await;
    check(trusted(), ours.acceptor("other.internal", &[]), Err("no TLS with")).await;
    check(trusted(), theirs.acceptor("api.internal", &[]), Err("no TLS with")).await;
}

#[tokio::test]
async fn the_server_chooses_http2_in_the_handshake() {
    let ours = Authority::new();
    for protocols in [&["h2"][..], &["http/1.1", "h2"], &["h2", "http/1.1"]] {
        let acceptor = ours.acceptor("api.internal", protocols);
        let expected = if protocols[0] == "h2" { 220 } else { 211 };
        check(Roots::File(ours.file()), acceptor, Ok(expected)).await;
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_is_shown() {
    let ours = Authority::new();
    let tls = |client| TlsSettings { roots: Roots::File(ours.file()), client };
    let strict = || ours.strict_acceptor("api.internal");
    check_with(tls(Some(ours.client())), strict(), Ok(211)).await;
    check_with(tls(None), strict(), Err("the connection")).await;
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "no certificate here").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let tls = TlsSettings { roots: Roots::File(file.clone()), client: None };
        let failed = Client::new(ClientSettings { tls, ..settings() });
        let error = failed.err().unwrap().to_string();
        assert!(error.contains(file.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_key_in_the_place_of_its_file_is_not_repeated() {
    let key = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n";
    let roots = Roots::File(key.into());
    let settings = TlsSettings { roots, client: None };
    let settings = ClientSettings { tls: settings, ..ClientSettings::default() };
    let told = Client::new(settings).err().unwrap().to_string();
    assert!(told.contains("write it into a file") && !told.contains("secret"), "{told}");
}

/// Echoes the bytes of one connection after the handshake.
async fn start_echo(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            assert_eq!(stream.get_ref().1.alpn_protocol(), None);
            let (mut reader, mut writer) = tokio::io::split(stream);
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut writer).await });
        }
    });
    port
}

/// What an echo sends back over a bare stream.
async fn echo(client: &Client, origin: &Origin) -> Result<String, String> {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let mut stream = client.dial(origin, until).await.map_err(|error| error.to_string())?;
    stream.write_all(b"hello").await.map_err(|error| error.to_string())?;
    stream.flush().await.map_err(|error| error.to_string())?;
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&back).into_owned())
}

#[tokio::test]
async fn bare_streams_go_through_guard_and_tls() {
    let authority = Authority::new();
    let port = start_echo(authority.strict_acceptor("a.example")).await;
    let client = |name: &str, certificate: Option<ClientCertificate>| {
        let tls = TlsSettings { roots: Roots::File(authority.file()), client: certificate };
        let resolver = Arc::new(Names::one(name, "127.0.0.1"));
        Client::new(ClientSettings { tls, resolver, ..settings() }).unwrap()
    };
    let scheme = Scheme { plain: "line", tls: "lines", ports: None, complaint: "" };
    let at = |host: &str| Origin { scheme, is_tls: true, host: host.into(), ..origin(port) };
    let known = client("a.example", Some(authority.client()));
    assert_eq!(echo(&known, &at("a.example")).await, Ok("hello".into()));
    let other = client("b.example", Some(authority.client()));
    let other = echo(&other, &at("b.example")).await.unwrap_err();
    assert!(other.starts_with(&format!("no TLS with lines://b.example:{port}")), "{other}");
    let nobody = client("a.example", None);
    assert!(echo(&nobody, &at("a.example")).await.is_err(), "it has no certificate");
    let elsewhere = echo(&known, &at("10.0.0.1")).await.unwrap_err();
    assert!(elsewhere.contains("allow-list"), "{elsewhere}");
}
