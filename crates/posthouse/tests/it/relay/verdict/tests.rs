//! A checker that sees nothing is worse than none: for each promise, a history that breaks it.

use super::{Closed, History, judge};
use crate::relay::database::Row;
use crate::relay::receiver::{Call, Refusal, Sender};
use crate::relay::writer::{Fate, Wish, Written};

/// Two requests of one business id, both taken, one after the other.
fn good() -> History {
    History {
        written: vec![written("a", Fate::Committed), written("b", Fate::Committed)],
        calls: vec![call(1, "a", 1_000, 2_000), call(2, "b", 6_000, 7_000)],
        rows: vec![row(1, "a", 4), row(2, "b", 9)],
        closed: vec![Closed { code: "ORDER.NEW", from_us: 20_000, until_us: 30_000 }],
        trespasses: Vec::new(),
        healed_us: 5_000,
    }
}

fn written(name: &str, fate: Fate) -> Written {
    let wish = Wish {
        request_id: name.to_owned(),
        code: "ORDER.NEW",
        key: Some("order-1".to_owned()),
        is_poison: false,
        lives_ms: None,
    };
    Written { wish, fate }
}

fn row(id: i64, name: &str, done_ms: i64) -> Row {
    Row {
        id,
        request_id: name.to_owned(),
        code: "ORDER.NEW".to_owned(),
        key: Some("order-1".to_owned()),
        state: 3,
        attempts: 1,
        expires_ms: None,
        done_ms: Some(done_ms),
        fence: 5,
        is_poison: false,
    }
}

fn call(sequence: i64, name: &str, began_us: i64, ended_us: i64) -> Call {
    let sender = Sender {
        request_id: name.to_owned(),
        code: "ORDER.NEW".to_owned(),
        key: Some("order-1".to_owned()),
        sequence,
        fence: 5,
        attempt: 1,
        not_after_ms: 1_000_000,
    };
    let (ended_us, status) = (Some(ended_us), Some(200));
    Call { began_us, ended_us, status, took: true, refusal: None, sender }
}

/// Breaks the good history, and expects a violation that begins with these words.
fn check(expected: &str, break_it: impl FnOnce(&mut History)) {
    let mut history = good();
    break_it(&mut history);
    let violations = judge(&history).violations;
    assert!(violations.iter().any(|text| text.starts_with(expected)), "{expected}: {violations:?}");
}

#[test]
fn what_keeps_every_promise_is_good() {
    let verdict = judge(&good());
    assert!(verdict.violations.is_empty(), "{verdict}");
    assert_eq!(verdict.figures.done, 2);
}

#[test]
fn the_checker_sees_what_is_lost_or_made_up() {
    check("committed and gone", |history| drop(history.rows.pop()));
    check("never committed and there", |history| {
        history.written[1].fate = Fate::Undone;
    });
    check("called and never committed", |history| history.calls[1].sender.sequence = 3);
    check("called by another name", |history| history.calls[1].sender.request_id = "c".to_owned());
}

#[test]
fn the_checker_sees_a_wrong_end() {
    check("a wrong end", |history| history.calls[1].took = false);
    check("a wrong end", |history| history.calls[1].status = None);
    for state in [0, 1, 2, 4, 5, 6, 7] {
        check("a wrong end", |history| history.rows[1].state = state);
    }
    check("finished under a lower fence", |history| history.rows[1].fence = 4);
}

#[test]
fn the_checker_sees_what_is_out_of_order() {
    check("called while request 1 was open", |history| history.rows[0].state = 0);
    check("called 1500 us before the one before was recorded", |history| {
        history.calls[1].began_us = 2_500;
    });
    check("called before the one before was answered", |history| {
        history.rows[0].done_ms = Some(0);
        history.calls[1].began_us = 1_500;
    });
    check("request 1 was called again 2000 us afterwards", |history| {
        history.calls.push(call(1, "a", 8_000, 8_500));
    });
}

#[test]
fn a_late_call_that_the_receiver_refuses_breaks_no_order() {
    let mut history = good();
    let refusal = Some(Refusal::Fence);
    history.calls.push(Call { took: false, refusal, ..call(1, "a", 8_000, 8_500) });
    let verdict = judge(&history);
    assert!(verdict.violations.is_empty(), "{verdict}");
    assert_eq!(verdict.figures.refused_by_fence, 1);
}

#[test]
fn the_checker_sees_what_begins_when_it_must_not() {
    check("begun after its expiry", |history| history.rows[1].expires_ms = Some(6));
    check("begun while it was switched off", |history| history.closed[0].from_us = 5_500);
    check("called long after", |history| history.calls[1].sender.not_after_ms = -6_000);
}

#[test]
fn the_checker_sees_what_stands_still() {
    check("order-1 stood still", |history| {
        history.calls[1].began_us = 11_500_000;
        history.calls[1].sender.not_after_ms = 12_000;
        history.rows[1].done_ms = Some(11_600);
    });
    check("a trespass", |history| history.trespasses.push("a trespass".to_owned()));
}
