//! What a deep backlog costs: each row is read about once, at most twice on the average, whatever
//! stands still meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod table;

use posthouse_pump::request::Standing::{Blocked, Ready};
use table::Table;

/// Delivers `done` rows; reads at most `reads_max` rows for each.
fn check(mut table: Table, done: u64, reads_max: f64) {
    table.run(done);
    let counts = table.counts;
    let ratio = counts.rows as f64 / counts.done as f64;
    println!("{ratio:.2} rows read for each delivered: {counts:?}");
    assert!(ratio <= reads_max, "{ratio:.2} rows read for each delivered: {counts:?}");
}

#[test]
fn one_endpoint_with_a_key_for_each_row() {
    let mut table = Table::new(&["shop"]);
    (0..200_000).for_each(|key| table.add("shop", key, Ready));
    check(table, 200_000, 1.1);
}

#[test]
fn a_thousand_keys_in_turn() {
    let mut table = Table::new(&["shop"]);
    (0..200_000).for_each(|row| table.add("shop", row % 1_000, Ready));
    check(table, 200_000, 1.1);
}

#[test]
fn a_thousand_keys_one_after_the_other() {
    let mut table = Table::new(&["shop"]);
    (0..200_000).for_each(|row| table.add("shop", row / 200, Ready));
    check(table, 200_000, 2.0);
}

#[test]
fn ten_keys_in_turn() {
    let mut table = Table::new(&["shop"]);
    (0..100_000).for_each(|row| table.add("shop", row % 10, Ready));
    check(table, 100_000, 2.0);
}

#[test]
fn twenty_blocked_keys_before_all_others() {
    let mut table = Table::new(&["shop"]);
    for row in 0..100_000 {
        let standing = if row < 20 { Blocked } else { Ready };
        table.add("shop", row % 20, standing);
    }
    (0..200_000).for_each(|row| table.add("shop", 100 + row % 5_000, Ready));
    check(table, 200_000, 2.0);
}

#[test]
fn one_endpoint_of_two_is_down_and_comes_back() {
    let mut table = Table::new(&["bank", "shop"]);
    (0..100_000).for_each(|key| table.add("bank", key, Ready));
    (0..100_000).for_each(|key| table.add("shop", key, Ready));
    table.down.insert("bank");
    table.run(100_000);
    table.down.clear();
    check(table, 200_000, 2.0);
}

#[test]
fn rows_for_one_that_is_down_lie_between_the_others() {
    let mut table = Table::new(&["bank", "shop"]);
    for row in 0..200_000 {
        table.add(if row % 2 == 0 { "bank" } else { "shop" }, row / 8, Ready);
    }
    table.down.insert("bank");
    table.run(100_000);
    table.down.clear();
    check(table, 200_000, 2.0);
}

#[test]
fn an_idle_endpoint_does_not_make_the_others_read_more() {
    let mut table = Table::new(&["bank", "depot", "shop"]);
    (0..100_000).for_each(|key| table.add("shop", key / 2, Ready));
    check(table, 100_000, 2.0);
}
