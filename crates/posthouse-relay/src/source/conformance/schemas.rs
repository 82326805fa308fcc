//! Cases about tables that are not as they should be.

use super::{Bench, must};
use crate::source::{Source, SourceErrorKind};

pub(super) async fn run(bench: &impl Bench) {
    bench.renew().await;
    must(bench.open().prepare().await);
    let cases = [
        ("DROP TABLE relay_hold", "`relay_hold` is missing: run `posthouse relay init`"),
        ("DELETE FROM relay_control", "`relay_control` has no row: run `posthouse relay init`"),
        (
            "ALTER TABLE relay_request DROP COLUMN window_name",
            "`relay_request` has no column `window_name`: add it",
        ),
        ("UPDATE relay_schema SET version = 0", "version 0, and this relay needs 1"),
        ("UPDATE relay_schema SET version = 2", "update Posthouse on this node"),
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
