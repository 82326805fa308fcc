//! Signatures, by the example of the Standard Webhooks specification and its reference libraries.

use crate::courier::signature::{Key, list};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn check(secrets: &[&str], id: &str, timestamp: &str, body: &str, expected: &str) {
    let keys: Vec<Key> = secrets.iter().map(|secret| Key::parse(secret).unwrap()).collect();
    assert_eq!(list(&keys, id, timestamp, body.as_bytes()), expected);
}

#[test]
fn signatures_are_those_of_the_specification() {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let body = r#"{"test": 2432232314}"#;
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    check(&[SECRET], id, "1614265330", body, expected);
}

#[test]
fn every_key_signs_the_current_one_first() {
    let (id, timestamp) = ("msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "1674087231");
    let body = r#"{"test": 2432232314}"#;
    let ours = "v1,K4wu9YC60tO5VOpPqI52eI10ifetmY+7Fv0a5Jqcejs=";
    check(&[OTHER], id, timestamp, body, ours);
    let keys = [Key::parse(OTHER).unwrap(), Key::parse(SECRET).unwrap()];
    let both = list(&keys, id, timestamp, body.as_bytes());
    assert_eq!(both.split(' ').count(), 2);
    assert!(both.starts_with(ours), "{both}");
}

#[test]
fn secrets_are_checked_and_never_shown() {
    let cases = [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with \"whsec_\""),
        ("whsec_not base64!", "not base64"),
        ("whsec_c2hvcnQ=", "has 5 bytes instead of 24 to 64"),
    ];
    for (secret, expected) in cases {
        let problem = Key::parse(secret).unwrap_err();
        assert!(problem.contains(expected) && !problem.contains(secret), "{problem}");
    }
    assert_eq!(format!("{:?}", Key::parse(SECRET).unwrap()), "Key(redacted)");
}
