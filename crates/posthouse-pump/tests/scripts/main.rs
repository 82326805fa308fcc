//! The pump by scripts. A script is a text: each line is something that happens, and the indented
//! lines below it are what the pump wants done about it. [`check`] plays it and compares the whole
//! transcript, so a new case is a paragraph in a text file.

#![allow(clippy::unwrap_used, clippy::expect_used)]

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
                for answer in world.play(line) {
                    played.push_str(&format!("  {answer}\n"));
                }
            }
        }
        if played.trim_end() != script.trim_end() {
            wrong.push_str(&format!("--- expected\n{script}\n--- played\n{played}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

macro_rules! scripts {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

scripts! {
    order failures ages windows leases operators faults locks marks replaced room extremes
}
