//! A real ZooKeeper that is killed, frozen, cut off and emptied while a service is followed.

use super::follower::Follower;
use crate::discovery::secret::{Login, Secret};
use crate::discovery::settings::Kind;
use crate::fixture::{Proxy, ZooKeeperServer};

const KEEP_MS: u64 = 600_000;

fn kind(address: std::net::SocketAddr, path: &str) -> Kind {
    Kind::ZooKeeper {
        servers: vec![address.to_string()],
        path: path.into(),
        protocol: Some("rest".into()),
        session_ms: 2_000,
        login: None,
    }
}

async fn begin() -> (ZooKeeperServer, Follower) {
    let server = ZooKeeperServer::start().unwrap();
    server.put("/services/orders/10.0.0.1:80", "").await.unwrap();
    let follower = Follower::new(kind(server.address(), "/services/{service}"), "orders", KEEP_MS);
    follower.await_told("fresh [10.0.0.1:80]").await;
    (server, follower)
}

#[tokio::test]
async fn what_changes_is_followed() {
    let (server, follower) = begin().await;
    let curator = r#"{"name":"orders","address":"10.0.0.2","port":80,"sslPort":null}"#;
    server.put("/services/orders/6f0e8d7c", curator).await.unwrap();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80]").await;
    let disabled = r#"{"name":"orders","address":"10.0.0.2","port":80,"enabled":false}"#;
    server.put("/services/orders/6f0e8d7c", disabled).await.unwrap();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80 disabled]").await;
    server.put("/services/orders/broken", "nonsense").await.unwrap();
    server.delete("/services/orders/10.0.0.1:80").await.unwrap();
    follower.await_told("unhealthy [10.0.0.2:80 disabled]").await;
}

#[tokio::test]
async fn providers_of_dubbo_are_found_by_their_names() {
    let (server, _) = begin().await;
    let follower = Follower::new(
        kind(server.address(), "/dubbo/{service}/providers"),
        "com.acme.Orders",
        KEEP_MS,
    );
    follower.await_told("lost []").await;
    for provider in [
        "rest%3A%2F%2F10.0.0.3%3A80%2Fcom.acme.Orders%3Fweight%3D200",
        "dubbo%3A%2F%2F10.0.0.3%3A20880%2Fcom.acme.Orders",
    ] {
        server.put(&format!("/dubbo/com.acme.Orders/providers/{provider}"), "").await.unwrap();
    }
    follower.await_told("fresh [10.0.0.3:80]").await;
}

#[tokio::test]
async fn the_last_instances_are_kept_while_it_is_dead_or_empty() {
    let (mut server, follower) = begin().await;
    server.kill().unwrap();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.restart().unwrap();
    follower.await_told("fresh [10.0.0.1:80]").await;
    server.put("/services/orders/10.0.0.2:80", "").await.unwrap();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80]").await;
    server.delete("/services/orders/10.0.0.1:80").await.unwrap();
    server.delete("/services/orders/10.0.0.2:80").await.unwrap();
    server.delete("/services/orders").await.unwrap();
    follower.await_told("kept [10.0.0.2:80]").await;
    server.put("/services/orders/10.0.0.3:80", "").await.unwrap();
    follower.await_told("fresh [10.0.0.3:80]").await;
}

#[tokio::test]
async fn a_server_that_is_frozen_or_cut_off_is_noticed() {
    let (server, follower) = begin().await;
    server.pause().unwrap();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.resume().unwrap();
    follower.await_told("fresh [10.0.0.1:80]").await;
    let proxy = Proxy::start(server.address()).await.unwrap();
    let follower = Follower::new(kind(proxy.address(), "/services/{service}"), "orders", KEEP_MS);
    follower.await_told("fresh [10.0.0.1:80]").await;
    proxy.cut();
    follower.await_told("kept [10.0.0.1:80]").await;
    server.put("/services/orders/10.0.0.2:80", "").await.unwrap();
    proxy.heal();
    follower.await_told("fresh [10.0.0.1:80, 10.0.0.2:80]").await;
}

#[tokio::test]
async fn it_is_logged_in_to() {
    let server = ZooKeeperServer::start().unwrap();
    server.put_for("relay:secret word", "/locked/orders/10.0.0.1:80").await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret word\n").unwrap();
    let known = Login { name: "relay".into(), password: Secret::File(file.path().into()) };
    let wrong = Login { name: "relay".into(), password: Secret::Environment("PATH".into()) };
    for (login, told) in
        [(Some(known), "fresh [10.0.0.1:80]"), (Some(wrong), "lost []"), (None, "lost []")]
    {
        let Kind::ZooKeeper { servers, path, protocol, session_ms, .. } =
            kind(server.address(), "/locked/{service}")
        else {
            unreachable!("it is one of ZooKeeper");
        };
        let kind = Kind::ZooKeeper { servers, path, protocol, session_ms, login };
        let follower = Follower::new(kind, "orders", KEEP_MS);
        follower.await_told(told).await;
        let path = std::env::var("PATH").unwrap();
        assert!(!follower.problem().contains(&path), "{}", follower.problem());
    }
}
