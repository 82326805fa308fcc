//! A real etcd that is killed, frozen, cut off, emptied and compacted while a service is followed.

use tokio::net::{TcpListener, TcpStream};

use super::follower::{Follower, web};
use crate::discovery::secret::{Login, Secret};
use crate::discovery::settings::{Kind, Web};
use crate::fixture::{EtcdServer, Proxy};
use crate::tests::tls::Authority;
use crate::tls::{Roots, TlsSettings};

const KEEP_MS: u64 = 600_000;

fn kind(address: std::net::SocketAddr, login: Option<Login>) -> Kind {
    Kind::Etcd { web: web(address), prefix: "/services/{service}/".into(), login }
}

async fn begin() -> (EtcdServer, Follower) {
    let server = EtcdServer::start().unwrap();
    server.put("/services/orders/a", "10.0.0.1:80").unwrap();
    let follower = Follower::new(kind(server.address(), None), "orders", KEEP_MS);
    follower.await_told("fresh [10.0.0.1:80]").await;
    (server, follower)
}

#[tokio::test]
async fn what_changes_is_followed() {
    let (server, follower) = begin().await;
    server.put("/services/orders/b", r#"{"Addr":"10.0.0.2:80"}"#).unwrap();
    server.put("/services/orders/10.0.0.3:80", "").unwrap();
    server.put("/services/orders2/c", "10.0.0.4:80").unwrap();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80]").await;
    server.put("/services/orders/b", r#"{"host":"10.0.0.2","port":80,"enabled":false}"#).unwrap();
    server.delete("/services/orders/10.0.0.3:80").unwrap();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80 disabled]").await;
    server.put("/services/orders/a", "nonsense").unwrap();
    follower.await_told("unhealthy [10.0.0.2:80 disabled]").await;
    server.compact().unwrap();
    server.put("/services/orders/a", "10.0.0.5:80").unwrap();
    follower.await_told("fresh [10.0.0.2:80 disabled, 10.0.0.5:80]").await;
}

#[tokio::test]
async fn the_last_instances_are_kept_while_it_is_dead_or_empty() {
    let (mut server, follower) = begin().await;
    server.kill().unwrap();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.restart().unwrap();
    follower.await_told("fresh [10.0.0.1:80]").await;
    server.delete("/services/orders/a").unwrap();
    follower.await_told("kept [10.0.0.1:80]").await;
    assert!(follower.problem().contains("knows no instance"), "{}", follower.problem());
    server.put("/services/orders/b", "10.0.0.2:80").unwrap();
    follower.await_told("fresh [10.0.0.2:80]").await;
}

#[tokio::test]
async fn a_server_that_is_frozen_or_cut_off_is_noticed() {
    let (server, follower) = begin().await;
    server.pause().unwrap();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.resume().unwrap();
    follower.await_told("fresh [10.0.0.1:80]").await;
    let proxy = Proxy::start(server.address()).await.unwrap();
    let follower = Follower::new(kind(proxy.address(), None), "orders", KEEP_MS);
    follower.await_told("fresh [10.0.0.1:80]").await;
    proxy.cut();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.put("/services/orders/a", "10.0.0.9:80").unwrap();
    proxy.heal();
    follower.await_told("fresh [10.0.0.9:80]").await;
}

#[tokio::test]
async fn a_list_that_is_kept_for_too_long_is_dropped() {
    let (mut server, _) = begin().await;
    let follower = Follower::new(kind(server.address(), None), "orders", 1_000);
    follower.await_told("fresh [10.0.0.1:80]").await;
    server.kill().unwrap();
    follower.await_told("lost []").await;
    server.restart().unwrap();
    follower.await_told("fresh [10.0.0.1:80]").await;
}

#[tokio::test]
async fn it_is_logged_in_to() {
    let (server, stranger) = begin().await;
    server.require_password("secret word").unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret word\n").unwrap();
    let login = Login { name: "root".into(), password: Secret::File(file.path().into()) };
    let follower = Follower::new(kind(server.address(), Some(login)), "orders", KEEP_MS);
    follower.await_told("fresh [10.0.0.1:80]").await;
    stranger.await_told("kept [10.0.0.1:80]").await;
    let wrong = Login { name: "root".into(), password: Secret::Environment("PATH".into()) };
    let follower = Follower::new(kind(server.address(), Some(wrong)), "orders", KEEP_MS);
    follower.await_told("lost []").await;
    let path = std::env::var("PATH").unwrap();
    assert!(!follower.problem().contains(&path), "{}", follower.problem());
}

/// Everybody shows a certificate of the authority, or is not let in.
#[tokio::test]
async fn it_is_reached_over_tls() {
    let (server, _) = begin().await;
    let authority = Authority::new();
    let acceptor = authority.strict_acceptor("127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (inner, outer) = (server.address(), listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut plain = TcpStream::connect(inner).await.unwrap();
                _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
            });
        }
    });
    let (roots, client) = (Roots::File(authority.file()), Some(authority.client()));
    let known = TlsSettings { roots: roots.clone(), client };
    let nameless = TlsSettings { roots, client: None };
    for (tls, told) in
        [(known, "fresh [10.0.0.1:80]"), (nameless, "lost []"), (TlsSettings::default(), "lost []")]
    {
        let servers = vec![format!("https://{outer}")];
        let web = Web { servers, tls, refresh_ms: 500 };
        let kind = Kind::Etcd { web, prefix: "/services/{service}/".into(), login: None };
        Follower::new(kind, "orders", KEEP_MS).await_told(told).await;
    }
}
