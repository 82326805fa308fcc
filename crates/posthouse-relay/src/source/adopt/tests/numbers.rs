//! Rows whose writers number the requests of a business id, and commit in any order.

use posthouse_pump::outcome::State;

use super::stage::{Node, Stage, marking, reading, with};
use crate::source::CommitOrder;
use crate::source::adopt::{Adoption, Mapped};
use crate::source::base::Dialect;
use crate::source::conformance::Bench;

pub(super) async fn run(stage: &Stage) {
    Box::pin(numbers_go_before_ids(stage)).await;
    Box::pin(a_row_is_sent_again_in_its_turn(stage)).await;
    if stage.dialect != Dialect::Sqlite {
        Box::pin(a_late_commit_is_waited_for(stage)).await;
    }
}

fn numbered(adoption: &Adoption) -> Adoption {
    with(adoption, "key_seq", Mapped::Column("seq".into()))
}

fn row(customer: &str, number: u32) -> String {
    format!(
        "INSERT INTO outbox (kind, customer, payload, seq) \
         VALUES ('order', '{customer}', '{{}}', {number})"
    )
}

async fn node(stage: &Stage, adoption: &Adoption) -> Node {
    stage.node_in(&numbered(adoption), CommitOrder::KeySeq).await
}

async fn numbers_go_before_ids(stage: &Stage) {
    for adoption in [marking(stage.dialect), reading(stage.dialect)] {
        stage.renew().await;
        for text in [row("k", 3), row("k", 1), row("l", 1)] {
            stage.bench.sql(&text).await;
        }
        let node = node(stage, &adoption).await;
        assert_eq!(node.names().await, ["outbox-2", "outbox-3"]);
        node.settle_all(State::Done).await;
        assert!(node.names().await.is_empty(), "the number 2 is not there yet");
        stage.bench.sql(&row("k", 2)).await;
        assert_eq!(node.names().await, ["outbox-4"]);
        node.settle_all(State::Done).await;
        assert_eq!(node.names().await, ["outbox-1"]);
        node.settle_all(State::Done).await;
        let expected = if adoption.states.is_some() { "SSSS" } else { "NNNN" };
        assert_eq!(stage.statuses().await, expected);
    }
}

async fn a_row_is_sent_again_in_its_turn(stage: &Stage) {
    stage.renew().await;
    for number in [1, 2, 3] {
        stage.bench.sql(&row("k", number)).await;
    }
    let node = node(stage, &marking(stage.dialect)).await;
    for name in ["outbox-1", "outbox-2"] {
        assert_eq!(node.names().await, [name]);
        node.settle_all(State::Done).await;
    }
    stage.bench.sql("UPDATE outbox SET status = 'N' WHERE id = 1").await;
    assert_eq!(node.names().await, ["outbox-1"]);
    node.settle_all(State::Done).await;
    assert_eq!(node.names().await, ["outbox-3"]);
}

/// The order of ids alone would send the second before the first.
async fn a_late_commit_is_waited_for(stage: &Stage) {
    for adoption in [marking(stage.dialect), reading(stage.dialect)] {
        stage.renew().await;
        let node = node(stage, &adoption).await;
        let late = stage.transaction(&row("k", 1)).await;
        stage.bench.sql(&row("k", 2)).await;
        node.until("the second is fed", async || stage.count("relay_request").await == 1).await;
        assert!(node.names().await.is_empty());
        late.commit().await.unwrap();
        assert_eq!(node.names().await, ["outbox-1"]);
        node.settle_all(State::Done).await;
        assert_eq!(node.names().await, ["outbox-2"]);
    }
}
