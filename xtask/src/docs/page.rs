//! The reference of every setting, as a page.

use super::settings::{Entry, Key, Section};

const TOP: &str = "\
# Configuration

Every setting, with its default and what it means. This page is made from the file that
`posthouse config default` prints, by `cargo xtask docs`: what is wrong here is mended in
`crates/posthouse/src/config/default.toml`. A value after *e.g.* is an example, and such a key has
no default. Where several keys stand in one row, they are explained together.
";

/// What it takes for a changed setting to hold, as the default file marks it.
const CHANGES: [(&str, &str); 2] = [(" [live]", "live"), (" [restart]", "restart")];

/// The page that tells these sections.
pub(crate) fn of(sections: &[Section]) -> String {
    let sections: String = sections.iter().map(section).collect();
    format!("{TOP}{sections}")
}

fn section(section: &Section) -> String {
    let mut text = String::new();
    if !section.head.is_empty() {
        text.push_str(&format!("\n## `{}`\n", section.head));
    }
    // The file begins by saying what it is, which the page does in its own words.
    let own = usize::from(section.head.is_empty());
    for paragraph in section.prose.iter().skip(own) {
        text.push_str(&format!("\n{}\n", paragraph_text(paragraph)));
    }
    if !section.entries.is_empty() {
        text.push_str(&table(&section.entries, section.head.starts_with("[[")));
    }
    text
}

/// What is marked once holds for a list as a whole.
fn paragraph_text(paragraph: &str) -> String {
    match split_change(paragraph) {
        (text, "") => escape(text),
        (text, "live") => format!("{} A change holds without a restart.", escape(text)),
        (text, _) => format!("{} A change holds at the next start.", escape(text)),
    }
}

/// Lists say as a whole what a change takes, so that their tables have no column for it.
fn table(entries: &[Entry], is_list: bool) -> String {
    let head = match is_list {
        true => "\n| key | default | meaning |\n|---|---|---|\n",
        false => "\n| key | default | changes | meaning |\n|---|---|---|---|\n",
    };
    let rows: String = entries.iter().map(|entry| row(entry, is_list)).collect();
    format!("{head}{rows}")
}

fn row(entry: &Entry, is_list: bool) -> String {
    let each =
        |told: fn(&Key) -> String| entry.keys.iter().map(told).collect::<Vec<_>>().join("<br>");
    let names = each(|key| format!("`{}`", key.name));
    let (text, change) = split_change(&entry.text);
    let change = if is_list { String::new() } else { format!("{change} | ") };
    format!("| {names} | {} | {change}{} |\n", each(value), escape(text))
}

fn value(key: &Key) -> String {
    let value = key.value.replace('|', "\\|");
    if key.is_example { format!("*e.g.* `{value}`") } else { format!("`{value}`") }
}

fn split_change(text: &str) -> (&str, &'static str) {
    let marked = CHANGES.iter().find_map(|(mark, word)| Some((text.strip_suffix(mark)?, *word)));
    marked.unwrap_or((text, ""))
}

/// The text as it is meant, whatever Markdown makes of its signs.
fn escape(text: &str) -> String {
    text.replace('*', "\\*").replace('<', "&lt;").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::super::settings::read;
    use super::*;

    #[test]
    fn a_page_tells_keys_defaults_and_meanings() {
        let text = "[a]\n# A | b* [live]\nb = 1\nc = \"x\"  # for example\n\n# Some. [restart]\n#\n\
                    # [[d]]\n# # What.\n# e = 2\n";
        let page = of(&read(text));
        let expected = "\n## `[a]`\n\n| key | default | changes | meaning |\n|---|---|---|---|\n\
            | `b`<br>`c` | `1`<br>*e.g.* `\"x\"` | live | A \\| b\\* |\n\
            \n## `[[d]]`\n\nSome. A change holds at the next start.\n\
            \n| key | default | meaning |\n|---|---|---|\n| `e` | `2` | What. |\n";
        assert_eq!(page.strip_prefix(TOP), Some(expected), "{page}");
    }
}
