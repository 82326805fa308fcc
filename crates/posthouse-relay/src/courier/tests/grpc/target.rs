//! Mistakes in a target.

use super::target;
use crate::courier::{CallTarget, GrpcCourier};

fn faults(target: CallTarget) -> String {
    let faults = GrpcCourier::new(target).err().unwrap_or_default();
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

fn check(url: &str, expected: &str) {
    let told = faults(target(url));
    assert!(told.contains(expected), "{url}: {told:?}");
    assert_eq!(told.is_empty(), expected.is_empty(), "{url}: {told:?}");
}

#[tokio::test]
async fn addresses_are_an_origin_and_perhaps_a_method() {
    check("grpc://127.0.0.1:1", "");
    check("grpc://127.0.0.1:1/", "");
    check("grpc://127.0.0.1:1/{service}/{method}", "");
    check("grpcs://127.0.0.1/org.example.{code}/pay-{method}", "");
    check("http://127.0.0.1:1", "grpc:// or grpcs://");
    check("grpc://127.0.0.1:1/{service}", "not /SERVICE/METHOD");
    check("grpc://127.0.0.1:1/a/b/c", "not /SERVICE/METHOD");
    check("grpc://127.0.0.1:1/a/b?c=d", "not /SERVICE/METHOD");
    check("grpc://127.0.0.1:1/{body}/b", "in a body only");
    check("grpc://{service}:1/a/b", "rows do not choose the host");
    check("grpc://10.0.0.1:1/a/b", "add its network");
}

#[tokio::test]
async fn what_has_no_meaning_is_refused() {
    let mut raw = target("grpc://127.0.0.1:1/a/b");
    raw.body = Some("{body}".into());
    raw.content_type = Some("text/plain".into());
    raw.headers = vec![("Grpc-Timeout".into(), "1S".into()), ("te".into(), "x".into())];
    raw.timeout_ms = 0;
    let told = faults(raw);
    for field in ["body:", "content_type:", "headers.Grpc-Timeout:", "headers.te:", "timeout_ms:"] {
        assert!(told.contains(field), "{told}");
    }
    let mut envelope = target("grpc://127.0.0.1:1");
    envelope.body = Some("{body}".into());
    envelope.content_type = Some("text/plain".into());
    assert_eq!(faults(envelope), "");
}
