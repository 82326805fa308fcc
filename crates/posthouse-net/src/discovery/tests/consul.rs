//! Answers in the form that Consul's documentation gives (`GET /v1/health/service/:service`),
//! shortened to what is read, by a small server that holds questions back as Consul does.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::follower::{Follower, web};
use crate::discovery::secret::Secret;
use crate::discovery::settings::Kind;

/// What the server says: the index and the body; nothing means that it fails.
type Said = Option<(u64, String)>;

struct Consul {
    said: watch::Sender<Said>,
    asked: Arc<Mutex<Vec<String>>>,
    address: std::net::SocketAddr,
}

impl Consul {
    async fn start(first: Said) -> Consul {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (said, heard) = watch::channel(first);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let theirs = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, heard.clone(), theirs.clone()));
            }
        });
        Consul { said, asked, address }
    }

    fn follow(&self) -> Follower {
        let token = Some(Secret::Environment("PATH".into()));
        let datacenter = Some("dc1".into());
        let kind = Kind::Consul { web: web(self.address), datacenter, token };
        Follower::new(kind, "orders", 600_000)
    }
}

async fn serve(
    stream: TcpStream,
    mut heard: watch::Receiver<Said>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(first)) = lines.next_line().await {
        let mut head = first.clone();
        while let Ok(Some(line)) = lines.next_line().await {
            if line.is_empty() {
                break;
            }
            head += &format!("\n{line}");
        }
        asked.lock().unwrap().push(head);
        let index = first.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("index="));
        let index: u64 = index.unwrap().parse().unwrap();
        let is_news = |said: &Said| said.as_ref().is_none_or(|(now, _)| *now != index);
        let Ok(said) = heard.wait_for(is_news).await.map(|said| said.clone()) else { return };
        let answer = match said {
            Some((index, body)) => format!(
                "HTTP/1.1 200 OK\r\nx-consul-index: {index}\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
            None => "HTTP/1.1 500 Bad\r\ncontent-length: 9\r\n\r\nNo leader".to_owned(),
        };
        if writer.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn entry(address: &str, checks: &[(&str, &str)]) -> serde_json::Value {
    let check = |(id, status): &(&str, &str)| json!({ "CheckID": id, "Status": status });
    json!({
        "Node": { "ID": "f6d1", "Node": "n1", "Address": "10.0.0.9", "Datacenter": "dc1" },
        "Service": {
            "ID": "orders-1", "Service": "orders", "Tags": ["v1"], "Address": address,
            "Port": 8080, "Weights": { "Passing": 10, "Warning": 1 }, "EnableTagOverride": false
        },
        "Checks": checks.iter().map(check).collect::<Vec<_>>()
    })
}

#[tokio::test]
async fn health_is_followed_by_questions_that_are_held_back() {
    let passing = [("serfHealth", "passing")];
    let both = json!([entry("10.0.0.1", &passing), entry("", &passing)]).to_string();
    let consul = Consul::start(Some((7, both))).await;
    let follower = consul.follow();
    follower.await_told("fresh [10.0.0.1:8080, 10.0.0.9:8080]").await;
    let sick = [("serfHealth", "passing"), ("service:orders-1", "critical")];
    let list = json!([entry("10.0.0.1", &sick), entry("10.0.0.2", &[("a", "warning")])]);
    consul.said.send_replace(Some((8, list.to_string())));
    follower.await_told("fresh [10.0.0.1:8080 down, 10.0.0.2:8080]").await;
    let resting = [("_service_maintenance:orders-1", "critical")];
    consul.said.send_replace(Some((9, json!([entry("10.0.0.2", &resting)]).to_string())));
    follower.await_told("unhealthy [10.0.0.2:8080 disabled]").await;
    consul.said.send_replace(None);
    follower.await_told("kept [10.0.0.2:8080 disabled]").await;
    assert!(follower.problem().contains("500: No leader"), "{}", follower.problem());
    // An index that goes back, as after a restore.
    consul.said.send_replace(Some((3, json!([entry("10.0.0.3", &passing)]).to_string())));
    follower.await_told("fresh [10.0.0.3:8080]").await;
    consul.said.send_replace(Some((4, "[]".into())));
    follower.await_told("kept [10.0.0.3:8080]").await;
    let asked = consul.asked.lock().unwrap().clone();
    let first = asked[0].to_ascii_lowercase();
    assert!(
        first.starts_with("get /v1/health/service/orders?index=0&wait=500ms&dc=dc1 "),
        "{first}"
    );
    assert!(first.contains("x-consul-token: "), "{first}");
    assert!(asked.iter().any(|head| head.contains("index=7")), "{asked:?}");
}
