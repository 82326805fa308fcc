//! Servers of a discovery that speaks HTTP. The one that answered last is asked first.
//!
//! Whoever configures a discovery names its servers, and nothing that a row or a service says leads
//! anywhere else; so they may be wherever their names lead, this machine included.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Uri};
use tokio::time::Instant;

use super::settings::Web;
use crate::client::{Client, ClientSettings};
use crate::limits::DISCOVERY_BYTES_MAX;
use crate::open_answer::OpenAnswer;
use crate::origin::{HttpVersion, Origin};
use crate::reach::Reach;

/// Where servers may be: everywhere but at addresses that are nobody's own, such as a cloud's
/// metadata.
const EVERYWHERE: [&str; 4] = ["0.0.0.0/0", "::/0", "127.0.0.0/8", "::1/128"];

/// How long a server may take to begin its answer, in milliseconds.
pub(super) const ANSWER_MS_MAX: u64 = 5_000;

/// Bytes of an answer that says what is wrong.
const PROBLEM_BYTES_MAX: usize = 1 << 10;

/// See the module.
pub(super) struct Servers {
    client: Client,
    servers: Vec<(Origin, String)>,
    first: AtomicUsize,
}

/// Whether this is the address of a server.
///
/// # Errors
/// What is wrong with it. The address is not repeated, for there may be a password in it.
pub(super) fn check_server(server: &str) -> Result<(), String> {
    origin(server).map(|_| ())
}

/// Whether the files for TLS can be used.
///
/// # Errors
/// What is wrong with them.
pub(super) fn check_tls(web: &Web) -> Result<(), String> {
    client(web).map(|_| ())
}

impl Servers {
    /// Reads the files for TLS.
    ///
    /// # Errors
    /// What is wrong with them, or with an address.
    pub(super) fn new(web: &Web) -> Result<Servers, String> {
        let base = |server: &String| {
            origin(server).map(|origin| (origin, server.trim_end_matches('/').to_owned()))
        };
        let servers = web.servers.iter().map(base).collect::<Result<_, _>>()?;
        Ok(Servers { client: client(web)?, servers, first: AtomicUsize::new(0) })
    }

    /// The beginning of an answer with the status 200, of the first server that gives one. The
    /// request is made from the address of the server; its answer may take `wait` longer than
    /// usual.
    ///
    /// # Errors
    /// Why the last of them gave none.
    pub(super) async fn open(
        &self,
        wait: Duration,
        request: impl Fn(&str) -> Result<Request<Bytes>, String>,
    ) -> Result<OpenAnswer, String> {
        let first = self.first.load(Ordering::Relaxed);
        let mut last = "no server is configured".to_owned();
        for nth in 0..self.servers.len() {
            let at = (first + nth) % self.servers.len();
            let Some((origin, base)) = self.servers.get(at) else { continue };
            match self.ask(origin, request(base)?, wait).await {
                Ok(stream) => {
                    self.first.store(at, Ordering::Relaxed);
                    return Ok(stream);
                }
                Err(problem) => last = format!("{origin}: {problem}"),
            }
        }
        Err(last)
    }

    async fn ask(
        &self,
        origin: &Origin,
        request: Request<Bytes>,
        wait: Duration,
    ) -> Result<OpenAnswer, String> {
        let until = deadline();
        let connection = self.client.connect(origin, until).await;
        let connection = connection.map_err(|error| error.to_string())?;
        let stream = connection.open(request, until + wait).await;
        let stream = stream.map_err(|error| error.to_string())?;
        match stream.status {
            200 => Ok(stream),
            status => Err(format!("it answered with {status}: {}", problem(stream).await)),
        }
    }
}

/// The whole body of an answer.
///
/// # Errors
/// Why it did not come.
pub(super) async fn whole(stream: OpenAnswer) -> Result<Bytes, String> {
    stream.whole(DISCOVERY_BYTES_MAX, deadline()).await.map_err(|error| error.to_string())
}

/// The latest instant for something that is asked now.
pub(super) fn deadline() -> Instant {
    Instant::now() + Duration::from_millis(ANSWER_MS_MAX)
}

/// What a server says is wrong, in one line.
async fn problem(stream: OpenAnswer) -> String {
    let body = stream.whole(PROBLEM_BYTES_MAX, deadline()).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

fn origin(server: &str) -> Result<Origin, String> {
    let wrong = "one of them is not the address of a server; write http://host:port";
    let url: Uri = server.parse().map_err(|_| wrong.to_owned())?;
    let is_bare = url.path() == "/" && url.query().is_none();
    let origin =
        Origin::of(&url, HttpVersion::Http1).map_err(|error| format!("{wrong}: {error}"))?;
    if is_bare { Ok(origin) } else { Err(wrong.into()) }
}

fn client(web: &Web) -> Result<Client, String> {
    let reach = Reach::parse(&EVERYWHERE).map_err(|_| "no network can be called".to_owned())?;
    let settings = ClientSettings { reach, tls: web.tls.clone(), ..ClientSettings::default() };
    Client::new(settings).map_err(|error| error.to_string())
}
