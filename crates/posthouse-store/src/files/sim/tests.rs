//! The simulated disk behaves like a bad disk, and like a good one where it must.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use super::{Action, BLOCK_BYTES, Fate, Fault, SimFiles};
use crate::files::Files;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// A letter for each block of a file, `.` for one of zeros, or `None` if there is no such file.
fn letters(files: &SimFiles, name: &str) -> Option<String> {
    let file = files.open(name).ok()?;
    let mut content = vec![0xff; file.bytes().unwrap() as usize];
    assert_eq!(file.read_at(&mut content, 0).unwrap(), content.len());
    let letter = |block: &[u8]| {
        assert!(block.iter().all(|byte| *byte == block[0]), "a block is never torn");
        if block[0] == 0 { '.' } else { block[0] as char }
    };
    Some(content.chunks(BLOCK_BYTES).map(letter).collect())
}

/// Carries out a script on a disk: words such as `make a`, `write a AB 0`, `room a 4`, `sync a`,
/// `name a b`, `drop a`, `names`. A letter is a block of it.
fn carry_out(files: &SimFiles, script: &str) {
    for line in script.split(',') {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["make", name] => drop(files.create(name).unwrap()),
            ["write", name, letters, at] => {
                let bytes: Vec<u8> = letters.bytes().flat_map(|b| [b; BLOCK_BYTES]).collect();
                let at: u64 = at.parse().unwrap();
                files.open(name).unwrap().write_at(&bytes, at * BLOCK).unwrap();
            }
            ["room", name, blocks] => {
                let blocks: u64 = blocks.parse().unwrap();
                files.open(name).unwrap().reserve(blocks * BLOCK).unwrap();
            }
            ["sync", name] => files.open(name).unwrap().sync().unwrap(),
            ["name", from, to] => files.rename(from, to).unwrap(),
            ["drop", name] => files.remove(name).unwrap(),
            ["names"] => files.sync_names().unwrap(),
            _ => panic!("{line}"),
        }
    }
}

/// All files with their blocks, as `a=AB b=`.
fn listing(files: &SimFiles) -> String {
    let names = files.names().unwrap();
    let files = names.iter().map(|name| format!("{name}={}", letters(files, name).unwrap()));
    files.collect::<Vec<_>>().join(" ")
}

/// Every disk that a crash at the end of the script may leave.
fn outcomes(script: &str, fate: Fate) -> BTreeSet<String> {
    let files = SimFiles::new();
    carry_out(&files, script);
    let crashed = |seed| listing(&files.crashed(files.operations(), fate, seed));
    (0..2_000).map(crashed).collect()
}

fn check(script: &str, fate: Fate, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(outcomes(script, fate), expected, "{script} {fate:?}");
}

const MADE: &str = "make a, write a AB 0, sync a, names";

#[test]
fn what_was_synced_survives_everything() {
    for fate in Fate::ALL {
        check(MADE, fate, &["a=AB"]);
        check("make a, write a A 0, sync a, name a b, names", fate, &["b=A"]);
        check("make a, make b, names, drop a, names", fate, &["b="]);
    }
}

#[test]
fn what_was_not_synced_is_lost_or_not() {
    let script = format!("{MADE}, write a CD 0, write a EF 2");
    check(&script, Fate::Lost, &["a=AB"]);
    check(&script, Fate::Kept, &["a=CDEF"]);
    check(&script, Fate::Killed, &["a=CDEF"]);
    check(&script, Fate::Prefix, &["a=AB", "a=CD"]);
    check(&script, Fate::Latest, &["a=ABEF", "a=CDEF"]);
    let torn = ["a=CD..", "a=CDE.", "a=CD.F", "a=CDEF"];
    check(&script, Fate::Torn, &torn);
    let some = outcomes(&script, Fate::Some);
    let heads = ["AB", "CB", "AD", "CD"];
    for head in heads {
        assert!(some.contains(&format!("a={head}")), "the length may be the old one");
        for tail in ["..", "E.", ".F", "EF"] {
            assert!(some.contains(&format!("a={head}{tail}")), "{head}{tail} of {some:?}");
        }
    }
    assert_eq!(some.len(), heads.len() * 5);
}

#[test]
fn a_block_that_is_written_twice_may_be_any_of_its_versions() {
    let script = format!("{MADE}, write a C 0, write a D 0");
    check(&script, Fate::Some, &["a=AB", "a=CB", "a=DB"]);
    check(&script, Fate::Prefix, &["a=AB", "a=CB"]);
}

#[test]
fn room_that_was_set_aside_reads_as_zeros() {
    let script = format!("{MADE}, room a 3, sync a, write a C 2");
    check(&script, Fate::Lost, &["a=AB."]);
    check(&script, Fate::Some, &["a=AB.", "a=ABC"]);
}

#[test]
fn names_survive_each_for_itself_but_in_order() {
    check("make a, make b", Fate::Some, &["", "a=", "b=", "a= b="]);
    check("make a, names, make b, name b c", Fate::Some, &["a=", "a= b=", "a= c="]);
    let replaced = "make a, make b, write b B 0, sync b, names, name b a, drop a";
    check(replaced, Fate::Some, &["a= b=B", "a=B", ""]);
    check("make a, names, drop a, make a", Fate::Some, &["a=", ""]);
    check("make a, make b, names, drop a, make c", Fate::Latest, &["a= b= c=", "b= c="]);
}

#[test]
fn a_name_may_survive_without_its_content_and_content_without_its_name() {
    let some = outcomes("make a, write a AB 0, name a b", Fate::Some);
    for listing in ["", "a=", "a=A.", "b=", "b=..", "b=AB"] {
        assert!(some.contains(listing), "{listing} of {some:?}");
    }
    check("make a, write a AB 0, sync a", Fate::Some, &["", "a=AB"]);
}

#[test]
fn after_a_kill_what_was_not_synced_can_be_read_and_still_be_lost() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    carry_out(&files, "write a C 0");
    let killed = files.crashed(files.operations(), Fate::Killed, 0);
    assert_eq!(listing(&killed), "a=CB");
    assert_eq!(listing(&killed.crashed(0, Fate::Lost, 0)), "a=AB");
    carry_out(&killed, "sync a");
    assert_eq!(listing(&killed.crashed(1, Fate::Lost, 0)), "a=CB");
}

#[test]
fn a_crash_may_be_anywhere_in_the_trace() {
    let files = SimFiles::new();
    let mut expected = Vec::new();
    carry_out(&files, MADE);
    for letter in ('C'..='Z').cycle().take(100) {
        carry_out(&files, &format!("write a {letter} 0, sync a"));
        expected.push((files.operations(), format!("a={letter}B")));
    }
    for (at, listed) in expected {
        assert_eq!(listing(&files.crashed(at, Fate::Lost, 0)), listed);
    }
    assert_eq!(listing(&files.crashed(0, Fate::Kept, 0)), "");
}

#[test]
fn bytes_within_and_across_blocks_are_kept() {
    let files = SimFiles::new();
    let file = files.create("a").unwrap();
    let bytes: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
    let mut expected = Vec::new();
    for (from, len, at) in [(0, 10, 0), (5, 9_000, 7), (0, 100, 4_090), (3, 4_096, 4_096)] {
        file.write_at(&bytes[from..from + len], at as u64).unwrap();
        expected.resize(expected.len().max(at + len), 0);
        expected[at..at + len].copy_from_slice(&bytes[from..from + len]);
        let mut read = vec![9; expected.len() + 1];
        assert_eq!(file.read_at(&mut read, 0).unwrap(), expected.len());
        assert_eq!(read[..expected.len()], expected);
        let mut part = [9; 50];
        assert_eq!(file.read_at(&mut part, 5).unwrap(), 50.min(expected.len() - 5));
    }
    assert_eq!(file.read_at(&mut [0], 1 << 40).unwrap(), 0);
}

fn fault(action: Action, nth: u64, is_lasting: bool) -> Fault {
    Fault { action, nth, error: ErrorKind::Other, is_lasting }
}

#[test]
fn the_nth_call_fails_once_or_for_good() {
    for (is_lasting, expected) in [(false, [true, false, true]), (true, [true, false, false])] {
        for action in Action::ALL {
            let files = SimFiles::new();
            carry_out(&files, "make a, make b, make c, make d");
            let file = files.open("a").unwrap();
            files.order(fault(action, 2, is_lasting));
            let mut call = |name: &str| match action {
                Action::Open => files.open(name).is_ok(),
                Action::Create => files.create(&format!("new-{name}")).is_ok(),
                Action::Read => file.read_at(&mut [0], 0).is_ok(),
                Action::Write => file.write_at(b"x", 0).is_ok(),
                Action::Reserve => file.reserve(1).is_ok(),
                Action::Sync => file.sync().is_ok(),
                Action::Rename => files.rename(name, &format!("old-{name}")).is_ok(),
                Action::Remove => files.remove(name).is_ok(),
                Action::SyncNames => files.sync_names().is_ok(),
            };
            assert_eq!(["b", "c", "d"].map(&mut call), expected, "{action:?}");
            assert_eq!(files.struck(), expected.iter().filter(|ok| !**ok).count() as u64);
            files.heal();
            files.create("healed").unwrap();
        }
    }
}

#[test]
fn a_failed_sync_drops_what_it_was_for_though_it_can_be_read() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    carry_out(&files, "write a C 0");
    files.order(fault(Action::Sync, 1, false));
    files.open("a").unwrap().sync().unwrap_err();
    carry_out(&files, "sync a");
    assert_eq!(listing(&files), "a=CB");
    let end = files.operations();
    assert_eq!(listing(&files.crashed(end, Fate::Lost, 0)), "a=AB", "no sync has written it");
    assert_eq!(listing(&files.crashed(end, Fate::Kept, 0)), "a=CB", "or the disk had it already");
    carry_out(&files, "write a D 1, sync a");
    let end = files.operations();
    assert_eq!(listing(&files.crashed(end, Fate::Lost, 0)), "a=AD");
    carry_out(&files, "write a E 0, sync a");
    let end = files.operations();
    assert_eq!(listing(&files.crashed(end, Fate::Kept, 0)), "a=ED", "older ones never come back");
}

#[test]
fn a_failed_sync_of_the_directory_drops_names() {
    let files = SimFiles::new();
    carry_out(&files, "make a, names, make b");
    files.order(fault(Action::SyncNames, 1, false));
    files.sync_names().unwrap_err();
    carry_out(&files, "name b c, make d, names");
    assert_eq!(listing(&files), "a= c= d=");
    let end = files.operations();
    assert_eq!(listing(&files.crashed(end, Fate::Lost, 0)), "a= d=");
}

#[test]
fn a_failed_write_leaves_a_part() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    files.order(fault(Action::Write, 1, false));
    let file = files.open("a").unwrap();
    file.write_at(&[b'C'; 2 * BLOCK_BYTES], 0).unwrap_err();
    assert_eq!(listing(&files), "a=CB");
}

#[test]
fn a_full_disk_takes_what_has_its_room_and_no_more() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    files.limit(4 * BLOCK);
    let file = files.open("a").unwrap();
    let full = |result: std::io::Result<()>| result.unwrap_err().kind() == ErrorKind::StorageFull;
    assert!(full(file.reserve(5 * BLOCK)));
    file.reserve(3 * BLOCK).unwrap();
    assert!(full(file.write_at(&[b'C'; 3 * BLOCK_BYTES], 2 * BLOCK)));
    assert_eq!(listing(&files), "a=ABCC", "as far as there is room");
    assert!(full(files.create("b").map(drop)));
    carry_out(&files, "write a DEFG 0");
    assert_eq!(files.used_bytes(), 4 * BLOCK);
    files.remove("a").unwrap();
    carry_out(&files, "make b, room b 4");
}

#[test]
fn a_bit_turns_over_on_the_medium() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    assert!(!files.flip("a", 2 * BLOCK, 0), "behind the end");
    assert!(!files.flip("b", 0, 0), "no such file");
    assert!(files.flip("a", BLOCK + 1, 1));
    for disk in [files.clone(), files.crashed(0, Fate::Lost, 0)] {
        let mut read = [0; 3];
        disk.open("a").unwrap().read_at(&mut read, BLOCK).unwrap();
        assert_eq!(read, [b'B', b'B' ^ 2, b'B']);
    }
}

#[test]
fn the_directory_says_what_is_wrong() {
    let files = SimFiles::new();
    carry_out(&files, "make a");
    let kinds = [
        files.create("a").map(drop).unwrap_err().kind(),
        files.open("b").map(drop).unwrap_err().kind(),
        files.remove("b").unwrap_err().kind(),
        files.rename("b", "a").unwrap_err().kind(),
    ];
    let missing = ErrorKind::NotFound;
    assert_eq!(kinds, [ErrorKind::AlreadyExists, missing, missing, missing]);
}

/// A file that has lost its name can be used until it is closed, and hinders nobody.
#[test]
fn an_open_file_outlives_its_name() {
    let files = SimFiles::new();
    carry_out(&files, MADE);
    let file = files.open("a").unwrap();
    carry_out(&files, "drop a, make a");
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(file.bytes().unwrap(), 2 * BLOCK);
    assert_eq!(listing(&files), "a=");
}

#[test]
fn a_seed_gives_the_same_disk_every_time() {
    let files = SimFiles::new();
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    carry_out(&files, "make a, write a ABCDEFGH 0, make b, write b ABCDEFGH 0, name a c");
    for round in 0..2 {
        for seed in 0..50 {
            let listed = listing(&files.crashed(files.operations(), Fate::Some, seed));
            let known = names.entry(seed).or_insert_with(|| listed.clone());
            assert_eq!(*known, listed, "round {round}");
        }
    }
    assert!(names.values().collect::<BTreeSet<_>>().len() > 20);
}
