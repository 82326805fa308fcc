//! A name service of the test's own, whose records change.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::follower::Follower;
use crate::discovery::settings::Kind;

/// Records by name and type; without any the answer is that there is no such name.
type Zone = Arc<Mutex<Option<BTreeMap<String, Vec<RData>>>>>;

async fn serve(zone: Zone) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((read, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..read]).unwrap();
            let answer = answer(&question, &zone).to_vec().unwrap();
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

fn answer(question: &Message, zone: &Zone) -> Message {
    let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
    let query = question.queries[0].clone();
    answer.add_query(query.clone());
    let zone = zone.lock().unwrap();
    let Some(zone) = zone.as_ref() else {
        answer.metadata.response_code = ResponseCode::ServFail;
        return answer;
    };
    let Some(all) = zone.get(&query.name().to_utf8()) else {
        answer.metadata.response_code = ResponseCode::NXDomain;
        return answer;
    };
    for data in all.iter().filter(|data| data.record_type() == query.query_type()) {
        answer.add_answer(Record::from_rdata(query.name().clone(), 0, data.clone()));
    }
    answer
}

fn addresses(texts: &[&str]) -> Vec<RData> {
    let data = |text: &&str| match text.parse().unwrap() {
        std::net::IpAddr::V4(address) => RData::A(A(address)),
        std::net::IpAddr::V6(address) => RData::AAAA(AAAA(address)),
    };
    texts.iter().map(data).collect()
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 5, port, Name::from_utf8(target).unwrap()))
}

#[tokio::test]
async fn addresses_are_followed() {
    let zone: Zone = Arc::new(Mutex::new(Some(BTreeMap::new())));
    let server = serve(zone.clone()).await;
    let set = |texts: &[&str]| {
        let names = BTreeMap::from([("orders.internal.".to_owned(), addresses(texts))]);
        *zone.lock().unwrap() = Some(names);
    };
    set(&["10.0.0.1", "fd00::1"]);
    let kind = Kind::Dns { servers: vec![server] };
    let follower = Follower::new(kind, "orders.internal:8080", 600_000);
    follower.await_told("fresh [10.0.0.1:8080, [fd00::1]:8080]").await;
    set(&["10.0.0.2"]);
    follower.await_told("fresh [10.0.0.2:8080]").await;
    *zone.lock().unwrap() = None;
    follower.await_told("kept [10.0.0.2:8080]").await;
    set(&["10.0.0.3"]);
    follower.await_told("fresh [10.0.0.3:8080]").await;
    *zone.lock().unwrap() = Some(BTreeMap::new());
    follower.await_told("kept [10.0.0.3:8080]").await;
    assert!(follower.problem().contains("knows no instance"), "{}", follower.problem());
}

#[tokio::test]
async fn records_of_services_bring_ports_ranks_and_weights() {
    let names = BTreeMap::from([
        (
            "_http._tcp.orders.internal.".to_owned(),
            vec![srv(1, 8080, "a.internal."), srv(2, 8081, "b.internal.")],
        ),
        ("a.internal.".to_owned(), addresses(&["10.0.0.1"])),
        ("b.internal.".to_owned(), addresses(&["10.0.0.2", "10.0.0.3"])),
    ]);
    let server = serve(Arc::new(Mutex::new(Some(names)))).await;
    let kind = Kind::Dns { servers: vec![server] };
    let follower = Follower::new(kind, "_http._tcp.orders.internal", 600_000);
    follower.await_told("fresh [10.0.0.1:8080, 10.0.0.2:8081, 10.0.0.3:8081]").await;
    let view = follower.directory.view(true);
    let of = |one: &crate::discovery::InstanceView| {
        let instance = &one.instance;
        (instance.name.as_deref().unwrap().to_owned(), instance.rank, instance.weight)
    };
    let told: Vec<_> = view.instances.iter().map(of).collect();
    let [a, b] = [("a.internal".to_owned(), 1, 5), ("b.internal".to_owned(), 2, 5)];
    assert_eq!(told, [a, b.clone(), b]);
    assert_eq!(RecordType::SRV.to_string(), "SRV");
}
