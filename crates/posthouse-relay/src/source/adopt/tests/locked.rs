//! What others have locked or not committed yet, where there can be several at a time.

use posthouse_pump::outcome::State;

use super::stage::{Stage, marking, reading, row};
use crate::source::conformance::Bench;

pub(super) async fn run(stage: &Stage) {
    Box::pin(locked_rows_wait_with_their_business_id(stage)).await;
    Box::pin(locked_rows_are_told_later(stage)).await;
    Box::pin(late_commits_are_fed(stage)).await;
}

async fn locked_rows_wait_with_their_business_id(stage: &Stage) {
    stage.renew().await;
    for customer in ["a", "b", "b", "a"] {
        stage.write(customer).await;
    }
    let node = stage.node(&marking(stage.dialect)).await;
    let owner = stage.transaction("SELECT id FROM outbox WHERE id = 2 FOR UPDATE").await;
    assert_eq!(node.names().await, ["outbox-1", "outbox-4"]);
    owner.undo().await.unwrap();
    assert_eq!(node.names().await, ["outbox-1", "outbox-4", "outbox-2", "outbox-3"]);
}

async fn locked_rows_are_told_later(stage: &Stage) {
    stage.renew().await;
    stage.write("a").await;
    stage.write("b").await;
    let node = stage.node(&marking(stage.dialect)).await;
    let found = node.read(0).await;
    let owner = stage.transaction("SELECT id FROM outbox WHERE id = 1 FOR UPDATE").await;
    node.settle(&found.rows, State::Done).await;
    assert_eq!(stage.statuses().await, "PS");
    owner.undo().await.unwrap();
    node.until("it is told", async || stage.statuses().await == "SS").await;
}

async fn late_commits_are_fed(stage: &Stage) {
    for adoption in [marking(stage.dialect), reading(stage.dialect)] {
        stage.renew().await;
        let node = stage.node(&adoption).await;
        let late = stage.transaction(&row("a")).await;
        let later = stage.transaction(&row("a")).await;
        stage.write("b").await;
        assert_eq!(node.names().await, ["outbox-3"]);
        late.commit().await.unwrap();
        assert_eq!(node.names().await, ["outbox-3", "outbox-1"]);
        later.undo().await.unwrap();
        stage.write("c").await;
        assert_eq!(node.names().await, ["outbox-3", "outbox-1", "outbox-4"]);
        stage.bench.sql("DELETE FROM outbox").await;
    }
}
