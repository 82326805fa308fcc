//! What the participant platform does: it writes requests, and looks what became of some.

use std::time::Duration;

use posthouse_pump::request::RequestId;
use posthouse_relay::source::look::{Answer, Query};
use posthouse_relay::source::submit::NewRequest;
use posthouse_relay::source::{AnySource, Source as _};
use tokio::time::sleep;

/// From one order to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the sample waits for what is to become of a request.
const PATIENCE: u32 = 50;

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// States of requests that the story knows by number.
const BLOCKED: u8 = 2;
const EXPIRED: u8 = 5;

/// Tells the story until the node stops.
pub(super) async fn tell(database: &AnySource, command: &str) -> anyhow::Result<()> {
    for number in 1_u32.. {
        sleep(PAUSE).await;
        order(database, number).await?;
        match number {
            1 => report(database, command).await?,
            2 => quote(database).await?,
            3 => audit(database, command).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Three steps with one business id: they arrive one after the other, though each goes elsewhere.
async fn order(database: &AnySource, number: u32) -> anyhow::Result<()> {
    let key = format!("order-{number}");
    println!("\n  participant   writes ORDER.NEW, ORDER.PAY and ORDER.DONE of {key}");
    for code in ["ORDER.NEW", "ORDER.PAY", "ORDER.DONE"] {
        database.submit(&request(code, Some(&key))).await?;
    }
    Ok(())
}

async fn report(database: &AnySource, command: &str) -> anyhow::Result<()> {
    let written = database.submit(&request("REPORT", Some("report-1"))).await?;
    println!("  participant   writes REPORT of report-1, whose window is shut; why it waits:");
    println!("                {command} relay row show {}", written.id.0);
    Ok(())
}

async fn quote(database: &AnySource) -> anyhow::Result<()> {
    let quote = NewRequest { expires_in_ms: Some(0), ..request("QUOTE", None) };
    println!("  participant   writes QUOTE, which was worth something until just now");
    let written = database.submit(&quote).await?;
    if state(database, written.id, EXPIRED).await? {
        println!("  relay         QUOTE has expired; nobody was called");
    }
    Ok(())
}

async fn audit(database: &AnySource, command: &str) -> anyhow::Result<()> {
    println!("  participant   writes AUDIT of audit-1 twice; its receiver fails");
    let written = database.submit(&request("AUDIT", Some("audit-1"))).await?;
    database.submit(&request("AUDIT", Some("audit-1"))).await?;
    if state(database, written.id, BLOCKED).await? {
        println!("  relay         AUDIT was given up after three tries and holds audit-1; decide:");
        println!("                {command} relay blocked list");
        println!("                {command} relay retry {}", written.id.0);
    }
    Ok(())
}

/// Waits until a request is in a state; answers whether it got there in time.
async fn state(database: &AnySource, id: RequestId, wanted: u8) -> anyhow::Result<bool> {
    for _ in 0..PATIENCE {
        if let Answer::Row(Some(row)) = database.look(&Query::Row(id)).await?
            && row.0.state == wanted
        {
            return Ok(true);
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(false)
}

fn request(code: &str, key: Option<&str>) -> NewRequest {
    NewRequest {
        code: code.to_owned(),
        key: key.map(str::to_owned),
        body: b"{}".to_vec(),
        content_type: Some("application/json".to_owned()),
        ..NewRequest::default()
    }
}
