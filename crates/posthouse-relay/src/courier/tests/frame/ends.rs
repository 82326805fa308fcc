//! Connections that are shared, break, end in peace, or fall silent; calls that are given up.

use std::sync::Arc;

use posthouse_pump::attempt::Verdict;
use posthouse_wire::frame::{Frame, Hello, Outcome};

use super::super::attempts::{RunningClock, StandingClock};
use super::peer::Listener;
use super::{attempt_at, courier, target, word};
use crate::courier::{FrameCourier, FrameProtocol};

/// The verdict on one call while the receiver does this with its connections.
async fn check<T>(play: impl AsyncFnOnce(&Listener) -> T, expected: &str) {
    let listener = Listener::new().await;
    let (courier, attempt) = (courier(&listener), attempt_at("req-1"));
    let clock = RunningClock::new();
    let (verdict, _) = tokio::join!(courier.carry(&attempt, &clock), play(&listener));
    let verdict = word(&verdict);
    assert!(verdict.starts_with(expected), "{verdict}\ninstead of\n{expected}");
}

#[tokio::test]
async fn many_calls_share_a_connection_and_are_answered_in_any_order() {
    const CALLS: usize = 50;
    let listener = Listener::new().await;
    let courier = Arc::new(courier(&listener));
    let calls: Vec<_> = (0..CALLS)
        .map(|nth| {
            let courier = courier.clone();
            tokio::spawn(async move {
                let attempt = attempt_at(&format!("req-{nth}"));
                (nth, courier.carry(&attempt, &StandingClock::default()).await)
            })
        })
        .collect();
    let mut peer = listener.greet().await;
    let mut came = Vec::new();
    for _ in 0..CALLS {
        let (number, request) = peer.request().await;
        let nth = request.id.trim_start_matches("req-").parse::<usize>().unwrap();
        came.push((number, nth));
    }
    assert!(came.is_sorted_by_key(|(number, _)| *number), "numbers grow");
    for (number, nth) in came.into_iter().rev() {
        let answer = posthouse_wire::frame::Answer {
            status: Some(i32::try_from(nth).unwrap()),
            ..posthouse_wire::frame::Answer::new(Outcome::Done)
        };
        peer.send(&Frame::Answer { number, answer }).await;
    }
    for call in calls {
        let (nth, verdict) = call.await.unwrap();
        assert_eq!(verdict, Verdict::Done { status: Some(i32::try_from(nth).unwrap()) });
    }
}

#[tokio::test]
async fn no_more_are_sent_than_the_receiver_takes() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let hello = Hello { requests_max: Some(1), ..Hello::new("narrow", 1 << 20, 5_000) };
    let (one, two) = (attempt_at("one"), attempt_at("two"));
    let clock = StandingClock::default();
    let (first, second, ()) =
        tokio::join!(courier.carry(&one, &clock), courier.carry(&two, &clock), async {
            let mut peer = listener.greet_with(hello).await;
            let number = peer.request().await.0;
            // A second one would come before the answer to this, which is read in between.
            peer.send(&Frame::Beat).await;
            peer.answer(number, Outcome::Done).await;
            assert_eq!(peer.take().await.id, "two");
        });
    assert_eq!((word(&first).as_str(), word(&second).as_str()), ("done None", "done None"));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_open() {
    let broken = "failed by Endpoint None None: the connection ended before the answer came";
    check(async |listener: &Listener| drop(listener.greet().await.request().await), broken).await;
    let fault = async |listener: &Listener| {
        let mut peer = listener.greet().await;
        peer.request().await;
        peer.send(&Frame::Fault { detail: "out of order".into() }).await;
        peer.next().await
    };
    check(fault, broken).await;
    let rubbish = async |listener: &Listener| {
        let mut peer = listener.greet().await;
        peer.request().await;
        peer.send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        peer.next().await
    };
    check(rubbish, broken).await;
    let stranger = async |listener: &Listener| {
        let mut peer = listener.greet().await;
        let number = peer.request().await.0;
        peer.answer(number + 1, Outcome::Done).await;
        peer.next().await
    };
    check(stranger, broken).await;
}

#[tokio::test]
async fn a_greeting_that_is_none_costs_nothing() {
    let wrong = "failed by Endpoint None None: the receiver did not greet:";
    check(async |listener: &Listener| drop(listener.accept().await), wrong).await;
    let old = async |listener: &Listener| {
        let hello = Hello { version_first: 2, version_last: 3, ..Hello::new("new", 4_096, 5_000) };
        listener.greet_with(hello).await.next().await
    };
    check(old, "failed by Endpoint None None: the receiver did not greet: it speaks").await;
    let early = async |listener: &Listener| {
        let mut peer = listener.accept().await;
        peer.answer(1, Outcome::Done).await;
        peer.next().await
    };
    check(early, wrong).await;
}

/// The request that was not taken goes on another connection, in the same try.
#[tokio::test]
async fn who_leaves_loses_nothing() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let (one, two) = (attempt_at("one"), attempt_at("two"));
    let clock = StandingClock::default();
    let (first, second, again) =
        tokio::join!(courier.carry(&one, &clock), courier.carry(&two, &clock), async {
            let mut old = listener.greet().await;
            let taken = old.request().await.0;
            old.request().await;
            old.send(&Frame::Leaving { last: taken }).await;
            let mut new = listener.greet().await;
            let again = new.take().await;
            old.answer(taken, Outcome::Done).await;
            // The relay closes when it has its answers.
            assert_eq!(old.next().await, None);
            again
        });
    assert_eq!(again.id, "two");
    assert_eq!((word(&first).as_str(), word(&second).as_str()), ("done None", "done None"));
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    for round in 0..10 {
        let attempt = attempt_at("req");
        let clock = StandingClock::default();
        let (verdict, mut peer) = tokio::join!(courier.carry(&attempt, &clock), async {
            let mut peer = listener.greet().await;
            peer.take().await;
            peer
        });
        assert_eq!(word(&verdict), "done None", "{round}");
        // It leaves in peace, so that the relay knows before the next call.
        peer.send(&Frame::Leaving { last: u64::MAX }).await;
        assert_eq!(peer.next().await, None);
    }
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_and_its_late_answer_ignored() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let clock = StandingClock::default();
    let (dropped, kept) = (attempt_at("dropped"), attempt_at("kept"));
    let mut peer = tokio::select! {
        verdict = courier.carry(&dropped, &clock) => panic!("{verdict:?}"),
        peer = async {
            let mut peer = listener.greet().await;
            peer.request().await;
            peer
        } => peer,
    };
    assert_eq!(peer.next().await, Some(Frame::Cancel { number: 1 }));
    peer.answer(1, Outcome::Rejected).await;
    let (verdict, call) = tokio::join!(courier.carry(&kept, &clock), peer.take());
    assert_eq!((word(&verdict).as_str(), call.id.as_str()), ("done None", "kept"));
}

/// No order goes through any more then, so that its task looks by itself.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_its_receiver_leaves_is_cancelled() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let (clock, dropped) = (RunningClock::new(), attempt_at("dropped"));
    let mut peer = tokio::select! {
        verdict = courier.carry(&dropped, &clock) => panic!("{verdict:?}"),
        peer = async {
            let mut peer = listener.greet().await;
            let number = peer.request().await.0;
            peer.send(&Frame::Leaving { last: number }).await;
            assert_eq!(peer.next().await, Some(Frame::Beat));
            peer
        } => peer,
    };
    let mut frame = peer.next().await;
    while frame == Some(Frame::Beat) {
        frame = peer.next().await;
    }
    assert_eq!(frame, Some(Frame::Cancel { number: 1 }));
    assert_eq!(peer.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn silence_is_given_up_at_the_deadline_and_told() {
    let hold = async |listener: &Listener| {
        let mut peer = listener.greet().await;
        peer.request().await;
        // A receiver that beats is there, and only slow.
        while peer.next().await == Some(Frame::Beat) {
            peer.send(&Frame::Beat).await;
        }
    };
    check(hold, "failed by Endpoint None None: no answer in time").await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_without_a_sign_of_life_is_gone() {
    let hold = async |listener: &Listener| {
        let mut peer = listener.greet_with(Hello::new("mute", 4_096, 100)).await;
        peer.request().await;
        while peer.next().await.is_some() {}
    };
    check(hold, "failed by Endpoint None None: the connection ended before").await;
}

#[tokio::test]
async fn nothing_is_written_when_it_is_too_late() {
    let listener = Listener::new().await;
    let courier = courier(&listener);
    let clock = StandingClock::default();
    clock.set(10_001);
    assert_eq!(courier.carry(&attempt_at("late"), &clock).await, Verdict::NotStarted);
}

/// Another call has the only place until it is too late for this one.
#[tokio::test(start_paused = true)]
async fn a_call_without_a_place_was_not_started() {
    let listener = Listener::new().await;
    let mut target = target(&listener);
    target.timeout_ms = 60_000;
    let courier = FrameCourier::new(FrameProtocol, target).unwrap();
    let hello = Hello { requests_max: Some(1), ..Hello::new("narrow", 1 << 20, 60_000) };
    let clock = RunningClock::new();
    let mut long = attempt_at("long");
    long.end_by_mono_ms = 60_000;
    let short = attempt_at("short");
    let (_, second, ()) =
        tokio::join!(courier.carry(&long, &clock), courier.carry(&short, &clock), async {
            let mut peer = listener.greet_with(hello).await;
            let (number, _) = peer.request().await;
            while let Some(frame) = peer.next().await {
                if frame == (Frame::Cancel { number }) {
                    return;
                }
            }
        });
    assert_eq!(second, Verdict::NotStarted);
}
