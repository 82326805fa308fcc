//! The guard, address by address.

use crate::Reach;

/// `target` is a host, an arrow and its addresses, or an address alone; all on port 443.
fn check(rules: &str, target: &str, is_allowed: bool) {
    let rules: Vec<&str> = rules.split_whitespace().collect();
    let reach = Reach::parse(&rules).unwrap();
    let (host, addresses) = target.split_once(" -> ").unwrap_or((target, target));
    let addresses: Vec<_> =
        addresses.split_whitespace().map(|text| text.parse().unwrap()).collect();
    let allowed = reach.check(host, 443, &addresses);
    assert_eq!(allowed.is_ok(), is_allowed, "{target} with {rules:?}: {allowed:?}");
}

#[test]
fn nothing_is_allowed_by_default() {
    for target in ["api.example.com -> 93.184.216.34", "8.8.8.8", "127.0.0.1", "::1", "2606::1"] {
        check("", target, false);
    }
}

#[test]
fn names_open_public_addresses_only() {
    let rules = "api.example.com *.svc.example.org:443 other.example.com:8443";
    check(rules, "api.example.com -> 93.184.216.34", true);
    check(rules, "api.example.com. -> 93.184.216.34", true);
    check(rules, "api.example.com -> 2606:2800:220:1::1", true);
    check(rules, "api.example.com -> 93.184.216.34 2606:2800:220:1::1", true);
    check(rules, "a.svc.example.org -> 93.184.216.34", true);
    check(rules, "a.b.svc.example.org -> 93.184.216.34", true);
    check(rules, "svc.example.org -> 93.184.216.34", false);
    check(rules, "evilsvc.example.org -> 93.184.216.34", false);
    check(rules, "other.example.com -> 93.184.216.34", false);
    check(rules, "example.com -> 93.184.216.34", false);
    check(rules, "api.example.com.evil.net -> 93.184.216.34", false);
    check(rules, "xapi.example.com -> 93.184.216.34", false);
    check(rules, "93.184.216.34", false);
}

#[test]
fn a_named_host_that_leads_inside_is_refused() {
    let inside = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 \
        127.1.2.3 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.0.192 \
        192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 \
        224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 ::127.0.0.1 \
        ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0 64:ff9b::7f00:1 \
        64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::1 64:ff9b:1:fffe::7f00:1 2002:7f00:1:: \
        2002:a00:1::1 2002:a9fe:a9fe::1 2001:0:1:2::3 2001:1::1 2001:20::1 2001:db8::1 3fff::1 \
        100::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fd00:ec2::254 fd20:ce::254 fe80::1 febf::1 \
        fec0::1 ff02::1 ff0e::1";
    for address in inside.split_whitespace() {
        check("api.example.com", &format!("api.example.com -> {address}"), false);
    }
}

#[test]
fn addresses_at_the_edge_of_what_is_inside_are_public() {
    let outside = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
        128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 \
        192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2000::1 2001:200::1 2003::1 \
        ::ffff:8.8.8.8 64:ff9b::808:808 2002:808:808::1";
    for address in outside.split_whitespace() {
        check("api.example.com", &format!("api.example.com -> {address}"), true);
    }
}

#[test]
fn one_forbidden_address_spoils_the_answer() {
    check("a.example", "a.example -> 93.184.216.34 10.0.0.1", false);
    check("a.example", "a.example -> 93.184.216.34 ::1", false);
    check("a.example 10.0.0.0/8", "a.example -> 93.184.216.34 10.0.0.1", true);
    check("10.0.0.0/8", "a.example -> 10.0.0.1 93.184.216.34", false);
    check("10.0.0.0/8", "a.example -> 10.0.0.1 10.0.0.2", true);
}

#[test]
fn networks_open_what_they_contain() {
    check("10.0.0.0/8", "10.1.2.3", true);
    check("10.0.0.0/8", "erp.internal -> 10.1.2.3", true);
    check("10.0.0.0/8", "11.0.0.1", false);
    check("10.1.2.3", "10.1.2.3", true);
    check("10.1.2.3", "10.1.2.4", false);
    check("10.0.0.0/8:443", "10.1.2.3", true);
    check("10.0.0.0/8:8443", "10.1.2.3", false);
    check("10.0.0.0/8", "::ffff:10.1.2.3", true);
    check("10.0.0.0/8", "64:ff9b::10.1.2.3", true);
    check("10.0.0.0/8", "2002:a01:203::1", true);
    check("fd00::/8", "fd12::1", true);
    check("[fd00::/8]:443", "fd12::1", true);
    check("[fd00::/8]:80", "fd12::1", false);
    check("[2606::1]:443", "2606::1", true);
    check("2606::1", "2606::1", true);
    check("93.184.216.0/24", "anything.example -> 93.184.216.34", true);
}

#[test]
fn this_machine_and_metadata_must_be_named_themselves() {
    for address in ["127.0.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16"] {
        check("0.0.0.0/0 100.64.0.0/10 168.63.0.0/16", address, false);
    }
    for address in ["::1", "fe80::1", "fd00:ec2::254"] {
        check("::/0 fd00::/8", address, false);
    }
    check("127.0.0.0/8", "127.0.0.1", true);
    check("127.0.0.1", "127.0.0.1", true);
    check("127.0.0.1", "localhost -> 127.0.0.1", true);
    check("127.0.0.1", "localhost -> 127.0.0.1 ::1", false);
    check("127.0.0.1 ::1", "localhost -> 127.0.0.1 ::1", true);
    check("127.0.0.1", "::ffff:127.0.0.1", true);
    check("169.254.0.0/16", "169.254.169.254", true);
    check("169.254.169.254/32", "169.254.169.254", true);
    check("fe80::/10", "fe80::1", true);
}

#[test]
fn some_addresses_are_never_called() {
    let never = "0.0.0.0 224.0.0.1 255.255.255.255 :: ff02::1 ::10.0.0.1 64:ff9b:1::1 2001::1";
    for address in never.split_whitespace() {
        check("0.0.0.0/0 ::/0", address, false);
        check(address, address, false);
    }
}

#[test]
fn a_name_that_nothing_could_open_is_not_even_resolved() {
    let cases = [
        ("api.example.com", "api.example.com", true),
        ("api.example.com", "other.example.com", false),
        ("10.0.0.0/8", "other.example.com", true),
        ("10.0.0.0/8:80", "other.example.com", false),
    ];
    for (rule, host, expected) in cases {
        let reach = Reach::parse(&[rule]).unwrap();
        assert_eq!(reach.check_name(host, 443).is_ok(), expected, "{host} with {rule}");
    }
}

#[test]
fn rules_that_cannot_be_read_are_all_reported() {
    let rules = [
        "api.example.com",
        "https://api.example.com",
        "api.example.com:http",
        "api.example.com:0",
        "a*.example.com",
        "*",
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.300",
        "10.1",
        "::ffff:10.0.0.0/104",
        "64:ff9b::/96",
        "[fd00::/8",
        "[fd00::/8]80",
        "a..b",
    ];
    let faults = Reach::parse(&rules).unwrap_err();
    let named: Vec<&str> = faults.iter().map(|fault| fault.rule.as_str()).collect();
    assert_eq!(named, rules[1..]);
    assert!(faults[6].problem.contains("10.0.0.0/8"), "{}", faults[6]);
}

#[test]
fn a_password_in_a_rule_is_not_repeated() {
    for rule in ["me:secret@host", "me:secret@host:80", "http://me:secret@host/", "me:s/ecret@h"] {
        let faults = Reach::parse(&[rule]).unwrap_err();
        let told = faults.iter().map(ToString::to_string).collect::<String>();
        assert!(told.contains("user name or password") && !told.contains("ecret"), "{told}");
    }
}
