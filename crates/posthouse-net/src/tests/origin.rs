//! URLs to origins.

use hyper::Uri;

use crate::{HttpVersion, Origin};

fn check(url: &str, expected: Option<&str>) {
    let url: Uri = url.parse().unwrap();
    let origin = Origin::of(&url, HttpVersion::Auto);
    assert_eq!(origin.as_ref().ok().map(ToString::to_string).as_deref(), expected, "{origin:?}");
}

#[test]
fn origins_are_scheme_host_and_port() {
    check("http://a.example/x", Some("http://a.example"));
    check("http://A.Example:80/x", Some("http://a.example"));
    check("https://a.example:443", Some("https://a.example"));
    check("https://a.example:80", Some("https://a.example:80"));
    check("http://[::1]:8080/x?y", Some("http://[::1]:8080"));
    check("http://[2606::1]/", Some("http://[2606::1]"));
    check("ftp://a.example/", None);
    check("/only/a/path", None);
    check("http://user:word@a.example/", None);
    check("http://user@a.example/", None);
}
