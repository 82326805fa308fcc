//! Links from documentation to files of the project lead somewhere.

use super::Problem;
use super::tree::File;

/// Links that no file is there for.
pub(crate) fn check(files: &[File]) -> Vec<Problem> {
    let pages = files.iter().filter(|file| file.has_extension("md"));
    pages.flat_map(|page| broken_links(page, files)).collect()
}

fn broken_links(page: &File, files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut is_sample = false;
    for (index, line) in page.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_sample = !is_sample;
        }
        for target in targets(line).into_iter().filter(|_| !is_sample) {
            if is_file_link(target) && !leads_somewhere(&page.path, target, files) {
                let message = format!("there is no {target}: correct the link");
                problems.push(Problem::new(&page.path, index + 1, message));
            }
        }
    }
    problems
}

/// What `[text](target)` and `[label]: target` point to in one line.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1);
    let mut targets: Vec<&str> = inline.filter_map(|rest| rest.split([')', ' ']).next()).collect();
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        targets.extend(target.split(' ').next());
    }
    targets
}

fn is_file_link(target: &str) -> bool {
    let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
    !is_elsewhere && !target.starts_with('#') && !target.is_empty()
}

fn leads_somewhere(page: &str, target: &str, files: &[File]) -> bool {
    let Some(path) = resolve(page, target) else { return false };
    let dir = format!("{path}/");
    path.is_empty() || files.iter().any(|file| file.path == path || file.path.starts_with(&dir))
}

/// The path that `target` means on `page`, or `None` when it leaves the project.
fn resolve(page: &str, target: &str) -> Option<String> {
    let target = target.split('#').next().unwrap_or_default();
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_page(text: &str, expected: &[&str]) {
        let page = File { path: "docs/adr/0001.md".to_owned(), text: text.to_owned() };
        let other = File { path: "crates/core/src/lib.rs".to_owned(), text: String::new() };
        let problems = check(&[page, other]);
        let told: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(told.len(), expected.len(), "{text:?}: {told:?}");
        assert!(told.iter().zip(expected).all(|(told, part)| told.contains(part)), "{told:?}");
    }

    #[test]
    fn links_lead_somewhere() {
        check_page("[lib](../../crates/core/src/lib.rs)", &[]);
        check_page("[lib](../../crates/core/src/lib.rs#L3) [dir](../../crates)", &[]);
        check_page("[here](0001.md) [root](/docs/adr/0001.md) [below](#below)", &[]);
        check_page("[web](https://example.org/x.md) <mailto:a@b>", &[]);
        check_page("[gone](gone.md) and [lost](../lost.md)", &["gone.md", "../lost.md"]);
        check_page("[outside](../../../notes.md)", &["../../../notes.md"]);
        check_page("[label]: gone.md \"title\"", &["gone.md"]);
        check_page("```\n[gone](gone.md)\n```\n[lost](lost.md)", &["lost.md"]);
    }
}
