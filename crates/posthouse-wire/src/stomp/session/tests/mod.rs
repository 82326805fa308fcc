//! Sessions by scripts, against the real broker and driver.
//!
//! A line is a command; the indented lines below it are what the peers then read. Frames are
//! written on one line: `a SEND destination:/queue/q receipt:1 | body`. Headers that differ from
//! run to run, or that every MESSAGE has, are not shown.

mod fuzz;
mod world;

use self::world::World;

/// Plays each paragraph of `text` in a world of its own. A paragraph starts with a line `# name`.
fn check(text: &str) {
    let mut failures = String::new();
    for paragraph in text.split("\n# ").map(|paragraph| paragraph.trim_start_matches("# ")) {
        let (name, script) = paragraph.split_once('\n').expect("a paragraph has a name");
        let played = play(script);
        if played.trim() != script.trim() {
            failures.push_str(&format!("# {name}\n--- expected\n{script}\n--- played\n{played}\n"));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn play(script: &str) -> String {
    let mut world = World::new();
    let mut transcript = String::new();
    for line in script.lines().filter(|line| !line.starts_with(' ')) {
        transcript.push_str(line);
        transcript.push('\n');
        if !line.is_empty() {
            for outcome in world.play(line) {
                transcript.push_str(&format!("  {outcome}\n"));
            }
        }
    }
    transcript
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

scripts! { connecting messages acknowledging transacting subscribing faults heart_beats flow }
