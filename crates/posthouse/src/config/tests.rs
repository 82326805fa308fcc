//! Tables of configurations: what they mean, or the exact report of what is wrong with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use posthouse_core::destination::{DestinationName, Kind};
use posthouse_core::policy::{Policy, WhenFull};

use super::keys::{KEYS, LISTS, RELAY_RULES, RULES};
use super::raw::Layers;
use super::source::SourceKind;
use super::{
    DEFAULT, Loaded, Report, Sources, add_assignment, add_variable, finish, load, show, source,
};

fn read(file: &str, environment: &[(&str, &str)], set: &[&str]) -> Result<Loaded, Report> {
    let mut layers = Layers::new();
    layers.add_text(&source(SourceKind::Default, "", DEFAULT));
    layers.add_text(&source(SourceKind::File, "posthouse.toml", file));
    for (name, value) in environment {
        add_variable(&mut layers, name, value);
    }
    for assignment in set {
        add_assignment(&mut layers, assignment);
    }
    finish(layers)
}

fn check_report(file: &str, expected: &str) {
    check_report_of(file, &[], &[], expected);
}

fn check_report_of(file: &str, environment: &[(&str, &str)], set: &[&str], expected: &str) {
    let report = read(file, environment, set).expect_err("the configuration has mistakes");
    let told = report.to_string();
    assert_eq!(told.trim(), expected.trim(), "\n{told}");
}

#[test]
fn the_defaults_are_whole_and_documented() {
    let Loaded { raw, config } = read("", &[], &[]).expect("the defaults are right");
    assert!(KEYS.iter().all(|key| raw.settings.contains_key(key.path)), "each has a default");
    assert!(config.stomp.listen.iter().chain(&config.http_listen).all(|a| a.ip().is_loopback()));
    let marks = DEFAULT.matches("[live]").count() + DEFAULT.matches("[restart]").count();
    assert_eq!(marks, KEYS.len() + LISTS.len() + 2, "each says what it takes to change it");
}

#[test]
fn the_commented_rule_shows_the_defaults_of_the_core() {
    let Loaded { config, .. } = read(&documented(RULES), &[], &[]).expect("the rule is right");
    let rules = config.policies.rules;
    assert_eq!(rules.len(), 1);
    assert_eq!(*rules[0].policy, Policy::default());
}

#[test]
fn every_key_of_every_list_is_documented() {
    for list in LISTS {
        let mut layers = Layers::new();
        layers.add_text(&source(SourceKind::File, "posthouse.toml", &documented(list.path)));
        assert_eq!(layers.report, Report::default(), "{}", list.path);
        let keys: BTreeSet<_> = layers.raw.list(list.path)[0].settings.keys().copied().collect();
        assert_eq!(keys, BTreeSet::from_iter(list.keys.iter().copied()), "{}", list.path);
    }
}

/// The commented table of a list in the default file, without its comments.
fn documented(list: &str) -> String {
    let head = format!("# [[{list}]]");
    let from = DEFAULT.find(&head).expect("the list is documented");
    let lines = DEFAULT[from..].lines().map(|line| line.strip_prefix("# ").unwrap_or_default());
    let table = lines.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with('#'));
    table.map(|line| format!("{line}\n")).collect()
}

/// Left out by configurations, these are put in by the courier, and shown as they are there.
const OF_COURIER: [&str; 3] = ["method = ", "success = ", "never = "];

/// An endpoint with a `url` and a discovery by etcd have none of these.
const OF_OTHER_KINDS: [&str; 6] =
    ["destination = ", "file = ", "protocol = ", "session = ", "datacenter = ", "token = "];

/// The same, with only those keys that have no default here.
fn examples(list: &str) -> String {
    let table = documented(list);
    let is_kept = |line: &&str| {
        let is_example = line.starts_with('[') || line.ends_with("# for example");
        is_example || OF_COURIER.iter().any(|key| line.starts_with(key))
    };
    table.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_is_no_example_is_what_holds_when_nothing_is_said() {
    let lists = LISTS.iter().filter(|list| list.path != RULES && list.path != RELAY_RULES);
    let told = |text: fn(&str) -> String| {
        let all: String = lists.clone().map(|list| text(list.path)).collect();
        // The examples are of several kinds, and of different nodes.
        let is_kept = |line: &&str| !OF_OTHER_KINDS.iter().any(|key| line.starts_with(key));
        let all: Vec<&str> = all.lines().filter(is_kept).collect();
        let all = all.join("\n").replace("\"operations\"", "\"collaboration\"");
        let Loaded { config, .. } =
            read(&all, &[], &[]).unwrap_or_else(|report| panic!("{report}"));
        format!("{:#?}", config.relay)
    };
    let (whole, bare) = (told(documented), told(examples));
    for (line, bare) in whole.lines().zip(bare.lines()) {
        assert_eq!(line, bare, "it is shown as a default, and is none");
    }
    assert_eq!(whole.lines().count(), bare.lines().count());
}

#[test]
fn later_layers_win_and_origins_are_told() {
    let file = "node.name = \"a\"\n[limits]\nconnections = 7\n";
    let environment = [
        ("POSTHOUSE__NODE__NAME", "b"),
        ("POSTHOUSE__STOMP__HEART_BEAT_SEND", "3s"),
        ("POSTHOUSE_DATA_DIR", "/elsewhere"),
        ("HOME", "/root"),
    ];
    let set =
        ["node.name=c", "stomp.listen=127.0.0.1:0,[::1]:0", "limits.connections_per_address=5"];
    let Loaded { raw, config } = read(file, &environment, &set).expect("all is right");
    assert_eq!(config.node_name, "c");
    assert_eq!(config.limits.connections_max, 7);
    assert_eq!(config.limits.connections_per_address_max, 5);
    assert_eq!(config.stomp.heart_beat_send_ms, 3_000);
    assert_eq!(config.stomp.listen.len(), 2);
    let origin = |path: &str| raw.settings[path].place.origin();
    assert_eq!(origin("node.name"), "--set");
    assert_eq!(origin("stomp.heart_beat_send"), "environment POSTHOUSE__STOMP__HEART_BEAT_SEND");
    assert_eq!(origin("limits.connections"), "posthouse.toml:3");
    assert_eq!(origin("log.level"), "default");
}

#[test]
fn the_first_rule_that_matches_holds() {
    let file = r#"
        [[destination]]
        pattern = "queue/orders.urgent"
        messages_max = 5
        [[destination]]
        pattern = "*/orders.>"
        when_full = "reject"
        dead_letter = ""
    "#;
    let policies = read(file, &[], &[]).expect("the rules are right").config.policies;
    let of =
        |kind, path| policies.of(&DestinationName::new(kind, path).expect("the name is right"));
    assert_eq!(of(Kind::Queue, "orders.urgent").messages_max, 5);
    assert_eq!(of(Kind::Queue, "orders.urgent").when_full, WhenFull::Block);
    assert_eq!(of(Kind::Topic, "orders.urgent").when_full, WhenFull::Reject);
    assert_eq!(of(Kind::Queue, "orders.a").dead_letter, None);
    assert_eq!(*of(Kind::Queue, "other"), Policy::default());
}

#[test]
fn mistakes_are_reported_together_with_their_places() {
    check_report(
        "[stomp]\nheart_beat_snd = \"10s\"\nlogin_timeout = 5\n\n[log]\nlevel = \"inof\"\n",
        r#"
error[PH1301]: unknown key `stomp.heart_beat_snd`
  --> posthouse.toml:2:1
  |
2 | heart_beat_snd = ***
  | ^^^^^^^^^^^^^^ did you mean `heart_beat_send`?

error[PH1302]: `stomp.login_timeout`: 5 cannot be read
  --> posthouse.toml:3:17
  |
3 | login_timeout = 5
  |                 ^ use a duration such as "250ms", "30s" or "5m"

error[PH1302]: `log.level`: "inof" is none of "error", "warn", "info", "debug", "trace"
  --> posthouse.toml:6:9
  |
6 | level = "inof"
  |         ^^^^^^ did you mean "info"?

3 mistakes in the configuration"#,
    );
}

#[test]
fn broken_toml_is_reported_with_its_place() {
    check_report(
        "[stomp\nlisten = 3\nlisten = 4\n",
        r#"
error[PH1303]: unclosed table, expected `]`
  --> posthouse.toml:1:7
  |
1 | [stomp
  |       ^ this is not TOML as it should be

1 mistake in the configuration"#,
    );
}

#[test]
fn variables_and_flags_are_reported_too() {
    let environment = [("POSTHOUSE__STOMP__LISEN", "x"), ("POSTHOUSE__LIMITS__MEMORY", "lots")];
    check_report_of(
        "",
        &environment,
        &["node.name", "http.listen=0.0.0.0:80", "limits.connections=-1"],
        r#"
error[PH1301]: unknown key `stomp.lisen`
 --> environment variable POSTHOUSE__STOMP__LISEN
 |
 | POSTHOUSE__STOMP__LISEN=***
 | ^^^^^^^^^^^^^^^^^^^^^^^ did you mean `stomp.listen`?

error[PH1302]: `limits.memory`: "lots" cannot be read
 --> environment variable POSTHOUSE__LIMITS__MEMORY
 |
 | POSTHOUSE__LIMITS__MEMORY=lots
 |                           ^^^^ use a size such as "512 B", "64 KiB" or "16 MiB"

error[PH1302]: this sets nothing
 --> command line, --set
 |
 | node.name
 | ^^^^^^^^^ write it as KEY=VALUE

error[PH1304]: `http.listen`: 0.0.0.0:80 is open to others, which needs messaging users and TLS
 --> command line, --set
 |
 | http.listen=0.0.0.0:80
 |             ^^^^^^^^^^ this version has no messaging users yet: use 127.0.0.1 or [::1]

error[PH1302]: `limits.connections`: "-1" cannot be read
 --> command line, --set
 |
 | limits.connections=-1
 |                    ^^ use a whole number, 0 or more

5 mistakes in the configuration"#,
    );
}

#[test]
fn a_missing_file_is_reported() {
    let file = Some("/nowhere/posthouse.toml".into());
    let report = load(&Sources { file, ..Sources::default() }).expect_err("there is no file");
    assert!(report.to_string().contains("/nowhere/posthouse.toml cannot be read"), "{report}");
}

#[test]
fn many_mistakes_are_cut_short() {
    let file: String = (0..30).map(|n| format!("unknown_{n} = 1\n")).collect();
    let report = read(&file, &[], &[]).expect_err("nothing of it exists");
    let told = report.to_string();
    assert!(
        told.contains("... and 10 more.") && told.ends_with("30 mistakes in the configuration")
    );
    assert_eq!(report.to_json().len(), 30, "programs get all of them");
    assert!(Arc::strong_count(&report.mistakes[0].place.clone().expect("a place").source) > 1);
}

#[test]
fn rules_are_checked_field_by_field() {
    check_report(WRONG_RULES, WRONG_RULES_REPORT);
}

#[test]
fn health_rules_are_checked() {
    let check = |table: &str, words: &str| {
        let source = "[[relay.source]]\nname = \"shop\"\nurl = \"sqlite:requests.db\"\n";
        let report = read(&format!("{source}{table}"), &[], &[]);
        let report = report.expect_err(table).to_string();
        assert!(report.contains(words), "{report}");
    };
    let rule = |rest: &str| format!("[[relay.rule]]\n{rest}");
    check(&rule("name = \"claimable\""), "there is no rule \"claimable\"");
    check(&rule("name = \"claimable-age\"\nof = \"NOPE\""), "there is no code \"NOPE\"");
    check(&rule("name = \"fenced\"\nof = \"NOPE\""), "about the source as a whole");
    check(&rule("name = \"fenced\"\nlimit = \"5m\""), "use a whole number");
    check(&rule("name = \"claimable-age\"\nlimit = 5"), "use a duration");
    check(&rule("name = \"fenced\"\nsource = \"shp\""), "did you mean \"shop\"?");
    check(&rule("name = \"fenced\"\n[[relay.rule]]\nname = \"fenced\""), "said twice");
    check("[[relay.alarm]]\nendpoint = \"nowhere\"", "\"nowhere\" does not exist");
    check("[[relay.alarm]]\nseverity = \"error\"", "an alarm target without `endpoint`");
}

#[test]
fn dead_letter_queues_are_named_alone() {
    for prefix in ["queue/", "topic/", "/queue/"] {
        let rule =
            format!("[[destination]]\npattern = \"*/>\"\ndead_letter = \"{prefix}DLQ.{{}}\"");
        let report = read(&rule, &[], &[]).expect_err("it is no name").to_string();
        assert!(report.contains("write the queue's name alone, such as DLQ.{}"), "{report}");
    }
}

const WRONG_RULES: &str = r#"
stomp = 3
[[destination]]
pattern = "orders"
when_ful = "block"
persistence = true
attempts_max = 2000000
dead_letter = "DLQ {}"
[[destination]]
messages_max = 1979-05-27
[stomp_tls]
"#;

const WRONG_RULES_REPORT: &str = r#"
error[PH1302]: `stomp` is a section, not a value
  --> posthouse.toml:2:9
  |
2 | stomp = ***
  |         ^^^ write a table [stomp]

error[PH1302]: `pattern`: "orders" is not a pattern
  --> posthouse.toml:4:11
  |
4 | pattern = "orders"
  |           ^^^^^^^^ begin it with queue/, topic/ or */

error[PH1301]: unknown key `when_ful` in a rule
  --> posthouse.toml:5:1
  |
5 | when_ful = ***
  | ^^^^^^^^ did you mean `when_full`?

error[PH1302]: `persistence`: true cannot be read
  --> posthouse.toml:6:15
  |
6 | persistence = true
  |               ^^^^ use a string in quotes

error[PH1302]: `attempts_max`: 2000000 is out of range
  --> posthouse.toml:7:16
  |
7 | attempts_max = 2000000
  |                ^^^^^^^ use 0 to 1000000

error[PH1302]: `dead_letter`: "DLQ {}" does not name a queue
  --> posthouse.toml:8:15
  |
8 | dead_letter = "DLQ {}"
  |               ^^^^^^^^ use a name such as "DLQ.{}" or "dead"; empty discards

error[PH1302]: a rule without `pattern` is for nothing
  --> posthouse.toml:9:1
  |
9 | [[destination]]
  | ^^^^^^^^^^^^^^^ add pattern = "queue/PATH", "topic/PATH" or "*/PATH"

error[PH1302]: `messages_max`: a TOML datetime cannot be read
   --> posthouse.toml:10:16
   |
10 | messages_max = 1979-05-27
   |                ^^^^^^^^^^ use a whole number, 0 or more

error[PH1301]: unknown key `stomp_tls`
   --> posthouse.toml:11:2
   |
11 | [stomp_tls]
   |  ^^^^^^^^^ `posthouse config default` lists all keys

9 mistakes in the configuration"#;

#[test]
fn secrets_of_the_relay_are_not_shown() {
    let file = "[[relay.source]]\nname = \"a\"\nurl = \"postgres://me:secret@host/db\"\n\
        [[relay.endpoint]]\nname = \"b\"\nurl = \"http://host/\"\nheaders = [\"a: secret\"]\n";
    let Loaded { raw, .. } = read(file, &[], &[]).expect("it is right");
    let rows = show(&raw);
    let row = rows.iter().find(|row| row["key"] == "relay.source.0.url").expect("it is there");
    assert_eq!(row["value"], "postgres://me:***@host/db");
    let row = rows.iter().find(|row| row["key"] == "relay.endpoint.0.headers");
    assert_eq!(row.expect("it is there")["value"], serde_json::json!(["a: ***"]));
    assert!(!serde_json::Value::from(rows).to_string().contains("secret"));
}

/// What is told of an endpoint with these lines.
fn told_of_endpoint(lines: &str) -> String {
    let file = format!("[[relay.endpoint]]\nname = \"a\"\n{lines}\n");
    read(&file, &[], &[]).err().map(|report| report.to_string()).unwrap_or_default()
}

#[test]
fn endpoints_have_the_keys_of_their_kind() {
    for lines in [
        "url = \"frame://127.0.0.1:1\"\nservice = \"a\"\nheaders = [\"a: {code}\"]",
        "url = \"frames://orders.example:1\"\nmethod = \"\"\nallow = [\"10.0.0.0/8\"]",
        "url = \"grpc://127.0.0.1:1/{service}/{method}\"\nservice_method = \"b\"",
        "url = \"grpcs://orders.example\"\ncontent_type = \"text/plain\"\nbody = \"{code}\"",
        "destination = \"queue/a\"\nservice = \"a\"\nrate = 3",
    ] {
        assert_eq!(told_of_endpoint(lines), "", "{lines}");
    }
    let check = |lines: &str, expected: &str| {
        let told = told_of_endpoint(lines);
        assert!(told.contains(expected), "{lines}:\n{told}");
        assert!(told.contains("--> posthouse.toml:4:"), "{lines}:\n{told}");
    };
    let frame = "url = \"frame://127.0.0.1:1\"";
    check(&format!("{frame}\nmethod = \"PUT\""), "`method`: it means nothing for an endpoint that");
    check(&format!("{frame}\nsuccess = \"200\""), "is called by the frame protocol");
    let grpc = "url = \"grpc://127.0.0.1:1/a/b\"";
    check(&format!("{grpc}\nhttp = \"2\""), "`http`: it means nothing for an endpoint that");
    check(&format!("{grpc}\nbody = \"{{code}}\""), "the row's body is its message already");
    check("destination = \"queue/a\"\nallow = [\"a.example\"]", "for a destination of this node");
    check("rate = 3\nurl = \"frame://127.0.0.1\"", "it has no port");
}

/// A discovery, and an endpoint that asks it.
fn check_discovery(discovery: &str, endpoint: &str, expected: &[&str]) {
    let file = format!(
        "[[relay.discovery]]\nname = \"registry\"\n{discovery}\n\
         [[relay.endpoint]]\nname = \"b\"\n{endpoint}\n"
    );
    let told = read(&file, &[], &[]).err().map(|report| report.to_string()).unwrap_or_default();
    assert_eq!(told.is_empty(), expected.is_empty(), "{told}");
    expected.iter().for_each(|expected| assert!(told.contains(expected), "{expected}: {told}"));
}

#[test]
fn discoveries_and_those_that_ask_them_are_checked() {
    let file = "kind = \"file\"\nfile = \"a.toml\"";
    let asks = "url = \"http://{instance}/{code}\"\nallow = [\"10.0.0.0/8\"]\n\
                discovery = \"registry\"\ninstances_of = \"orders\"";
    check_discovery(file, asks, &[]);
    check_discovery("kind = \"dns\"\nservers = \"10.0.0.53\"", asks, &[]);
    let zookeeper = "kind = \"zookeeper\"\nservers = [\"a:2181\"]\npath = \"/{service}\"";
    check_discovery(zookeeper, &asks.replace("orders\"", "{service}\"\nbalance = \"by-key\""), &[]);
    let etcd = "kind = \"etcd\"\nservers = [\"https://a:2379\"]\npath = \"/{service}/\"";
    check_discovery(etcd, &format!("{asks}\nhost = \"orders.acme\""), &[]);
    check_discovery("kind = \"consul\"\nservers = \"http://a:8500\"", asks, &[]);

    check_discovery("kind = \"file\"", asks, &["a discovery by file without `file`"]);
    check_discovery("kind = \"fil\"", asks, &["`kind`"]);
    check_discovery(&format!("{file}\nrefresh = \"1s\""), asks, &["means nothing for kind"]);
    check_discovery("kind = \"dns\"\nservers = \"a\"", asks, &["of a name server"]);
    check_discovery(&zookeeper.replace("a:2181", "a"), asks, &["write host:port"]);
    check_discovery(&zookeeper.replace("{service}", "x"), asks, &["write {service}"]);
    check_discovery(&format!("{zookeeper}\nuser = \"a\""), asks, &["both `user` and `password`"]);
    check_discovery("kind = \"consul\"", asks, &["`servers`: it has none"]);
    check_discovery(&etcd.replace("https", "htps"), asks, &["write http://host:port"]);
    let login = "user = \"a\"\npassword = \"/nowhere\"";
    check_discovery(&format!("{etcd}\n{login}"), asks, &["the file that it names cannot be read"]);

    check_discovery(file, &asks.replace("registry", "registri"), &["did you mean \"registry\"?"]);
    check_discovery(file, &asks.replace("{instance}", "host"), &["its host is not {instance}"]);
    check_discovery(file, &asks.replace("10.0.0.0/8", ""), &["`allow`"]);
    check_discovery(file, &asks.replace("[\"10.0.0.0/8\"]", "[]"), &["it names no network"]);
    check_discovery(file, &asks.replace("orders", "{nobody}"), &["there is no field {nobody}"]);
    check_discovery(file, &format!("{asks}\nhost = \"a@b\""), &["`host`: it is not a host"]);
    let half = "url = \"http://{instance}/\"\nallow = [\"10.0.0.0/8\"]";
    check_discovery(file, half, &["needs a discovery"]);
    check_discovery(file, &format!("{half}\ninstances_of = \"a\""), &["found by both"]);
}

#[test]
fn a_table_has_one_source() {
    let file = "[[relay.source]]\nname = \"a\"\nurl = \"sqlite:there/../a.db\"\n\
        [[relay.source]]\nname = \"b\"\nurl = \"postgres://me:secret@host/db\"\n\
        [[relay.source]]\nname = \"c\"\nurl = \"postgres://me:other@HOST:5432/db\"\n\
        [[relay.source]]\nname = \"d\"\nurl = \"postgres://me:secret@host/other\"\n";
    let told = read(file, &[], &[]).expect_err("b and c are one table").to_string();
    assert!(told.contains("the source \"b\" at posthouse.toml:6"), "{told}");
    assert!(told.contains("--> posthouse.toml:9"), "{told}");
    assert_eq!(told.matches("has the same table").count(), 1, "{told}");
    let file = "[[relay.source]]\nname = \"a\"\nurl = \"sqlite:a.db\"\n\
        [[relay.source]]\nname = \"b\"\nurl = \"sqlite:./a.db?mode=rw\"\n";
    let told = read(file, &[], &[]).expect_err("they are one file").to_string();
    assert!(told.contains("the source \"a\" at posthouse.toml:3"), "{told}");
}

/// A mistake in this table of a source or an endpoint is reported, and the secret is not.
fn check_untold(table: &str) {
    let file = format!("[[relay.{table}\nname = \"a\"\ntimeout = 3\nround = 3\n");
    for environment in [&[][..], &[("POSTHOUSE__RELAY__SOURCE__URL", "postgres:me:hunter2@h")]] {
        let report = read(&file, environment, &["relay.url=http://me:hunter2@h"]).expect_err(table);
        let told = format!("{report}{}", serde_json::Value::from(report.to_json()));
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn secrets_are_not_told_with_mistakes() {
    for url in [
        "postgres://me:hunter2@host:port/db",
        "postgres:me:hunter2@host/db",
        "postgres://me:1#hunter2@host/db",
        "postgres://host/db?sslpassword=hunter2",
        "host=there password=hunter2",
        "oracle://me:hunter2@host/db",
    ] {
        for key in ["url", "ulr", "url_file", "password"] {
            check_untold(&format!("source]]\n{key} = \"{url}\""));
        }
        check_untold(&format!("source]]\nurl = \"{url}"));
        check_untold(&format!("source]]\nurl = [\"{url}\"]"));
        check_untold(&format!("source]]\nurl = [\n\"{url}\"\n]"));
        check_untold(&format!("source]]\nregion = \"a\" \"{url}\""));
    }
    for lines in [
        "kind = \"etcd\"\nservers = [\"http://me:hunter2@host:80\"]",
        "kind = \"consul\"\nservers = [\"http://host:80/?token=hunter2\"]",
        "kind = \"zookeeper\"\nservers = [\"me:hunter2@host:80\"]",
        "kind = \"dns\"\nservers = [\"me:hunter2@host:80\"]",
        "kind = \"etcd\"\nuser = \"me\"\npassword = \"hunter2\"",
        "kind = \"file\"\npassword = \"hunter2\"",
        "kind = \"consul\"\ntoken = \"env:hunter2\"",
    ] {
        check_untold(&format!("discovery]]\n{lines}"));
    }
    for line in [
        "url = \"http://me:hunter2@host/\"",
        "url = \"http://me:hunter2@host:80/\"",
        "url = \"http://host:hunter2/\"",
        "url = \"http://host/?token=hunter2#\"",
        "url = \"http://host/\"\nallow = [\"me:hunter2@host:80\"]",
        "url = \"http://host/\"\nheaders = [\"authorization hunter2\"]",
        "url = \"http://host/\"\nheaders = [\n\"authorization hunter2\"\n]",
        "url = \"http://host/\"\nheaders = [\"a b: hunter2\"]",
        "url = \"http://host/\"\nheaders = \"a: hunter2\" x",
        "url = \"http://host/\"\nheader = [\"a: hunter2\"]",
        "url = \"http://host/\"\nbody = \"hunter2\"",
        "url = \"http://host/\"\nbody = \"\"\"\nhunter2: \\q\n\"\"\"",
        "url = \"http://host/\"\nsigning_keys = [\"whsec_hunter2\"]",
        "url = \"http://host/\"\nsigning_keys = [\"env:whsec_hunter2\"]",
        "url = \"http://host/\"\nclient_key_file = \"-----BEGIN hunter2\"",
        "url = \"http://host/\"\nca_file = \"-----BEGIN hunter2\"",
    ] {
        check_untold(&format!("endpoint]]\n{line}"));
    }
}

#[test]
fn addresses_of_sources_are_checked_before_a_start() {
    let check = |line: &str, expected: &str| {
        let file = format!("[[relay.source]]\nname = \"shop\"\n{line}\n");
        let told = read(&file, &[], &[]).err().map(|report| report.to_string());
        let told = told.unwrap_or_default();
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{told}");
    };
    check("url = \"sqlite:requests.db\"", "");
    check("url = \"postgres://me@host/db\"", "");
    check("url = \"mysql://me@host/db\"", "");
    check("url = \"mariadb://me@host/db\"\nsettle = \"key_seq\"", "");
    check("url = \"mariadb://me@host\"", "which database of the server");
    check("url = \"mysql://me@host/db\"\nsettle = \"xid\"", "\"xid\" is for PostgreSQL");
    check("url = \"sqlite:a.db\"\nsettle = \"xid\"", "\"xid\" is for PostgreSQL");
    check("url = \"postgres://me@host/db\"\nsettle = \"xid\"", "");
    check(
        "url = \"oracle://me@host/db\"",
        "source \"shop\" cannot be used: the address of a source",
    );
    check("url = \"postgres:host/db\"", "lacks the //");
    check("url = \"sqlite:a.db?mode=x\"", "write it as sqlite:FILE");
    check("url = \"\"", "a source needs one of `url` and `url_file`");
    check("url_file = \"/nowhere/url\"", "/nowhere/url: No such file");
    check("url_file = \"/dev/null\"", "/dev/null: it is empty");
}

/// Mistakes of a source, whose groups say more.
fn check_source(keys: &str, group: &str, expected: &str) {
    let text = format!(
        "[[relay.source]]\nname = \"s\"\nurl = \"sqlite:a.db\"\n{keys}\n\
         [[relay.group]]\nname = \"g\"\n{group}\n"
    );
    let found = match read(&text, &[], &[]) {
        Ok(_) => String::new(),
        Err(report) => report.to_string(),
    };
    let is_as_expected = found.is_empty() == expected.is_empty() && found.contains(expected);
    assert!(is_as_expected, "{text}\n{found}");
}

#[test]
fn what_is_removed_and_what_is_marked_makes_sense() {
    check_source("keep_done = \"7d\"\nkeep_failed = \"always\"\narchive = true", "", "");
    check_source("keep_archive = \"365d\"", "", "");
    check_source("keep_done = \"59s\"", "", "keep_done");
    check_source("keep_expired = \"later\"", "", "keep_expired");
    check_source("archive = true", "", "nothing would ever be moved there");
    check_source("", "claim = \"mark\"\norder = \"none\"", "");
    check_source("", "claim = \"mark\"", "write order = \"none\"");
    check_source("", "claim = \"mark\"\norder = \"key-and-code\"", "write order = \"none\"");
}
