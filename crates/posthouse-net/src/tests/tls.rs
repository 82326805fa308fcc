//! TLS with an authority of the test's own.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::exchange::post;
use super::resolver::Names;
use super::server::{origin, settings};
use crate::{Client, ClientSettings, HttpVersion, Origin, Roots, TlsSettings};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Authority { issuer, folder: TempDir::new().unwrap() }
    }

    fn file(&self) -> PathBuf {
        let file = self.folder.path().join("roots.pem");
        fs::write(&file, self.issuer.pem()).unwrap();
        file
    }

    fn acceptor(&self, name: &str, protocols: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A server that shakes hands, reads something, answers in HTTP/1.1, and closes.
async fn start(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

/// Calls `https://api.internal` with only the roots given.
async fn check(roots: Roots, acceptor: TlsAcceptor, expected: Result<u16, &str>) {
    let port = start(acceptor).await;
    let resolver = Arc::new(Names::one("api.internal", "127.0.0.1"));
    let tls = TlsSettings { roots, client: None };
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
    check(trusted(), ours.acceptor("api.internal", &["http/1.1"]), Ok(200)).await;
    check(trusted(), ours.acceptor("api.internal", &[]), Ok(200)).await;
    check(trusted(), ours.acceptor("other.internal", &[]), Err("no TLS with")).await;
    check(trusted(), theirs.acceptor("api.internal", &[]), Err("no TLS with")).await;
}

#[tokio::test]
async fn the_server_chooses_http2_in_the_handshake() {
    let ours = Authority::new();
    let acceptor = ours.acceptor("api.internal", &["h2"]);
    check(Roots::File(ours.file()), acceptor, Err("the connection")).await;
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
