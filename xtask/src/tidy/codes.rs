//! Every error code that users can meet has a page, and every page a code.

use std::collections::BTreeMap;

use super::tree::File;
use super::{Problem, mask};

const PAGES_DIR: &str = "crates/posthouse/errors/";
const CODE_DIGITS: usize = 4;

/// Codes without a page and pages without a code. Nothing before there is a first page.
pub(crate) fn check(files: &[File]) -> Vec<Problem> {
    let pages: BTreeMap<&str, &str> = files
        .iter()
        .filter_map(|file| Some((page_code(&file.path)?, file.path.as_str())))
        .collect();
    if pages.is_empty() {
        return Vec::new();
    }
    let used = codes_in_sources(files);
    let without_page = used.iter().filter(|(code, _)| !pages.contains_key(*code));
    let mut problems: Vec<Problem> = without_page
        .map(|(code, (path, line))| {
            Problem::new(path, *line, format!("{code} has no page: write {PAGES_DIR}{code}.md"))
        })
        .collect();
    let without_code = pages.iter().filter(|(code, _)| !used.contains_key(*code));
    problems.extend(without_code.map(|(code, path)| {
        Problem::new(path, 1, format!("no source uses {code}: delete the page, or use the code"))
    }));
    problems
}

/// Where each code stands first.
fn codes_in_sources(files: &[File]) -> BTreeMap<&str, (&str, usize)> {
    let is_source = |file: &&File| file.path.starts_with("crates/") && file.has_extension("rs");
    let mut codes = BTreeMap::new();
    for file in files.iter().filter(is_source) {
        for at in file.text.match_indices("PH").map(|(at, _)| at) {
            if let Some(code) = code_at(&file.text, at) {
                let place = (file.path.as_str(), mask::line_at(&file.text, at));
                codes.entry(code).or_insert(place);
            }
        }
    }
    codes
}

fn page_code(path: &str) -> Option<&str> {
    let name = path.strip_prefix(PAGES_DIR)?.strip_suffix(".md")?;
    (code_at(name, 0) == Some(name)).then_some(name)
}

/// The code at `at`: PH and exactly four digits.
fn code_at(text: &str, at: usize) -> Option<&str> {
    let length = "PH".len() + CODE_DIGITS;
    let code = text.get(at..at + length)?;
    let digits = code.strip_prefix("PH")?;
    let joins = |letter: char| letter.is_alphanumeric() || letter == '_';
    let before = text.get(..at)?.chars().next_back();
    let after = text.get(at + length..)?.chars().next();
    let is_whole = !before.is_some_and(joins) && !after.is_some_and(joins);
    (is_whole && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_files(files: &[(&str, &str)], expected: &[&str]) {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let problems = check(&files.iter().map(file).collect::<Vec<_>>());
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn codes_and_pages_match() {
        let source = "crates/posthouse-core/src/error.rs";
        let page = "crates/posthouse/errors/PH1203.md";
        let no_page = format!("{source}:2: PH1204 has no page: write {PAGES_DIR}PH1204.md");
        let no_code = format!("{page}:1: no source uses PH1203: delete the page, or use the code");
        check_files(&[(source, "\"PH1203\"")], &[]);
        check_files(&[(source, "\"PH1203\""), (page, "")], &[]);
        check_files(&[(source, "\"PH1203\"\n\"PH1204\""), (page, "")], &[&no_page]);
        check_files(&[(source, "PH12 PH12034 XPH1203"), (page, "")], &[&no_code]);
        check_files(&[("docs/errors.md", "PH1204"), (source, "PH1203"), (page, "")], &[]);
    }
}
