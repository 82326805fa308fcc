//! Reads the default configuration as what it is besides: a text in sections, whose comments say
//! what each key means.
//!
//! A comment belongs to the keys that follow it, up to the next comment. Lists stand in comments
//! as a whole, with the comments of their keys one level deeper.

/// What follows the value of a key that has no default.
const EXAMPLE: &str = "  # for example";

/// A table or a list of tables, with what is said of it as a whole.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Section {
    /// As it is written: `[stomp]` or `[[relay.source]]`; empty for keys above all tables.
    pub(crate) head: String,
    /// Paragraphs.
    pub(crate) prose: Vec<String>,
    pub(crate) entries: Vec<Entry>,
}

/// Keys that one comment explains together.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Entry {
    pub(crate) text: String,
    pub(crate) keys: Vec<Key>,
}

/// One key.
#[derive(Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Whether the value is an example, and not what holds when nothing is said.
    pub(crate) is_example: bool,
}

/// Everything that a default file says, in its order.
pub(crate) fn read(text: &str) -> Vec<Section> {
    let mut reader = Reader { sections: vec![Section::default()], ..Reader::default() };
    text.lines().for_each(|line| reader.line(line));
    reader.sections
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// Paragraphs that are about what follows as a whole.
    prose: Vec<String>,
    /// The comment that is being read.
    comment: Vec<String>,
    is_list: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let commented = line.strip_prefix('#').map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
        match commented {
            None if line.is_empty() => self.end_of_paragraph(),
            None => self.said(line),
            Some("") => self.end_of_paragraph(),
            Some(text) if text.starts_with("[[") => {
                self.begin(text);
                self.is_list = true;
            }
            Some(text) if self.is_list => match text.strip_prefix("# ") {
                Some(comment) => self.comment.push(comment.to_owned()),
                None => self.said(text),
            },
            Some(text) => self.comment.push(text.to_owned()),
        }
    }

    /// A line that counts: the head of a table, or a key.
    fn said(&mut self, line: &str) {
        match line.split_once(" = ") {
            Some((name, value)) if !line.starts_with('[') => self.key(name, value),
            _ => self.begin(line),
        }
    }

    fn end_of_paragraph(&mut self) {
        self.is_list = false;
        if !self.comment.is_empty() {
            self.prose.push(self.comment.join(" "));
            self.comment.clear();
        }
    }

    fn begin(&mut self, head: &str) {
        self.end_of_paragraph();
        let prose = std::mem::take(&mut self.prose);
        self.sections.push(Section { head: head.to_owned(), prose, entries: Vec::new() });
    }

    fn key(&mut self, name: &str, value: &str) {
        let Some(section) = self.sections.last_mut() else { return };
        section.prose.append(&mut self.prose);
        if !self.comment.is_empty() || section.entries.is_empty() {
            let text = std::mem::take(&mut self.comment).join(" ");
            section.entries.push(Entry { text, keys: Vec::new() });
        }
        let default = value.strip_suffix(EXAMPLE);
        let key = Key {
            name: name.to_owned(),
            value: default.unwrap_or(value).to_owned(),
            is_example: default.is_some(),
        };
        if let Some(entry) = section.entries.last_mut() {
            entry.keys.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let sections = read(text);
        let told = sections.iter().map(|section| {
            let keys = section.entries.iter().map(|entry| {
                let names: Vec<&str> = entry.keys.iter().map(|key| key.name.as_str()).collect();
                format!("{}={}", names.join("+"), entry.text)
            });
            let keys: Vec<String> = keys.collect();
            format!("{}|{}|{}", section.head, section.prose.join("/"), keys.join(", "))
        });
        assert_eq!(told.collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn comments_belong_to_the_keys_below_them() {
        check(
            "# All of it.\n#\n# Really.\n\n# One\n# key.\nkey = 1\n",
            &["|All of it./Really.|key=One key."],
        );
        check("[a]\n# Both.\nb = 1\nc = 2\n# Other.\nd = 3\n", &["||", "[a]||b+c=Both., d=Other."]);
        check("# Of a.\n[a]\nb = 1\n", &["||", "[a]|Of a.|b="]);
    }

    #[test]
    fn lists_stand_in_comments() {
        let list = "# A list. [live]\n#\n# [[a.b]]\n# name = \"x\"\n# # Two\n# # lines.\n# c = 1\n";
        check(list, &["||", "[[a.b]]|A list. [live]|name=, c=Two lines."]);
        let next = format!("{list}#\n# Another.\n#\n# [[a.c]]\n# # Much.\n# d = 1\n");
        check(
            &next,
            &["||", "[[a.b]]|A list. [live]|name=, c=Two lines.", "[[a.c]]|Another.|d=Much."],
        );
    }

    #[test]
    fn examples_are_no_defaults() {
        let sections = read("a = \"b\"  # for example\nc = [\"#\"]\n");
        let keys = &sections[0].entries[0].keys;
        let told: Vec<_> = keys.iter().map(|key| (key.value.as_str(), key.is_example)).collect();
        assert_eq!(told, [("\"b\"", true), ("[\"#\"]", false)]);
    }
}
