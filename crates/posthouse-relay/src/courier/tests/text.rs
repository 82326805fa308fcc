//! Sets of statuses.

use crate::courier::status_set::StatusSet;

#[test]
fn sets_of_statuses_are_read() {
    let set = StatusSet::parse("200-202, 204,304 - 305").unwrap();
    let inside: Vec<u16> = (100..=599).filter(|status| set.contains(*status)).collect();
    assert_eq!(inside, [200, 201, 202, 204, 304, 305]);
    assert!(StatusSet::parse(" , ").unwrap().is_empty());
}

#[test]
fn sets_that_cannot_be_read_are_refused() {
    for text in ["2xx", "99", "600", "300-200", "200-", "-200", "200 201"] {
        assert!(StatusSet::parse(text).is_err(), "{text}");
    }
    assert!(StatusSet::parse(&"200,".repeat(65)).is_err());
}
