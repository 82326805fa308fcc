//! The rules by scripts: each line says what is seen from now on, or lets time pass with a look
//! every ten seconds; the indented lines below are the alarms that begin (`+`) and end (`-`).

mod world;

use world::World;

/// Plays each paragraph in a world of its own.
fn check(text: &str) {
    let mut wrong = String::new();
    for script in text.split("\n\n").filter(|script| !script.trim().is_empty()) {
        let mut world = World::new();
        let mut played = String::new();
        for line in script.lines().filter(|line| !line.starts_with("  ")) {
            played.push_str(line);
            played.push('\n');
            if !line.starts_with('#') {
                for change in world.play(line) {
                    played.push_str(&format!("  {change}\n"));
                }
            }
        }
        if played.trim_end() != script.trim_end() {
            wrong.push_str(&format!("--- expected\n{script}\n--- played\n{played}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_rule_begins_and_ends() {
    check(include_str!("rules.txt"));
}

#[test]
fn what_is_parked_never_alarms() {
    check(include_str!("parked.txt"));
}

#[test]
fn what_comes_and_goes_stays_on() {
    check(include_str!("flapping.txt"));
}

#[test]
fn limits_can_be_set() {
    check(include_str!("limits.txt"));
}

/// No rule is left without a paragraph in which it is true.
#[test]
fn every_rule_is_played() {
    let played = include_str!("rules.txt");
    for rule in super::Rule::ALL {
        let begins = format!("  + {} ", rule.name());
        assert!(played.contains(&begins), "{}", rule.name());
        assert_eq!(super::Rule::named(rule.name()), Some(rule));
    }
}
