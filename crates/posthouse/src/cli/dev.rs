//! `posthouse dev`: a node to play with, on embedded defaults, with a sample that shows messages
//! flowing and platforms exchanging requests, and with lines to paste.

mod platforms;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use posthouse_client::{Ack, Client, Error, Message, Subscribe};

use super::Global;
use super::config::SettingArgs;
use crate::data_dir::{self, Endpoints};
use crate::failure::Failure;
use crate::node::{self, Run};
use crate::version::VERSION;
use platforms::Platforms;

/// The queue of the sample.
const SAMPLE: &str = "/queue/sample.coffee";

/// Pause between two messages of the sample.
const SAMPLE_PAUSE: Duration = Duration::from_secs(1);

/// How to run it.
#[derive(Debug, Args)]
pub(crate) struct Dev {
    #[command(flatten)]
    settings: SettingArgs,
    /// Send nothing by itself.
    #[arg(long)]
    no_sample: bool,
}

impl Dev {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be started, or why it ended.
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let is_given = global.data_dir.is_some();
        let dir = global.data_dir.clone().map_or_else(data_dir::dev_path, Ok)?;
        let global = Global { data_dir: Some(dir.clone()), ..global.clone() };
        let has_sample = !self.no_sample;
        let platforms = has_sample.then(Platforms::new).transpose()?;
        let sample = platforms.as_ref().map(Platforms::configuration);
        let loaded = self.settings.load_over(&global, sample.as_deref())?;
        let command = command(is_given.then_some(&*dir));
        let kept = kept(is_given.then_some(&*dir));
        let result = node::run(Run {
            loaded,
            watched: self.settings.file(),
            reload: Box::new(move || self.settings.load_over(&global, sample.as_deref())),
            on_ready: Box::new(move |endpoints| {
                print!("{}", welcome(endpoints, &command, &kept, has_sample));
                if let Some(platforms) = platforms {
                    tokio::spawn(serve_sample(endpoints.stomp.to_string()));
                    platforms.start(&command);
                }
            }),
        });
        if !is_given && result.is_ok() {
            data_dir::forget(&dir);
        }
        result
    }
}

/// What becomes of messages when it stops.
fn kept(dir: Option<&Path>) -> String {
    match dir {
        Some(dir) => format!("What must survive is kept in {}.", dir.display()),
        None => "Nothing is kept after it stops.".to_owned(),
    }
}

/// What to try, to be pasted as it stands.
fn welcome(endpoints: &Endpoints, command: &str, kept: &str, has_sample: bool) -> String {
    let Endpoints { stomp, http, .. } = endpoints;
    let (host, port) = (stomp.ip(), stomp.port());
    let sample = if has_sample { sample_text(command) } else { String::new() };
    format!(
        r#"
Posthouse {VERSION} is running. {kept}

  STOMP  {stomp}         any login is accepted on this machine
  HTTP   http://{http}   /livez /readyz /metrics /api/openapi.json

In a second terminal, send, look and receive, one line after the other:

  {command} pub /queue/orders "one espresso"
  {command} queue list
  {command} queue browse orders
  {command} sub /queue/orders --count 1

Without --count, `sub` waits for more until Ctrl-C. Look around:

  {command} connection list
  curl http://{http}/metrics

With Python, after `pip install stomp.py`:

python3 - <<'END'
import stomp
connection = stomp.Connection12([("{host}", {port})])
connection.connect(wait=True)
connection.send("/queue/orders", "two espressi", receipt="r1")
connection.disconnect()
END
{sample}
What went wrong is explained by its code: {command} explain PH1203
Ctrl-C stops.

"#
    )
}

fn sample_text(command: &str) -> String {
    format!(
        "\nA sample sends a message a second to {SAMPLE} and takes it out. Watch it:\n\n  \
         {command} queue show sample.coffee\n\n\
         Three platforms exchange requests through a relay; what happens is told below. \
         Look on:\n\n  \
         {command} relay row list\n  \
         {command} relay group off orders\n  \
         {command} relay group on orders\n"
    )
}

/// How this program is called from here so that it finds the node on `dir`. Without one it looks
/// where such a node keeps its data by itself.
fn command(dir: Option<&Path>) -> String {
    let Some(dir) = dir else { return quoted(&program()) };
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    format!("{} --data-dir {}", quoted(&program()), quoted(&dir.display().to_string()))
}

/// The same word for a shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+@:".contains(letter);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// How this program is called from here: by its name when the shell finds it, else by its path.
fn program() -> String {
    let Ok(own) = std::env::current_exe() else { return "posthouse".into() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_own =
        |dir: PathBuf| dir.join("posthouse").canonicalize().is_ok_and(|found| found == own);
    if std::env::split_paths(&path).any(is_own) {
        return "posthouse".into();
    }
    let here = std::env::current_dir().unwrap_or_default();
    let below = own.strip_prefix(&here).map(|rest| Path::new(".").join(rest));
    below.unwrap_or(own).display().to_string()
}

/// Sends and takes out until the node stops. The sample ends quietly then.
async fn serve_sample(stomp: String) {
    if let Err(error) = serve_coffee(&stomp).await {
        tracing::debug!(%error, "the sample ended");
    }
}

async fn serve_coffee(stomp: &str) -> Result<(), Error> {
    let client = Client::connect(&format!("stomp://{stomp}")).await?;
    let mut orders = client.subscribe(Subscribe::to(SAMPLE).ack(Ack::Individual)).await?;
    let mut pause = tokio::time::interval(SAMPLE_PAUSE);
    for number in 1_u64.. {
        pause.tick().await;
        client.send(Message::to(SAMPLE).text(format!("espresso {number}"))).await?;
        if let Some(order) = orders.next().await {
            order?.ack().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Endpoints, command, quoted, welcome};

    #[test]
    fn what_is_printed_can_be_pasted() {
        let listen = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let endpoints = Endpoints { pid: 1, stomp: listen(61_613), http: listen(8_161) };
        let command = command(Some(Path::new("/tmp/my data")));
        let text = welcome(&endpoints, &command, "Nothing is kept.", true);
        let python = text.split("<<'END'\n").nth(1).and_then(|rest| rest.split("\nEND\n").next());
        let python = python.expect("there is a script");
        assert!(python.lines().all(|line| !line.starts_with(' ')), "{python}");
        for line in text.lines().filter(|line| line.starts_with("  ") && line.contains("posthouse"))
        {
            assert!(line.contains(" --data-dir '/tmp/my data' "), "{line}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        for (word, expected) in
            [("./target/posthouse", "./target/posthouse"), ("a b", "'a b'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
