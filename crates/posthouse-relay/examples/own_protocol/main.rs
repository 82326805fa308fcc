//! A relay with a protocol of its own, for platforms that already have one.
//!
//! `protocol.rs` is all that there is to write: lines of text over TCP, as somebody's old system
//! might speak them. The connection, the guard, deadlines, and what is known when a connection
//! breaks come with the crate. Here the protocol is the only one, carried by the real pump:
//!
//! `cargo run -p posthouse-relay --example own_protocol -- sqlite:a.db line://127.0.0.1:7071`

mod protocol;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use posthouse_net::{Client, ClientSettings, Reach};
use posthouse_pump::attempt::{Attempt, Verdict};
use posthouse_pump::plan::{
    Backoff, Breaker, Claim, Code, Endpoint, Group, OnExpired, OnFailure, Order, Plan,
};
use posthouse_relay::courier::{CallTarget, Carrier, Clock, MultiplexCourier};
use posthouse_relay::runner::{self, Handle, Parts, Tempo};
use posthouse_relay::source::retention::Retention;
use posthouse_relay::source::{Options, connect, schema};

use protocol::LineProtocol;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Carries everything to one endpoint.
struct LineCarrier(MultiplexCourier<LineProtocol>);

impl Carrier for LineCarrier {
    async fn carry(&self, attempt: &Attempt, clock: &dyn Clock) -> Verdict {
        self.0.carry(attempt, clock).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(database), Some(receiver)) = (arguments.next(), arguments.next()) else {
        return Err("write: own_protocol sqlite:FILE line://HOST:PORT".into());
    };
    let relay = start(&database, &receiver).await?;
    tokio::signal::ctrl_c().await?;
    relay.stop().await;
    Ok(())
}

/// Relays the code `LINE` from a table to a receiver.
async fn start(database: &str, receiver: &str) -> Result<Handle, Failure> {
    schema::init(database).await?;
    let reach = Reach::parse(&["127.0.0.1"]).map_err(|_| "the allow-list cannot be read")?;
    let client = Client::new(ClientSettings { reach, ..ClientSettings::default() })?;
    let target = CallTarget::new(client, receiver);
    let courier = MultiplexCourier::new(LineProtocol, target).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        faults.join("; ")
    })?;
    Ok(runner::start(Parts {
        name: "platform".into(),
        node: format!("own-protocol-{}", std::process::id()).into(),
        source: Arc::new(connect(database, Options::default())?),
        carrier: Arc::new(LineCarrier(courier)),
        plan: plan(),
        tempo: Tempo { round_ms: 100, lease_ms: 5_000 },
        retention: Retention::default(),
        seed: u64::from(std::process::id()),
    }))
}

fn plan() -> Plan {
    let group = Group {
        is_active: true,
        region: None,
        order: Order::Key,
        claim: Claim::Lease,
        on_failure: OnFailure::Block,
        on_expired: OnExpired::Skip,
        attempts_max: 0,
        backoff: Backoff { base_ms: 50, cap_ms: 1_000 },
        window: None,
    };
    let breaker = Breaker { failures_max: 10, pause_ms: 100, pause_cap_ms: 1_000 };
    let endpoint = Endpoint { concurrency_max: 32, rate_per_s: 0, timeout_ms: 5_000, breaker };
    let code = Code { group: "lines".into(), endpoint: "old".into(), window: None };
    Plan {
        groups: [("lines".into(), group)].into(),
        codes: [("LINE".into(), code)].into(),
        endpoints: [("old".into(), endpoint)].into(),
        ..Plan::default()
    }
}
