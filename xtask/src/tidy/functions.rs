//! Finds functions that are too long to be read at a glance.

use super::mask::{Rust, after_block, find_word, line_at};

/// The most lines a function may take, from its `fn` to its closing brace.
pub(crate) const FUNCTION_LINES_MAX: usize = 70;

/// A function over the limit.
#[derive(Debug, PartialEq)]
pub(crate) struct Long {
    pub(crate) path: String,
    pub(crate) name: String,
    /// Where it begins, counted from 1.
    pub(crate) line: usize,
    /// How many lines it takes.
    pub(crate) lines: usize,
}

/// Every function of `files` over the limit.
pub(crate) fn long(files: &[Rust]) -> Vec<Long> {
    let functions = files.iter().flat_map(functions);
    functions.filter(|function| function.lines > FUNCTION_LINES_MAX).collect()
}

fn functions(file: &Rust) -> impl Iterator<Item = Long> {
    let starts = find_word(&file.code, "fn");
    starts.filter_map(|start| function_at(file, start))
}

/// The function whose `fn` is at `start`; a function type or a declaration has no block.
fn function_at(file: &Rust, start: usize) -> Option<Long> {
    let rest = file.code.get(start + "fn".len()..)?;
    let name: String = rest.trim_start().chars().take_while(|c| !"(<{; ".contains(*c)).collect();
    let open = start + "fn".len() + block_start(rest)?;
    if name.is_empty() {
        return None;
    }
    let line = line_at(&file.code, start);
    let last = line_at(&file.code, after_block(&file.code, open));
    Some(Long { path: file.path.clone(), name, line, lines: last - line + 1 })
}

/// The first brace outside of parentheses and brackets, unless a semicolon ends the item before.
fn block_start(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(at),
            b';' | b',' | b'=' | b'}' if depth == 0 && !is_in_signature(rest, at) => return None,
            _ => {}
        }
    }
    None
}

/// A comma or an equals sign between angle brackets, or in a `where` clause, ends nothing.
fn is_in_signature(rest: &str, at: usize) -> bool {
    let head = rest.get(..at).unwrap_or_default().replace("->", "");
    let separator = rest.as_bytes().get(at);
    let is_open = head.matches('<').count() > head.matches('>').count();
    matches!(separator, Some(b',' | b'=')) && (is_open || head.contains("where"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, usize, usize)]) {
        let file = Rust::new("a.rs", text);
        let found: Vec<_> = functions(&file).map(|f| (f.name, f.line, f.lines)).collect();
        let found: Vec<_> =
            found.iter().map(|(n, line, lines)| (n.as_str(), *line, *lines)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn functions_are_measured() {
        check("fn a() {}", &[("a", 1, 1)]);
        check("struct S;\n\npub fn a(\n  x: [u8; 4],\n) -> u8 {\n  x\n}\n", &[("a", 3, 5)]);
        check("fn a<T: Into<u8>, U>() -> T {\n}\n", &[("a", 1, 2)]);
        check("fn a<T>() where T: Iterator<Item = u8>, T: Copy {\n}\n", &[("a", 1, 2)]);
        check("fn a() {\n  fn b() {\n  }\n}\n", &[("a", 1, 4), ("b", 2, 2)]);
        check("fn a() {\n  let s = \"}\"; // }\n}\n", &[("a", 1, 3)]);
        check("trait T {\n  fn a();\n  fn b() {\n  }\n}\n", &[("b", 3, 2)]);
        check("struct S { call: fn(u8) -> u8, other: u8 }", &[]);
        check("const NAME: &str = \"fn a() {}\";", &[]);
    }

    #[test]
    fn only_the_long_are_told() {
        let source = |lines: usize| format!("fn a() {{\n{}}}\n", "x();\n".repeat(lines - 2));
        let found = |lines: usize| long(&[Rust::new("a.rs", &source(lines))]);
        assert_eq!(found(FUNCTION_LINES_MAX), []);
        let lines = FUNCTION_LINES_MAX + 1;
        assert_eq!(found(lines), [Long { path: "a.rs".into(), name: "a".into(), line: 1, lines }]);
    }
}
