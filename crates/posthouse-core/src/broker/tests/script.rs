//! Reads scripts, plays them, compares transcripts.

use super::world::{Memory, World};

/// Plays each paragraph of `text` in a world of its own. A paragraph starts with a line `# name`.
pub(super) fn check(text: &str) {
    let mut failures = String::new();
    for paragraph in text.split("\n# ").map(|paragraph| paragraph.trim_start_matches("# ")) {
        let (name, script) = paragraph.split_once('\n').expect("a paragraph has a name");
        // What a full memory does cannot be seen where nothing stays in it, and the other way
        // round.
        let is_about_disk = script.contains("spoil ") || script.contains("show spool");
        let plenty = (!is_about_disk).then_some(Memory::Plenty);
        let scarce = (!script.contains(" memory=")).then_some(Memory::Scarce);
        for memory in [plenty, scarce].into_iter().flatten() {
            let played = play(script, memory);
            if played.trim() != script.trim() {
                let how = if memory == Memory::Plenty { "" } else { " with scarce memory" };
                failures.push_str(&format!(
                    "# {name}{how}\n--- expected\n{script}\n--- played\n{played}\n"
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn play(script: &str, memory: Memory) -> String {
    let mut world = World::new(memory);
    let mut transcript = String::new();
    for line in script.lines().filter(|line| !line.starts_with(' ')) {
        transcript.push_str(line);
        transcript.push('\n');
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        for outcome in world.play(&Line::parse(line)) {
            transcript.push_str(&format!("  {outcome}\n"));
        }
    }
    transcript
}

/// One command: words, then `name=value` options and bare flags.
pub(super) struct Line<'a> {
    words: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Line<'a> {
        // A selector is the only thing with spaces in it, and comes last.
        let (line, selector) = match line.split_once(" where ") {
            Some((line, selector)) => (line, Some(selector)),
            None => (line, None),
        };
        let mut words: Vec<&str> = line.split_whitespace().collect();
        words.extend(selector.map(|_| "where"));
        words.extend(selector);
        Line { words }
    }

    pub(super) fn word(&self, index: usize) -> &'a str {
        self.words.get(index).copied().unwrap_or_else(|| panic!("word {index} is missing"))
    }

    pub(super) fn option(&self, name: &str) -> Option<&'a str> {
        let mut words = self.words.iter();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.option(name).map(|text| text.parse().expect("a number"))
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.words.contains(&flag)
    }

    pub(super) fn selector(&self) -> Option<&'a str> {
        let at = self.words.iter().position(|word| *word == "where")?;
        self.words.get(at + 1).copied()
    }

    /// The options that are properties of a message: `.name=value`.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.words.iter().filter_map(|word| word.strip_prefix('.')?.split_once('='))
    }
}
