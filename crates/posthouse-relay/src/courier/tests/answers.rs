//! What answers mean.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use posthouse_net::{Answer, BodyEnd};
use posthouse_pump::attempt::{Blame, Verdict};
use serde_json::json;

use super::attempts::WALL_MS;
use crate::courier::BodyRule;
use crate::courier::answers::{Answers, NEVER, SUCCESS};
use crate::courier::status_set::StatusSet;

fn answers(never: &str, body: Option<BodyRule>) -> Answers {
    let set = |text| StatusSet::parse(text).unwrap();
    Answers { success: set(SUCCESS), never: set(never), body }
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    let body = body.to_owned().into();
    Answer { status, headers, body, body_end: BodyEnd::Complete, trailers: None }
}

/// `done`, `never`, or `later` with who is to blame.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done { .. } => "done",
        Verdict::Rejected { .. } => "never",
        Verdict::Failed { blame: Blame::Endpoint, .. } => "later: endpoint",
        Verdict::Failed { blame: Blame::Request, .. } => "later: request",
        Verdict::NotStarted => "not started",
    }
}

#[test]
fn statuses_mean_what_the_defaults_say() {
    let cases = [
        ("200 201 202 204 207 299", "done"),
        ("400 401 403 404 405 406 407 411 413 415 418 422 426 428 431 451 499", "never"),
        ("409", "later: request"),
        ("408 410 425 429", "later: endpoint"),
        ("500 501 502 503 504 507 599", "later: endpoint"),
        ("101 300 301 302 303 304 307 308", "later: endpoint"),
        ("600 999", "later: endpoint"),
    ];
    for (statuses, expected) in cases {
        for status in statuses.split(' ') {
            let answer = answer(status.parse().unwrap(), &[], "");
            assert_eq!(word(&answers(NEVER, None).judge(&answer, WALL_MS)), expected, "{status}");
        }
    }
}

#[test]
fn a_target_may_say_otherwise() {
    let judge = |never, status| word(&answers(never, None).judge(&answer(status, &[], ""), 0));
    assert_eq!(judge("", 404), "later: request");
    assert_eq!(judge("410", 410), "never");
    assert_eq!(judge("500-599", 503), "never");
}

fn check_wait(status: u16, value: &'static str, expected: Option<u64>) {
    let answer = answer(status, &[("retry-after", value)], "");
    match answers(NEVER, None).judge(&answer, WALL_MS) {
        Verdict::Failed { retry_after_ms, .. } => assert_eq!(retry_after_ms, expected, "{value}"),
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn receivers_may_ask_to_be_left_alone() {
    check_wait(429, "30", Some(30_000));
    check_wait(503, " 0 ", Some(0));
    check_wait(503, "Thu, 25 Feb 2021 15:03:10 GMT", Some(60_000));
    check_wait(503, "Thu, 25 Feb 2021 15:00:00 GMT", Some(0));
    check_wait(503, "Tue, 25 Feb 2121 15:00:00 GMT", Some(86_400_000));
    check_wait(503, "99999999999999999999999", Some(86_400_000));
    check_wait(503, "soon", None);
    check_wait(503, "-5", None);
    check_wait(503, "1.5", None);
    check_wait(503, "", None);
}

fn check_wait_by(date: &'static str, expected: Option<u64>) {
    let headers = [("retry-after", "Thu, 25 Feb 2021 15:03:10 GMT"), ("date", date)];
    let verdict = answers(NEVER, None).judge(&answer(503, &headers, ""), WALL_MS);
    let Verdict::Failed { retry_after_ms, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(retry_after_ms, expected, "{date}");
}

#[test]
fn a_date_is_counted_by_the_clock_of_the_receiver() {
    check_wait_by("Thu, 25 Feb 2021 15:02:50 GMT", Some(20_000));
    check_wait_by("Thu, 25 Feb 2021 15:03:11 GMT", Some(0));
    check_wait_by("yesterday", Some(60_000));
}

fn check_body(rule: BodyRule, body: &str, expected: &str) {
    let verdict = answers(NEVER, Some(rule)).judge(&answer(200, &[], body), WALL_MS);
    assert_eq!(word(&verdict), expected, "{body}");
}

#[test]
fn a_success_may_have_to_say_so_in_its_body() {
    let contains = || BodyRule::Contains("SUCCESS".into());
    check_body(contains(), "code=SUCCESS;", "done");
    check_body(contains(), "code=FAILURE;", "later: request");
    check_body(contains(), "", "later: request");
    let pointer = |equals| BodyRule::Pointer { pointer: "/result/code".into(), equals };
    check_body(pointer(json!(0)), r#"{"result":{"code":0}}"#, "done");
    check_body(pointer(json!("0")), r#"{"result":{"code":0}}"#, "later: request");
    check_body(pointer(json!(0)), r#"{"result":{"code":1}}"#, "later: request");
    check_body(pointer(json!(0)), r#"{"result":0}"#, "later: request");
    check_body(pointer(json!(0)), "<html>", "later: request");
    let broken = Answer { body_end: BodyEnd::Broken, ..answer(200, &[], "{") };
    let verdict = answers(NEVER, Some(pointer(json!(0)))).judge(&broken, WALL_MS);
    assert_eq!(word(&verdict), "later: endpoint");
}

fn check_detail(answer: &Answer, expected: &str) {
    match answers(NEVER, None).judge(answer, WALL_MS) {
        Verdict::Failed { detail, .. } | Verdict::Rejected { detail, .. } => {
            assert_eq!(detail, expected);
        }
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn details_are_short_and_printable() {
    let body = "no\r\n  such\u{0}\u{202e} \u{1b}[31morder";
    check_detail(&answer(404, &[], body), "answered 404 Not Found: no such [31morder");
    check_detail(&answer(500, &[], ""), "answered 500 Internal Server Error");
    check_detail(&answer(599, &[], ""), "answered 599 (unknown)");
    let long = answer(500, &[], &"订".repeat(1000));
    let expected = format!("answered 500 Internal Server Error: {}", "订".repeat(200));
    check_detail(&long, &expected);
}

fn check_redirect(location: &'static str, expected: &str) {
    let detail = format!(
        "answered 302 Found; redirects (here to {expected}) are not followed: correct the URL"
    );
    check_detail(&answer(302, &[("location", location)], ""), &detail);
}

#[test]
fn redirects_are_told_without_what_may_be_secret() {
    check_redirect("https://a.example/login?token=secret", "https://a.example/login");
    check_redirect("https://a.example/login;token=secret", "https://a.example/login");
    check_redirect("https://a.example/login#secret", "https://a.example/login");
    check_redirect("https://me:secret@a.example/login", "https://a.example/login");
    check_redirect("https://me:se/cr@et@a.example/", "https://a.example/");
    check_redirect("https://me:se;cret@a.example/login", "https://***");
    check_redirect("//me:secret@a.example/login", "//a.example/login");
    check_redirect("mailto:me:secret@a.example", "a.example");
    check_redirect("/login?token=secret", "/login");
}
