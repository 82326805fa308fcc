//! The forms in which instances are written down.

use crate::discovery::entry::{Named, from_bytes, from_name};
use crate::discovery::file;
use crate::discovery::instance::{Health, Instance};
use crate::discovery::service;
use crate::origin::HttpVersion;

/// `host:port`, and what is unusual about it.
fn shown(instance: &Instance) -> String {
    let mut text = instance.id.to_string();
    if let Some(port) = instance.secure_port {
        text += &format!(" tls {port}");
    }
    if let Some(name) = &instance.name {
        text += &format!(" as {name}");
    }
    if instance.weight != 1 {
        text += &format!(" weight {}", instance.weight);
    }
    if instance.rank != 0 {
        text += &format!(" rank {}", instance.rank);
    }
    if instance.health != Health::Up {
        text += &format!(" {:?}", instance.health);
    }
    text
}

fn check(text: &str, expected: &str) {
    let read = from_bytes(text.as_bytes());
    let read = read.as_ref().map_or_else(String::as_str, |_| "").to_owned()
        + &read.as_ref().map(shown).unwrap_or_default();
    assert!(read.contains(expected) && !read.is_empty(), "{text}: {read}");
}

#[test]
fn values_tell_of_an_instance_in_many_forms() {
    check("10.0.0.7:8080", "10.0.0.7:8080");
    check(" Orders-1.Internal:80\n", "orders-1.internal:80");
    check("[fd00::7]:8080", "[fd00::7]:8080");
    check("http://a:81", "a:81");
    check("http://a/", "a:80");
    check("https://a:8443", "a:8443 tls 8443");
    check("https://a", "a:443 tls 443");
    check(r#""a:1""#, "a:1");
    check(r#"{"host":"a","port":1}"#, "a:1");
    check(
        r#"{"host":"a","port":1,"secure_port":2,"weight":3,"rank":4}"#,
        "a:1 tls 2 weight 3 rank 4",
    );
    check(r#"{"host":"10.0.0.7","port":1,"named":"Orders"}"#, "10.0.0.7:1 as orders");
    check(r#"{"host":"a","port":1,"weight":0}"#, "a:1 Disabled");
    check(r#"{"host":"a","port":1,"weight":99999999999}"#, "a:1 weight 65535");
}

#[test]
fn the_forms_of_others_are_understood() {
    let curator = r#"{"name":"orders","id":"6f","address":"10.0.0.7","port":8080,"sslPort":null,
        "payload":null,"registrationTimeUTC":1325129459728,"serviceType":"DYNAMIC"}"#;
    check(curator, "10.0.0.7:8080");
    check(r#"{"address":"a","port":null,"sslPort":8443,"enabled":true}"#, "a:8443 tls 8443");
    check(r#"{"address":"a","port":1,"enabled":false}"#, "a:1 Disabled");
    check(r#"{"Op":0,"Addr":"10.0.0.7:8080","Metadata":null}"#, "10.0.0.7:8080");
}

#[test]
fn what_is_no_instance_is_told() {
    check("", "it is empty");
    check("orders", "no port");
    check("a:0", "does not end in a port");
    check("a:65536", "does not end in a port");
    check("ftp://a:1", "neither http nor https");
    check("a b:1", "neither the name of a host");
    check("user@a:1", "neither the name of a host");
    check("{", "it is not JSON");
    check("{}", "it names no host");
    check(r#"{"host":"a","port":"x"}"#, "is not a port");
    check(r#"{"host":"a","port":1,"weight":-1}"#, "its weight");
    check(&"a".repeat(20_000), "more than");
}

fn check_name(name: &str, protocol: Option<&str>, expected: &str) {
    let read = match from_name(name, protocol) {
        Named::Yes(Ok(instance)) => shown(&instance),
        Named::Yes(Err(problem)) => problem,
        Named::Foreign => "foreign".into(),
        Named::No => "no".into(),
    };
    assert_eq!(read, expected, "{name}");
}

#[test]
fn names_of_nodes_tell_of_an_instance_too() {
    check_name("10.0.0.7:8080", None, "10.0.0.7:8080");
    check_name("instance-0000000001", None, "no");
    check_name("6f0e8d7c-8a0e", None, "no");
    let provider =
        "dubbo%3A%2F%2F10.0.0.7%3A20880%2Fcom.acme.Orders%3Fanyhost%3Dtrue%26weight%3D200";
    check_name(provider, None, "10.0.0.7:20880 weight 200");
    check_name(provider, Some("dubbo"), "10.0.0.7:20880 weight 200");
    check_name(provider, Some("rest"), "foreign");
    check_name("rest%3A%2F%2F10.0.0.7%3A80%2Fa%3Fdisabled%3Dtrue", None, "10.0.0.7:80 Disabled");
    check_name("rest%3A%2F%2F10.0.0.7%3A80%2Fa%3Fenabled%3Dfalse", None, "10.0.0.7:80 Disabled");
    check_name("rest%3A%2F%2F10.0.0.7%2Fa", None, "it has no port; write it as host:port");
}

#[test]
fn files_hold_a_list_for_each_service() {
    let toml = "orders = [\"a:1\", { host = \"b\", port = 2, weight = 3 }]\nempty = []";
    let json = r#"{"orders":["a:1",{"host":"b","port":2,"weight":3}],"empty":[]}"#;
    for text in [toml, json] {
        let read = file::list(text, "orders").unwrap();
        assert_eq!(read.iter().map(shown).collect::<Vec<_>>(), ["a:1", "b:2 weight 3"]);
        assert!(file::list(text, "empty").unwrap().is_empty());
        assert!(file::list(text, "nobody").unwrap().is_empty());
    }
    for (text, expected) in [
        ("orders = [\"a:1\"", "it is not TOML"),
        ("{\"orders\":", "it is not JSON"),
        ("orders = 1", "orders is not a list"),
        ("orders = [\"a:1\", \"b\"]", "orders, entry 2: it has no port"),
    ] {
        let problem = file::list(text, "orders").unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn names_of_services_lead_nowhere_else() {
    for fine in ["orders", "com.acme.Orders", "_http._tcp.orders.internal", "orders:8080", "a$b"] {
        assert!(service::check(fine).is_ok(), "{fine}");
    }
    for wrong in ["", "..", ".a", "a/b", "a b", "a%2Fb", "a?b", "a\n", &"a".repeat(201)] {
        assert!(service::check(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_instance_is_called_at_its_port_and_under_its_name() {
    let secure = from_bytes(br#"{"host":"10.0.0.7","port":1,"secure_port":2}"#).unwrap();
    let named = from_bytes(br#"{"host":"10.0.0.7","port":1,"named":"orders"}"#).unwrap();
    let check = |instance: &Instance, is_tls, name: Option<&str>, expected: [&str; 3]| {
        let origin = instance.origin(is_tls, HttpVersion::Auto, name.map(Into::into).as_ref());
        let told = [origin.to_string(), origin.authority(), origin.tls_name().to_owned()];
        assert_eq!(told, expected);
    };
    check(&secure, false, None, ["http://10.0.0.7:1", "10.0.0.7:1", "10.0.0.7"]);
    check(&secure, true, None, ["https://10.0.0.7:2", "10.0.0.7:2", "10.0.0.7"]);
    check(&named, true, None, ["https://10.0.0.7:1", "orders:1", "orders"]);
    check(&named, true, Some("api.acme:8443"), ["https://10.0.0.7:1", "api.acme:8443", "api.acme"]);
    check(&secure, true, Some("api.acme"), ["https://10.0.0.7:2", "api.acme", "api.acme"]);
    check(&secure, true, Some("[::1]:3"), ["https://10.0.0.7:2", "[::1]:3", "::1"]);
}
