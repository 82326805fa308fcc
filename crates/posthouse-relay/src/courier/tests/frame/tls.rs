//! The frame protocol over TLS, where both sides show a certificate.

use std::fs;
use std::sync::Arc;

use posthouse_net::{
    Client, ClientCertificate, ClientSettings, Reach, Resolve, Resolved, Roots, TlsSettings,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use super::super::attempts::{StandingClock, attempt, content, request};
use super::peer::Listener;
use super::word;
use crate::courier::{CallTarget, FrameCourier, FrameProtocol};

/// Whatever is asked for is this machine.
struct Here;

impl Resolve for Here {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolved<'a> {
        Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) })
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Lets in only those with a certificate of this authority.
fn acceptor(issuer: &Issuer) -> TlsAcceptor {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

fn settings(issuer: &Issuer, folder: &TempDir) -> ClientSettings {
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["posthouse".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let client = ClientCertificate {
        chain_file: file("client.pem", certificate.pem()),
        key_file: file("client.key", key.serialize_pem()),
    };
    let roots = Roots::File(file("roots.pem", issuer.pem()));
    ClientSettings {
        reach: Reach::parse(&["127.0.0.1"]).unwrap(),
        tls: TlsSettings { roots, client: Some(client) },
        resolver: Arc::new(Here),
        ..ClientSettings::default()
    }
}

#[tokio::test]
async fn large_and_small_calls_go_over_tls() {
    let (issuer, folder) = (issuer(), TempDir::new().unwrap());
    let listener = Listener::with_tls(acceptor(&issuer)).await;
    let client = Client::new(settings(&issuer, &folder)).unwrap();
    let target =
        |host: &str| CallTarget::new(client.clone(), format!("frames://{host}:{}", listener.port));
    let courier = FrameCourier::new(FrameProtocol, target("a.example")).unwrap();
    let mut large = content();
    large.body = vec![b'x'; 900_000].into();
    let (small, large) = (attempt(request(content())), attempt(request(large)));
    let clock = StandingClock::default();
    let ((first, second), bodies) = tokio::join!(
        async { (courier.carry(&small, &clock).await, courier.carry(&large, &clock).await) },
        async {
            let mut peer = listener.greet().await;
            (peer.take().await.body.len(), peer.take().await.body.len())
        }
    );
    assert_eq!((word(&first).as_str(), word(&second).as_str()), ("done None", "done None"));
    assert_eq!(bodies, (11, 900_000));
}
