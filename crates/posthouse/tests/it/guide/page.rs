//! What a guide asks of its reader: the fenced blocks of its page.

/// See the module.
pub(super) struct Page {
    pub(super) blocks: Vec<Block>,
}

/// One fenced block.
pub(super) struct Block {
    /// Where it begins, counted from 1.
    pub(super) line: usize,
    pub(super) purpose: Purpose,
    pub(super) text: String,
}

/// What is to be done with a block.
#[derive(Debug, PartialEq)]
pub(super) enum Purpose {
    /// Write it to the end of a file, or begin the file with it.
    Save { name: String, is_added: bool },
    /// Run it, in a terminal of this name if it goes on.
    Run { terminal: Option<String> },
    /// Nothing.
    Show,
}

/// What the text above a block must say if nobody runs it.
const UNTESTED: &str = "not run by the tests";

impl Page {
    /// Reads a page. Fails where a block does not say what it is for.
    pub(super) fn read(text: &str) -> Page {
        let mut blocks = Vec::new();
        let mut prose = String::new();
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                prose.push_str(line);
                prose.push(' ');
                continue;
            };
            let body = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
            let text = body.map(|line| format!("{line}\n")).collect();
            let purpose = purpose(info, &prose)
                .unwrap_or_else(|| panic!("line {number}: what is this block for: {info:?}?"));
            blocks.push(Block { line: number, purpose, text });
            prose.clear();
        }
        Page { blocks }
    }
}

fn purpose(info: &str, prose: &str) -> Option<Purpose> {
    let words: Vec<&str> = info.split(' ').collect();
    let name = |name: &str| Some(name.to_owned());
    match words[..] {
        ["console"] => Some(Purpose::Run { terminal: None }),
        ["console", terminal] => Some(Purpose::Run { terminal: name(terminal) }),
        ["text"] => Some(Purpose::Show),
        ["sh"] => prose.contains(UNTESTED).then_some(Purpose::Show),
        [_, ">>", file] => Some(Purpose::Save { name: file.to_owned(), is_added: true }),
        [_, file] => Some(Purpose::Save { name: file.to_owned(), is_added: false }),
        _ => None,
    }
}

#[test]
fn blocks_say_what_they_are_for() {
    let save = |is_added| Purpose::Save { name: "a.py".to_owned(), is_added };
    let run = |terminal: Option<&str>| Purpose::Run { terminal: terminal.map(str::to_owned) };
    let told = |info: &str| purpose(info, "");
    assert_eq!(told("python a.py"), Some(save(false)));
    assert_eq!(told("python >> a.py"), Some(save(true)));
    assert_eq!(told("console"), Some(run(None)));
    assert_eq!(told("console node"), Some(run(Some("node"))));
    assert_eq!((told("sh"), told("python"), told("")), (None, None, None));
    assert_eq!(purpose("sh", "This is not run by the tests:"), Some(Purpose::Show));
    let page = Page::read("Some.\n```text\n$ a\n```\nMore.\n```console\n$ b\n```\n");
    let blocks: Vec<_> = page.blocks.iter().map(|b| (b.line, b.text.as_str())).collect();
    assert_eq!(blocks, [(2, "$ a\n"), (6, "$ b\n")]);
}
