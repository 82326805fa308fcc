//! The outer shape of files: how wide, how long, and that a module says what it is.

use super::Problem;
use super::tree::File;

const LINE_COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 1_000;
/// Languages that people write here and a formatter does not wrap everywhere.
const CODE_EXTENSIONS: [&str; 4] = ["rs", "py", "mjs", "sh"];

/// What is wrong with the shape of `file`.
pub(crate) fn check(file: &File) -> Vec<Problem> {
    if !CODE_EXTENSIONS.iter().any(|extension| file.has_extension(extension)) {
        return Vec::new();
    }
    let mut problems = wide_lines(file);
    problems.extend(too_many_lines(file));
    problems.extend(no_opening(file));
    problems
}

fn wide_lines(file: &File) -> Vec<Problem> {
    let lines = file.text.lines().enumerate();
    let wide = lines.filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX);
    let message = format!("wider than {LINE_COLUMNS_MAX} columns: wrap it");
    wide.map(|(index, _)| Problem::new(&file.path, index + 1, message.clone())).collect()
}

fn too_many_lines(file: &File) -> Option<Problem> {
    let count = file.text.lines().count();
    let message = format!("{count} lines, {FILE_LINES_MAX} are the most: is it one concern?");
    (count > FILE_LINES_MAX).then(|| Problem::new(&file.path, 1, message))
}

fn no_opening(file: &File) -> Option<Problem> {
    let is_missing = file.has_extension("rs") && !file.text.starts_with("//! ");
    let message = "no `//!` in the first line: say what this module is and what it holds";
    is_missing.then(|| Problem::new(&file.path, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_file(path: &str, text: &str, expected: &[(usize, &str)]) {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        let problems = check(&file);
        assert_eq!(problems.len(), expected.len(), "{problems:?}");
        for (problem, (line, part)) in problems.iter().zip(expected) {
            assert!(problem.line == *line && problem.message.contains(part), "{problem}");
        }
    }

    #[test]
    fn the_shape_is_checked() {
        let wide = format!("//! A.\n//{}\n", "é".repeat(99));
        let fitting = format!("//! A.\n//{}\n", "é".repeat(98));
        check_file("a.rs", &fitting, &[]);
        check_file("a.rs", &wide, &[(2, "wider than 100")]);
        check_file("a.py", &wide, &[(2, "wider than 100")]);
        check_file("a.md", &wide, &[]);
        check_file("a.rs", &"//! A.\n".repeat(1_000), &[]);
        check_file("a.rs", &"//! A.\n".repeat(1_001), &[(1, "1001 lines")]);
        check_file("a.rs", "use std::fs;\n", &[(1, "no `//!`")]);
        check_file("a.rs", "", &[(1, "no `//!`")]);
        check_file("a.py", "import sys\n", &[]);
    }
}
