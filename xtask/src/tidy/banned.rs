//! Names that code may not use, each with where and why.

use super::Problem;
use super::mask::{Rust, find_word, line_at};

/// Crates (and files) that take time, randomness and input as arguments and return values.
const PURE: [&str; 3] =
    ["crates/posthouse-core/src/", "crates/posthouse-wire/src/", "crates/posthouse-pump/src/"];
const CORE: &str = "crates/posthouse-core/src/";

/// Where a ban holds.
#[derive(Clone, Copy)]
enum Place {
    Everywhere,
    Pure,
    Core,
    Tests,
    Product,
}

struct Ban {
    place: Place,
    names: &'static [&'static str],
    reason: &'static str,
}

const BANS: [Ban; 9] = [
    Ban {
        place: Place::Pure,
        names: &["Instant", "SystemTime"],
        reason: "pure code has no clock: take `now` as an argument",
    },
    Ban {
        place: Place::Pure,
        names: &["std::thread", "thread::spawn", "tokio", "async"],
        reason: "pure code starts nothing and waits for nothing: return an effect",
    },
    Ban {
        place: Place::Pure,
        names: &["std::fs", "std::net", "std::io", "std::env", "std::process"],
        reason: "pure code does no input or output: return an effect",
    },
    Ban {
        place: Place::Pure,
        names: &["rand", "getrandom", "fastrand", "RandomState"],
        reason: "pure code has no randomness of its own: take it as an argument",
    },
    Ban {
        place: Place::Core,
        names: &["HashMap", "HashSet"],
        reason: "its order differs from run to run: use BTreeMap or BTreeSet",
    },
    Ban {
        place: Place::Everywhere,
        names: &["unsafe"],
        reason: "use a well-kept crate that wraps it safely",
    },
    Ban {
        place: Place::Everywhere,
        names: &["todo!", "unimplemented!", "#[ignore"],
        reason: "finish it, or leave it out and open an issue",
    },
    Ban {
        place: Place::Tests,
        names: &["sleep", "sleep_until"],
        reason: "wait for a condition with a deadline, or take time as an argument",
    },
    Ban {
        place: Place::Product,
        names: &[".unwrap()"],
        reason: "answer the error, or say with `expect` why there is none",
    },
];

/// Every banned name that `file` uses.
pub(crate) fn check(file: &Rust) -> Vec<Problem> {
    BANS.iter().flat_map(|ban| uses(file, ban)).collect()
}

fn uses(file: &Rust, ban: &Ban) -> Vec<Problem> {
    let Some(code) = code_in(file, ban.place) else { return Vec::new() };
    let mut problems = Vec::new();
    for name in ban.names {
        for at in find_word(code, name) {
            let message = format!("`{name}` is banned here: {}", ban.reason);
            problems.push(Problem::new(&file.path, line_at(code, at), message));
        }
    }
    problems
}

fn code_in(file: &Rust, place: Place) -> Option<&str> {
    let is_pure = || PURE.iter().any(|prefix| file.path.starts_with(prefix));
    match place {
        Place::Everywhere => Some(&file.code),
        Place::Pure => is_pure().then_some(&file.code),
        Place::Core => file.path.starts_with(CORE).then_some(&file.code),
        Place::Tests => Some(&file.test_code),
        Place::Product => Some(&file.product_code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE_FILE: &str = "crates/posthouse-core/src/queue.rs";
    const WIRE_FILE: &str = "crates/posthouse-wire/src/stomp.rs";
    const STORE_FILE: &str = "crates/posthouse-store/src/journal.rs";
    const TEST_FILE: &str = "crates/posthouse/tests/it/interop.rs";

    fn check_code(path: &str, code: &str, expected: &[&str]) {
        let problems = check(&Rust::new(path, code));
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), expected.len(), "{code:?}: {lines:?}");
        for (line, name) in lines.iter().zip(expected) {
            assert!(line.contains(&format!("`{name}` is banned")), "{code:?}: {line}");
        }
    }

    #[test]
    fn pure_crates_reach_nothing_outside() {
        check_code(CORE_FILE, "let now = Instant::now();", &["Instant"]);
        check_code(CORE_FILE, "let now = SystemTime::now();", &["SystemTime"]);
        check_code(WIRE_FILE, "use std::fs;", &["std::fs"]);
        check_code(WIRE_FILE, "use std::net::TcpStream;", &["std::net"]);
        check_code(WIRE_FILE, "tokio::spawn(f)", &["tokio"]);
        check_code(CORE_FILE, "thread::spawn(f)", &["thread::spawn"]);
        check_code(CORE_FILE, "rand::random()", &["rand"]);
        check_code(CORE_FILE, "brand::name()", &[]);
        check_code(CORE_FILE, "// Instant::now is banned here.", &[]);
        check_code(STORE_FILE, "use std::fs; let now = Instant::now();", &[]);
    }

    #[test]
    fn the_core_repeats_its_runs() {
        check_code(CORE_FILE, "use std::collections::HashMap;", &["HashMap"]);
        check_code(WIRE_FILE, "use std::collections::HashMap;", &[]);
    }

    #[test]
    fn some_names_are_banned_everywhere() {
        check_code(STORE_FILE, "unsafe { f() }", &["unsafe"]);
        check_code(STORE_FILE, "#![forbid(unsafe_code)]", &[]);
        check_code(STORE_FILE, "fn f() { todo!() }", &["todo!"]);
        check_code(STORE_FILE, "fn f() { unimplemented!() }", &["unimplemented!"]);
        check_code(TEST_FILE, "#[ignore = \"slow\"]", &["#[ignore"]);
    }

    #[test]
    fn tests_do_not_sleep_and_the_product_does_not_unwrap() {
        check_code(TEST_FILE, "std::thread::sleep(second)", &["sleep"]);
        check_code(STORE_FILE, "#[cfg(test)]\nmod tests { fn f() { sleep(s) } }", &["sleep"]);
        check_code(STORE_FILE, "tokio::time::sleep(pause).await", &[]);
        check_code(STORE_FILE, "x.unwrap();", &[".unwrap()"]);
        check_code(STORE_FILE, "x.unwrap_or(1);", &[]);
        check_code(TEST_FILE, "x.unwrap();", &[]);
    }
}
