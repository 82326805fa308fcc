//! `posthouse dev`: a node to play with, on embedded defaults, with a sample that shows messages
//! flowing, and with lines to paste.

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
        let loaded = self.settings.load(&global)?;
        let has_sample = !self.no_sample;
        let result = node::run(Run {
            loaded,
            reload: Box::new(move || self.settings.load(&global)),
            on_ready: Box::new(move |endpoints| {
                print!("{}", welcome(endpoints, &program(), has_sample));
                if has_sample {
                    tokio::spawn(sample(endpoints.stomp.to_string()));
                }
            }),
        });
        if !is_given && result.is_ok() {
            data_dir::forget(&dir);
        }
        result
    }
}

/// What to try, to be pasted as it stands.
fn welcome(endpoints: &Endpoints, program: &str, has_sample: bool) -> String {
    let Endpoints { stomp, http, .. } = endpoints;
    let (host, port) = (stomp.ip(), stomp.port());
    let sample = if has_sample { sample_text(program) } else { String::new() };
    format!(
        r#"
Posthouse {VERSION} is running. Nothing is kept after it stops.

  STOMP  {stomp}         any login is accepted on this machine
  HTTP   http://{http}   /livez /readyz /metrics /api/openapi.json

In a second terminal, receive and send:

  {program} sub /queue/orders
  {program} pub /queue/orders "one espresso"
  {program} queue list
  {program} queue browse orders
  {program} connection list
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
What went wrong is explained by its code: {program} explain PH1203
Ctrl-C stops.

"#
    )
}

fn sample_text(program: &str) -> String {
    format!(
        "\nA sample sends a message a second to {SAMPLE} and takes it out. Watch it:\n\n  \
         {program} queue show sample.coffee\n"
    )
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
async fn sample(stomp: String) {
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
