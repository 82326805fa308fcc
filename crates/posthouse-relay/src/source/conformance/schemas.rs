//! Cases about tables that are not as they should be.

use posthouse_pump::request::Slot;

use super::node::Node;
use super::{Bench, must};
use crate::source::{Source, SourceErrorKind};

pub(super) async fn run(bench: &impl Bench) {
    buckets_that_are_missing_are_made_again(bench).await;
    what_is_made_again_waits_for_its_former_owner(bench).await;
    bench.renew().await;
    must(bench.open().prepare().await);
    let cases = [
        ("DROP TABLE relay_hold", "`relay_hold` is missing: run `posthouse relay init`"),
        ("DELETE FROM relay_control", "`relay_control` has no row: run `posthouse relay init`"),
        (
            "ALTER TABLE relay_request DROP COLUMN window_name",
            "`relay_request` has no column `window_name`: add it",
        ),
        ("UPDATE relay_schema SET version = 0", "version 0, and this relay needs 2"),
        ("UPDATE relay_schema SET version = 3", "update Posthouse on this node"),
        ("DROP INDEX relay_request_open", "index `relay_request_open` on the table"),
        ("DROP INDEX relay_request_slot", "index `relay_request_slot` on the table"),
        (
            "ALTER TABLE relay_node RENAME COLUMN seen_at TO seen; \
             ALTER TABLE relay_node ADD COLUMN seen_at VARCHAR(10)",
            "column `seen_at` of the table `relay_node` has the type",
        ),
    ];
    for (change, expected) in cases {
        bench.renew().await;
        bench.sql(change).await;
        let error = bench.open().prepare().await.expect_err(change);
        assert_eq!(error.kind, SourceErrorKind::Unfit, "{change}: {error}");
        assert!(error.detail.contains(expected), "{change}: {error}");
    }
    bench.renew().await;
}

async fn check_unfit(bench: &impl Bench, expected: &str) {
    let error = bench.open().prepare().await.expect_err("it is not fit");
    assert_eq!(error.kind, SourceErrorKind::Unfit, "{error}");
    assert!(error.detail.contains(expected), "{error}");
}

async fn buckets_that_are_missing_are_made_again(bench: &impl Bench) {
    bench.renew().await;
    bench.sql("DELETE FROM relay_bucket WHERE slot_first IN (64, 128)").await;
    check_unfit(bench, "lacks 2 of its 16 rows, the first of them for the slots 64 to 127").await;
    must(bench.complete().await);
    must(bench.open().prepare().await);
    bench.sql("DELETE FROM relay_bucket").await;
    check_unfit(bench, "lacks 16 of its 16 rows").await;
    must(bench.complete().await);
    must(bench.open().prepare().await);
    let fences = bench.ints("SELECT fence AS n FROM relay_control").await;
    let granted = Node::new(bench.open(), "n").round().await.granted;
    assert_eq!(granted.len(), 16);
    assert!(granted.iter().all(|granted| granted.fence.0 > fences[0]), "{granted:?}");
    bench.sql("UPDATE relay_bucket SET slot_last = 99 WHERE slot_first = 64").await;
    check_unfit(bench, "for the slots 64 to 99, is none of the 16 buckets").await;
    bench.sql("UPDATE relay_control SET buckets = 0").await;
    check_unfit(bench, "`buckets`").await;
}

async fn what_is_made_again_waits_for_its_former_owner(bench: &impl Bench) {
    bench.renew().await;
    let (mut a, mut b) = (Node::new(bench.open(), "a"), Node::new(bench.open(), "b"));
    a.round().await;
    let old = a.grant_of(Slot(64)).expect("it has everything").clone();
    bench.sql("DELETE FROM relay_bucket WHERE slot_first = 64").await;
    must(bench.complete().await);
    assert_eq!(b.round().await.granted, [], "its owner may still believe to have it");
    assert_eq!(a.round().await.lost, [old.bucket]);
    bench.sql("UPDATE relay_bucket SET lease_until = 1 WHERE slot_first = 64").await;
    let granted = b.round().await.granted;
    assert_eq!(granted.len(), 1);
    assert!(granted[0].fence > old.fence && granted[0].was_silent, "{granted:?}");
}
