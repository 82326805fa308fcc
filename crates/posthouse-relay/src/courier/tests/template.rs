//! Templates: what they make of a request, and which are refused when they are loaded.

use bytes::Bytes;
use posthouse_pump::request::{Content, Request};

use super::attempts::{attempt, content, request};
use crate::courier::escape::Place;
use crate::courier::field::Values;
use crate::courier::template::Template;

fn fill(template: &str, place: Place, request: Request) -> Result<String, String> {
    let template = Template::parse(template, place).unwrap();
    let attempt = attempt(request);
    let content = attempt.request.content.as_deref().unwrap();
    let values = Values { attempt: &attempt, content, service: Some("orders"), method: None };
    let filled = template.fill(&values, 200)?;
    Ok(String::from_utf8_lossy(&filled).into_owned())
}

fn check(template: &str, place: Place, expected: &str) {
    assert_eq!(fill(template, place, request(content())).as_deref(), Ok(expected), "{template}");
}

/// Fills in `{key}`.
fn check_key(key: &str, place: Place, expected: &str) {
    let request = Request { key: Some(key.into()), ..request(content()) };
    assert_eq!(fill("{key}", place, request).as_deref(), Ok(expected), "{key} in {place:?}");
}

#[test]
fn every_field_has_its_value() {
    check("{code} {request_id} {key}", Place::Plain, "order.paid req-1 A/7");
    check("{service}.{method} {region}", Place::Plain, "billing.charge east");
    check("{attempt} {id} {header.x-tenant}", Place::Plain, "2 42 north");
    check("{header.X-TENANT}", Place::Plain, "north");
    check("[{body}]", Place::Plain, r#"[{"total":3}]"#);
    check(
        r#"{"order":{body.json},"by":"{code}"}"#,
        Place::Json,
        r#"{"order":{"total":3},"by":"order.paid"}"#,
    );
    check(r#"{"text":"{body}"}"#, Place::Json, r#"{"text":"{\"total\":3}"}"#);
}

#[test]
fn braces_that_name_nothing_stand_for_themselves() {
    for text in ["{}", "{ code }", "{\"a\":{\"b\":1}}", "{1}", "}{", "{", "no braces"] {
        check(text, Place::Plain, text);
    }
    check("{{code}}", Place::Plain, "{order.paid}");
}

#[test]
fn values_are_escaped_for_their_place() {
    check_key("A/7?x=1&y#z", Place::Url, "A%2F7%3Fx%3D1%26y%23z");
    check_key("../..", Place::Url, "..%2F..");
    check_key("a b%2F+", Place::Url, "a%20b%252F%2B");
    check_key("订单", Place::Url, "%E8%AE%A2%E5%8D%95");
    check_key("a\r\nhost: evil\0\t\u{7f}b", Place::Header, "ahost: evilb");
    check_key("订单", Place::Header, "订单");
    check_key("\"},{\"a\":\"\\\n", Place::Json, r#"\"},{\"a\":\"\\\n"#);
    check_key("\u{1}订", Place::Json, "\\u0001订");
    check_key("<a b='c'>&\"\u{0}\u{b}\n", Place::Xml, "&lt;a b=&apos;c&apos;&gt;&amp;&quot;\n");
    check_key("as {it} is\n", Place::Plain, "as {it} is\n");
    check_key("a.b/c,d *>", Place::Segment, "a%2Eb%2Fc%2Cd%20%2A%3E");
}

fn check_missing(template: &str, place: Place, request: Request, column: &str) {
    let problem = fill(template, place, request).unwrap_err();
    assert!(problem.contains(&format!("column {column}")), "{template}: {problem}");
}

#[test]
fn what_is_missing_in_a_row_is_named_by_its_column() {
    let without = |change: fn(&mut Content)| {
        let mut content = content();
        change(&mut content);
        request(content)
    };
    let keyless = Request { key: None, ..request(content()) };
    check_missing("/{key}", Place::Url, keyless, "business_id");
    let empty = Request { key: Some("".into()), ..request(content()) };
    check_missing("/{key}", Place::Url, empty, "business_id");
    check_missing("{method}", Place::Url, without(|content| content.method = None), "method");
    check_missing("{header.other}", Place::Header, request(content()), "headers");
    let text = |content: &mut Content| content.body = Bytes::from_static(b"no JSON");
    check_missing("{body.json}", Place::Json, without(text), "body");
    let two = |content: &mut Content| content.body = Bytes::from_static(b"1,2");
    check_missing("{body.json}", Place::Json, without(two), "body");
    let binary = |content: &mut Content| content.body = Bytes::from_static(b"\xff");
    check_missing("\"{body}\"", Place::Json, without(binary), "body");
    check_missing("<a>{body}</a>", Place::Xml, without(binary), "body");
}

#[test]
fn what_a_target_says_stands_in_for_what_a_row_does_not() {
    let mut content = content();
    content.service = None;
    assert_eq!(fill("{service}", Place::Url, request(content)).as_deref(), Ok("orders"));
}

#[test]
fn a_row_cannot_make_a_template_longer_than_allowed() {
    let long = Request { key: Some("x".repeat(201).into()), ..request(content()) };
    assert!(fill("{key}", Place::Url, long).unwrap_err().contains("200 bytes"));
}

fn check_refused(template: &str, place: Place, expected: &str) {
    let problem = Template::parse(template, place).unwrap_err();
    assert!(problem.contains(expected), "{template}: {problem}");
}

#[test]
fn mistakes_are_found_when_a_template_is_loaded() {
    check_refused("{cod}", Place::Url, "did you mean {code}?");
    check_refused("{request-id}", Place::Url, "did you mean {request_id}?");
    check_refused("{body.jsn}", Place::Json, "did you mean {body.json}?");
    check_refused("{header.}", Place::Url, "there is no field {header.}");
    check_refused("{something}", Place::Url, "the fields are code,");
    check_refused("{body}", Place::Url, "in a body only");
    check_refused("{body.json}", Place::Header, "in a body only");
    check_refused("{body.json}", Place::Xml, "in a JSON body only");
    check_refused(&"x".repeat(70_000), Place::Plain, "more than 65536 bytes");
}
