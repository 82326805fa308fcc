//! Finds what was left for later: marks in comments, and code that was commented out.

use super::Problem;
use super::mask::Rust;

/// Taken apart so that this file does not find itself.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// Words that open a block.
const OPENERS: [&str; 10] =
    ["fn ", "pub ", "mod ", "impl ", "struct ", "enum ", "if ", "for ", "while ", "match "];
/// Lines that are nothing but the end of code.
const CLOSERS: [&str; 7] = ["}", "};", "},", ");", "});", "})", "})?;"];

/// What was left for later in the comments of `file`.
pub(crate) fn check(file: &Rust) -> Vec<Problem> {
    let lines = file.comments.lines().enumerate();
    lines.filter_map(|(index, line)| problem(file, index + 1, line.trim())).collect()
}

fn problem(file: &Rust, line: usize, comment: &str) -> Option<Problem> {
    if let Some(mark) = MARKS.iter().find(|mark| comment.contains(*mark)) {
        let message = format!("{mark}: finish it, or open an issue and leave no mark");
        return Some(Problem::new(&file.path, line, message));
    }
    let text = comment.strip_prefix("//")?;
    let is_documentation = text.starts_with(['/', '!']);
    let message = "looks like commented-out code: delete it, the history keeps it";
    (!is_documentation && is_code(text.trim())).then(|| Problem::new(&file.path, line, message))
}

/// Prose may begin like code or end like code, but hardly both.
fn is_code(text: &str) -> bool {
    let is_attribute = text.starts_with("#[") && text.ends_with(']');
    let opens = OPENERS.iter().any(|opener| text.starts_with(opener)) && text.ends_with('{');
    CLOSERS.contains(&text) || is_attribute || opens || is_statement(text)
}

fn is_statement(text: &str) -> bool {
    let before_parenthesis = text.split_once('(').and_then(|(head, _)| head.chars().next_back());
    let calls = before_parenthesis.is_some_and(|letter| letter.is_alphanumeric() || letter == '!');
    let assigns = text.contains(" = ") || text.starts_with("return ");
    text.ends_with(';') && (calls || assigns || text.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_comment(comment: &str, expected: Option<&str>) {
        let problems = check(&Rust::new("a.rs", &format!("fn a() {{\n    {comment}\n}}\n")));
        assert_eq!(problems.len(), usize::from(expected.is_some()), "{comment:?}: {problems:?}");
        for problem in problems {
            let message = &problem.message;
            assert!(message.contains(expected.unwrap_or_default()), "{comment:?}: {message}");
            assert_eq!(problem.line, 2);
        }
    }

    #[test]
    fn marks_are_found() {
        for mark in MARKS {
            check_comment(&format!("// {mark} later."), Some(mark));
            check_comment(&format!("/* {mark} later. */"), Some(mark));
            check_comment(&format!("let text = \"{mark}\";"), None);
        }
    }

    #[test]
    fn commented_out_code_is_found() {
        let code = Some("commented-out");
        check_comment("// let a = 1;", code);
        check_comment("// if a == b {", code);
        check_comment("// }", code);
        check_comment("// call(a, b);", code);
        check_comment("// self.count = self.count + 1;", code);
        check_comment("// #[derive(Debug)]", code);
        check_comment("//use std::fs;", code);
    }

    #[test]
    fn prose_is_left_alone() {
        check_comment("// For each of them a lock would be needed; none is taken.", None);
        check_comment("// Whoever comes first wins;", None);
        check_comment("// if it is late, nobody waits.", None);
        check_comment("/// let a = 1;", None);
        check_comment("//! let a = 1;", None);
        check_comment("// One is enough (as the journal does);", None);
    }
}
