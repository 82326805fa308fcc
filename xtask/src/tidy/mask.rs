//! Splits Rust text into code and comments of the same shape, so that rules cannot be fooled by
//! a word inside a string, nor a brace inside a comment.
//!
//! Both halves keep every newline and every byte offset; what belongs to the other half, and what
//! stands inside a string or character literal, is blanked.

/// A Rust file, taken apart.
pub(crate) struct Rust {
    /// Relative to the root.
    pub(crate) path: String,
    /// The code alone.
    pub(crate) code: String,
    /// The comments alone, with their slashes.
    pub(crate) comments: String,
    /// The code that only tests run: all of a test file, otherwise items under `#[cfg(test)]`.
    pub(crate) test_code: String,
    /// The rest of the code.
    pub(crate) product_code: String,
}

impl Rust {
    pub(crate) fn new(path: &str, text: &str) -> Rust {
        let (code, comments) = split(text);
        let is_test = is_test_file(path);
        let test_ranges =
            if is_test { std::iter::once(0..code.len()).collect() } else { test_items(&code) };
        let in_test = |at: usize| test_ranges.iter().any(|range| range.contains(&at));
        let test_code = keep(&code, in_test);
        let product_code = keep(&code, |at| !in_test(at));
        Rust { path: path.to_owned(), code, comments, test_code, product_code }
    }
}

/// The line, counted from 1, that holds the byte at `offset` of `text`.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// Where `word` stands in `code`, not as a part of a longer name.
pub(crate) fn find_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let matches = code.match_indices(word);
    matches.map(|(at, _)| at).filter(move |&at| {
        let before = code.get(..at).and_then(|head| head.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|tail| tail.chars().next());
        let starts = !word.starts_with(is_name) || !before.is_some_and(is_name);
        let ends = !word.ends_with(is_name) || !after.is_some_and(is_name);
        starts && ends
    })
}

/// The offset after the brace that closes the one at `open`, or the end of `code`.
pub(crate) fn after_block(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn test_items(code: &str) -> Vec<std::ops::Range<usize>> {
    let starts = code.match_indices("#[cfg(test)]").map(|(at, _)| at);
    starts.map(|start| start..item_end(code, start)).collect()
}

/// An item ends with its block, or with a semicolon where it has none.
fn item_end(code: &str, start: usize) -> usize {
    let rest = code.get(start..).unwrap_or_default();
    match rest.find(['{', ';']) {
        Some(at) if rest.as_bytes().get(at) == Some(&b'{') => after_block(code, start + at),
        Some(at) => start + at + 1,
        None => code.len(),
    }
}

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { quote: u8 },
    RawText { hashes: usize },
}

fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let mut kinds = vec![State::Code; bytes.len()];
    let mut state = State::Code;
    let mut at = 0;
    while at < bytes.len() {
        let (next, length) = step(state, bytes.get(at..).unwrap_or_default(), at, bytes);
        let shown = if state == State::Code { next } else { state };
        kinds.iter_mut().skip(at).take(length).for_each(|kind| *kind = shown);
        state = next;
        at += length;
    }
    let kind_at = |at: usize| kinds.get(at).copied().unwrap_or(State::Code);
    let is_comment = |kind| matches!(kind, State::LineComment | State::BlockComment { .. });
    (keep(text, |at| kind_at(at) == State::Code), keep(text, |at| is_comment(kind_at(at))))
}

/// The state after the next few bytes of `rest`, and how many they are (at least one).
fn step(state: State, rest: &[u8], at: usize, all: &[u8]) -> (State, usize) {
    match (state, rest) {
        (State::Code, _) => step_in_code(rest, at, all),
        (State::LineComment, [b'\n', ..]) => (State::Code, 1),
        (State::BlockComment { depth }, [b'/', b'*', ..]) => {
            (State::BlockComment { depth: depth + 1 }, 2)
        }
        (State::BlockComment { depth: 1 }, [b'*', b'/', ..]) => (State::Code, 2),
        (State::BlockComment { depth }, [b'*', b'/', ..]) => {
            (State::BlockComment { depth: depth - 1 }, 2)
        }
        (State::Text { .. }, [b'\\', _, ..]) => (state, 2),
        (State::Text { quote }, [byte, ..]) if *byte == quote => (State::Code, 1),
        (State::RawText { hashes }, [b'"', tail @ ..]) if hashes_at(tail) >= hashes => {
            (State::Code, 1 + hashes)
        }
        _ => (state, 1),
    }
}

fn step_in_code(rest: &[u8], at: usize, all: &[u8]) -> (State, usize) {
    let before = at.checked_sub(1).and_then(|before| all.get(before)).copied();
    let name_goes_on = before.is_some_and(|byte| is_name(char::from(byte)));
    match rest {
        [b'/', b'/', ..] => (State::LineComment, 2),
        [b'/', b'*', ..] => (State::BlockComment { depth: 1 }, 2),
        [b'"', ..] => (State::Text { quote: b'"' }, 1),
        [b'b' | b'c', b'r', tail @ ..] if !name_goes_on && opens_raw_text(tail) => {
            (State::RawText { hashes: hashes_at(tail) }, hashes_at(tail) + 3)
        }
        [b'r', tail @ ..] if !name_goes_on && opens_raw_text(tail) => {
            (State::RawText { hashes: hashes_at(tail) }, hashes_at(tail) + 2)
        }
        [b'\'', tail @ ..] if is_character(tail) => (State::Text { quote: b'\'' }, 1),
        _ => (State::Code, 1),
    }
}

fn hashes_at(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b'#').count()
}

fn opens_raw_text(tail: &[u8]) -> bool {
    tail.get(hashes_at(tail)) == Some(&b'"')
}

/// Tells a character literal from a lifetime: the literal is escaped, or closed after one letter.
fn is_character(tail: &[u8]) -> bool {
    let Some(&first) = tail.first() else { return false };
    let width = match first {
        b'\\' => return true,
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    tail.get(width) == Some(&b'\'')
}

/// `text` with everything blanked whose offset is not `wanted`.
fn keep(text: &str, wanted: impl Fn(usize) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        if letter == '\n' || wanted(at) {
            kept.push(letter);
        } else {
            kept.extend(std::iter::repeat_n(' ', letter.len_utf8()));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, comments: &str) {
        let (found_code, found_comments) = split(text);
        assert_eq!(found_code.trim_end(), code, "code of {text:?}");
        assert_eq!(found_comments.trim(), comments, "comments of {text:?}");
        assert_eq!((found_code.len(), found_comments.len()), (text.len(), text.len()));
    }

    #[test]
    fn code_and_comments_are_told_apart() {
        check("let a = 1; // one", "let a = 1;", "// one");
        check("a /* b /* c */ d */ e", "a                   e", "/* b /* c */ d */");
        check("let url = \"http\";", "let url =       ;", "");
        check("let c = '{'; b", "let c =    ; b", "");
        check("let c = '\\''; b", "let c =     ; b", "");
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}", "");
        check("r#\"a \"b\" // c\"# ; d", "                ; d", "");
        check("for\"x\" a", "for    a", "");
        check("let é = \"é\"; // é", "let é =     ;", "// é");
    }

    #[test]
    fn test_code_is_told_from_the_rest() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n";
        let rust = Rust::new("crates/x/src/lib.rs", text);
        assert!(rust.test_code.contains("fn b") && !rust.test_code.contains("fn c"));
        assert!(rust.product_code.contains("fn a") && rust.product_code.contains("fn c"));
        let file_of_tests = Rust::new("crates/x/src/lib/tests.rs", "fn a() {}");
        assert_eq!(file_of_tests.test_code, "fn a() {}");
        let outside = Rust::new("crates/x/src/lib.rs", "#[cfg(test)]\nmod tests;\nfn a() {}");
        assert!(outside.product_code.contains("fn a"));
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(find_word("rand::x(); brand::y", "rand::").collect::<Vec<_>>(), [0]);
        assert_eq!(find_word("unsafe_code unsafe", "unsafe").collect::<Vec<_>>(), [12]);
    }
}
