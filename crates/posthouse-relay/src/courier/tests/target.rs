//! Targets: every mistake is found when they are loaded, and all of them at once.

use posthouse_net::{Client, ClientSettings, Reach};
use serde_json::json;

use crate::courier::{BodyRule, Fault, HttpCourier, HttpTarget, SecretSource};

fn target(url: &str) -> HttpTarget {
    let reach = Reach::parse(&["api.example.com", "127.0.0.1:8080"]).unwrap();
    let client = Client::new(ClientSettings { reach, ..ClientSettings::default() }).unwrap();
    HttpTarget::new(client, url)
}

fn faults(target: HttpTarget) -> Vec<Fault> {
    HttpCourier::new(target).err().unwrap_or_default()
}

fn check(change: impl FnOnce(&mut HttpTarget), expected: &str) {
    let mut target = target("https://api.example.com/orders/{key}");
    change(&mut target);
    let faults: Vec<String> = faults(target).iter().map(ToString::to_string).collect();
    match expected {
        "" => assert!(faults.is_empty(), "{faults:?}"),
        _ => assert!(matches!(&faults[..], [one] if one.contains(expected)), "{faults:?}"),
    }
}

#[test]
fn urls_are_checked() {
    let cases = [
        ("https://api.example.com", ""),
        ("https://api.example.com:8443/a/{service}/{method}?k={key}&r={header.x-r}", ""),
        ("http://127.0.0.1:8080/{code}", ""),
        ("{header.x-url}", ""),
        ("https://{service}.example.com/", "url: rows do not choose the host"),
        ("https://api.example.com:{id}/", "url: rows do not choose the host"),
        ("{service}", "url: only a header of the row"),
        ("{service}/path", "url: rows do not choose the host"),
        ("https://api.example.com/{kee}", "did you mean {key}?"),
        ("https://api.example.com/{body}", "in a body only"),
        ("https://api.example.com/{}", "a brace that belongs to no field"),
        ("https://api.example.com/#top", "it has a \"#\""),
        ("https://api.example.com/a b", "url: it is not a URL"),
        ("api.example.com/orders", "url: "),
        ("ftp://api.example.com/", "does not begin with http:// or https://"),
        ("https://me:secret@api.example.com/", "user name or password"),
        ("https://other.example.com/", "other.example.com:443 is not among"),
        ("http://127.0.0.2/", "127.0.0.2:80 leads to 127.0.0.2"),
        ("http://[::ffff:127.0.0.2]/", "leads to ::ffff:127.0.0.2"),
    ];
    for (url, expected) in cases {
        check(|target| target.url = url.into(), expected);
    }
}

#[test]
fn headers_are_checked() {
    let cases = [
        ("authorization", "Bearer x", ""),
        ("x-key", "{key}", ""),
        ("x key", "", "headers.x key: this is not the name of a header"),
        ("Host", "a", "headers.Host: this header is set for every call"),
        ("Content-Length", "1", "cannot be changed"),
        ("Webhook-Id", "1", "cannot be changed"),
        ("posthouse-anything", "1", "cannot be changed"),
        ("Content-Type", "text/plain", "set content_type instead"),
        ("x-key", "{kez}", "headers.x-key: there is no field {kez}"),
    ];
    for (name, value, expected) in cases {
        check(|target| target.headers = vec![(name.into(), value.into())], expected);
    }
}

fn check_body(content_type: &str, body: &str, expected: &str) {
    let change = |target: &mut HttpTarget| {
        target.content_type = Some(content_type.into());
        target.body = Some(body.into());
    };
    check(change, expected);
}

#[test]
fn bodies_are_checked() {
    check_body("application/json", r#"{"a":"{key}","n":{id},"b":{body.json}}"#, "");
    check_body("application/vnd.a+json; charset=utf-8", "{body.json}", "");
    check_body("text/xml", "<a>{body}</a>", "");
    check_body("text/plain", "{body}", "");
    check_body("application/json", r#"{"a":{key"#, "body: it is not JSON");
    check_body("application/json", r#"{"a":"{key}",}"#, "body: it is not JSON");
    check_body("text/plain", "{body.json}", "set a JSON content type");
    check_body("plain", "", "content_type: write it as");
    check(|target| target.body = Some("{body}".into()), "content_type: a body template needs one");
}

#[test]
fn rules_are_checked() {
    check(|target| target.success = String::new(), "success: it names no status");
    check(|target| target.success = "ok".into(), "success: \"ok\" is neither");
    check(|target| target.never = "200-201".into(), "never: 200 means success already");
    check(|target| target.method = "GET".into(), "method: \"GET\" is not offered");
    check(|target| target.timeout_ms = 0, "timeout_ms: it is 0");
    let rule = BodyRule::Pointer { pointer: "code".into(), equals: json!(0) };
    check(|target| target.success_body = Some(rule), "is not a JSON pointer");
    let missing = SecretSource::Environment("POSTHOUSE_NO_SUCH_KEY".into());
    check(|target| target.signing_keys = vec![missing], "signing_keys: the environment variable");
}

#[test]
fn all_mistakes_are_reported_together() {
    let mut target = target("https://{key}.example.com");
    target.method = "post".into();
    target.headers = vec![("host".into(), "{kee}".into())];
    target.success = "20x".into();
    target.timeout_ms = 0;
    let fields: Vec<String> = faults(target).into_iter().map(|fault| fault.field).collect();
    let expected = ["url", "method", "headers.host", "headers.host", "success", "timeout_ms"];
    assert_eq!(fields, expected);
}

#[test]
fn what_may_be_secret_is_not_shown() {
    let mut target = target("https://api.example.com/?token=secret");
    target.headers = vec![("authorization".into(), "Bearer secret".into())];
    assert!(!format!("{target:?}").contains("secret"));
}
