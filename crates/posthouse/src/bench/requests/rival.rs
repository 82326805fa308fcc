//! Somebody else who takes requests from a database and sends them, as a file describes: what to
//! run, and how its own tables are filled.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use posthouse_relay::source::fill::Tables;
use serde::Deserialize;

use super::LIVE;
use crate::codes::Code;
use crate::failure::Failure;

/// Processes at most: more than a bench will ever want.
const PROCESSES_MAX: u32 = 64;
/// Bytes of a file at most.
const FILE_BYTES_MAX: u64 = 64 << 10;
const PLACEHOLDERS: [&str; 4] = ["{database}", "{receiver}", "{dir}", "{made}"];

/// See the module. Every text may hold `{database}` (its address), `{receiver}` (where to post to)
/// and `{dir}` (where the file is); `fill` also `{made}`.
#[derive(Clone, Debug)]
pub(crate) struct Rival {
    /// What it is called in reports.
    pub(super) name: String,
    dir: PathBuf,
    file: File,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// A program and its arguments, to be run once before anything else: it makes the tables where
    /// they are missing.
    #[serde(default)]
    prepare: Vec<String>,
    /// A program and its arguments. It sends until it is told to stop.
    run: Vec<String>,
    /// How often it is run, side by side.
    #[serde(default = "one")]
    processes: u32,
    clear: String,
    fill: String,
    remaining: String,
}

fn one() -> u32 {
    1
}

impl Rival {
    /// Reads the file.
    ///
    /// # Errors
    /// When there is none, or it says something that is not understood.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |reason: String| {
            let what = format!("{} does not describe a rival: {reason}", path.display());
            Failure::new(Code::RequestInvalid, what, "docs/performance.md says what it may hold")
        };
        let bytes = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(wrong(format!("it has {bytes} bytes, more than {FILE_BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let file = parse(&text).map_err(wrong)?;
        let dir = dir_of(path).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { name: file.name.clone(), dir, file })
    }

    /// Runs what makes the tables, and answers how they are filled with what is to be sent to
    /// `receiver`.
    pub(super) fn prepare(&self, url: &str, receiver: SocketAddr) -> Result<Tables, Failure> {
        let fields = self.fields(url, receiver);
        if let Some(mut command) = command(&self.file.prepare, &fields) {
            let status = command.stdout(Stdio::null()).status();
            let is_done = status.as_ref().is_ok_and(std::process::ExitStatus::success);
            if !is_done {
                let status = status.map_or_else(|e| e.to_string(), |status| status.to_string());
                return Err(Failure::unexpected(format!(
                    "{:?} failed: {status}",
                    self.file.prepare
                )));
            }
        }
        Ok(Tables {
            clear: filled(&self.file.clear, &fields),
            fill: filled(&self.file.fill, &fields),
            remaining: filled(&self.file.remaining, &fields),
        })
    }

    /// What is to be run, once for each process.
    pub(super) fn commands(&self, url: &str, receiver: SocketAddr) -> Vec<Command> {
        let fields = self.fields(url, receiver);
        (0..self.file.processes).filter_map(|_| command(&self.file.run, &fields)).collect()
    }

    fn fields(&self, url: &str, receiver: SocketAddr) -> [(&'static str, String); 3] {
        [
            ("{database}", url.to_owned()),
            ("{receiver}", format!("http://{receiver}/{LIVE}")),
            ("{dir}", self.dir.display().to_string()),
        ]
    }
}

/// The directory of a file, from wherever it is named.
fn dir_of(path: &Path) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    Ok(path.parent().unwrap_or(&path).to_owned())
}

fn parse(text: &str) -> Result<File, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    if file.run.is_empty() {
        return Err("`run` names no program".into());
    }
    if !(1..=PROCESSES_MAX).contains(&file.processes) {
        return Err(format!("`processes` is not a number from 1 to {PROCESSES_MAX}"));
    }
    if !file.fill.contains("{made}") {
        return Err("`fill` does not read from {made}".into());
    }
    let texts = file.prepare.iter().chain(&file.run);
    let texts = texts.chain([&file.clear, &file.fill, &file.remaining]);
    let mut found = texts.flat_map(|text| placeholders(text));
    if let Some(strange) = found.find(|found| !PLACEHOLDERS.contains(found)) {
        return Err(format!("{strange} stands for nothing"));
    }
    drop(found);
    Ok(file)
}

/// Words in braces; other braces, as in JSON, are left alone.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('{').filter_map(|(start, _)| {
        let rest = text.get(start..)?;
        let found = rest.get(..=rest.find('}')?)?;
        let word = found.trim_matches(['{', '}']);
        let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        is_word.then_some(found)
    })
}

fn command(words: &[String], fields: &[(&str, String)]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(filled(program, fields));
    command.args(arguments.iter().map(|word| filled(word, fields))).stdin(Stdio::null());
    Some(command)
}

fn filled(text: &str, fields: &[(&str, String)]) -> String {
    fields.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{File, Rival, dir_of, parse};

    const TEXT: &str = r#"
name = "other 1.0"
run = ["node", "{dir}/worker.mjs", "{database}", "{receiver}"]
processes = 2
clear = "TRUNCATE job"
fill = "INSERT INTO job SELECT '{}', '{receiver}', body FROM {made}"
remaining = "SELECT count(*) FROM job"
"#;

    /// What is written in the place of something else; then what is wrong, if anything.
    fn check(from: &str, to: &str, expected: Option<&str>) {
        let found = parse(&TEXT.replace(from, to)).err();
        let is_found = found.as_deref().zip(expected).map(|(text, part)| text.contains(part));
        assert_eq!(is_found, expected.map(|_| true), "{to:?}: {found:?}");
        assert_eq!(found.is_some(), expected.is_some(), "{to:?}: {found:?}");
    }

    #[test]
    fn files_are_checked() {
        check("", "", None);
        check("processes = 2", "", None);
        check("processes = 2", "processes = 0", Some("from 1 to 64"));
        check("processes = 2", "processes = 65", Some("from 1 to 64"));
        check("processes = 2", "process = 2", Some("unknown field"));
        check("FROM {made}", "FROM made", Some("does not read from {made}"));
        check("{dir}", "{home}", Some("{home} stands for nothing"));
        check(
            r#"["node", "{dir}/worker.mjs", "{database}", "{receiver}"]"#,
            "[]",
            Some("no program"),
        );
        check("name =", "names =", Some("unknown field"));
    }

    #[test]
    fn a_file_may_be_named_from_where_one_stands() {
        let here = std::env::current_dir().expect("there is one");
        for (named, expected) in
            [("a.toml", here.clone()), ("b/a.toml", here.join("b")), ("/b/a.toml", "/b".into())]
        {
            assert_eq!(dir_of(Path::new(named)).expect("it is known"), expected, "{named}");
        }
    }

    #[test]
    fn places_are_filled() {
        let file: File = parse(TEXT).expect("it is right");
        let rival = Rival { name: file.name.clone(), dir: "/a".into(), file };
        let receiver = "127.0.0.1:80".parse().expect("an address");
        let tables = rival.prepare("postgres://x", receiver).expect("nothing is run");
        let fill =
            "INSERT INTO job SELECT '{}', 'http://127.0.0.1:80/bench.live', body FROM {made}";
        assert_eq!(tables.fill, fill);
        let commands = rival.commands("postgres://x", receiver);
        let words: Vec<_> = commands.iter().map(|command| format!("{command:?}")).collect();
        let word = r#""node" "/a/worker.mjs" "postgres://x" "http://127.0.0.1:80/bench.live""#;
        assert_eq!(words, [word, word]);
    }
}
