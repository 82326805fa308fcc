//! Writers: the services of a platform, which write requests in transactions of their own and know
//! what became of them.
//!
//! A business id has one writer, which locks its row as a service would; so the order of commits is
//! the order of ids, even when a transaction outlives the connection on which it was begun. Writers
//! hold transactions open, roll some back, write in bursts, and have their connections cut in the
//! middle of COMMIT; then nobody can know whether it was done.

mod proxy;
mod script;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use posthouse_sim::random::{Random, Stream};

use super::config::KINDS;
use super::database::{Link, POISON, now_of, run, runtime};
use proxy::{Cut, Proxy};
use script::Script;

/// How many there are.
const WRITERS: usize = 4;

/// The pause after a connection that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// What a service wants done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    pub(super) request_id: String,
    pub(super) code: &'static str,
    pub(super) key: Option<String>,
    pub(super) is_poison: bool,
    /// How long it is worth anything, in milliseconds.
    pub(super) lives_ms: Option<u64>,
}

/// What its writer knows of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The database has confirmed the commit.
    Committed,
    /// It was asked for the commit, and never answered.
    Unknown,
    /// It was rolled back, or never came so far.
    Undone,
}

/// A request, and what its writer knows of it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) wish: Wish,
    pub(super) fate: Fate,
}

/// All writers. They end when this is dropped.
pub(super) struct Writers {
    threads: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    written: Mutex<Vec<Written>>,
    is_over: AtomicBool,
}

/// The tables of the platform itself.
const BUSINESS: &str = "CREATE TABLE business (name VARCHAR(64) PRIMARY KEY, orders INT NOT NULL)";

impl Writers {
    /// Makes the platform's own tables, and starts writing.
    pub(super) fn start(url: &str, seed: u64) -> Writers {
        run(url, BUSINESS);
        let shared = Arc::new(Shared::default());
        let threads = (0..WRITERS).map(|number| {
            let mut writer = Writer::new(url, seed, number, shared.clone());
            thread::spawn(move || runtime().block_on(writer.live()))
        });
        Writers { threads: threads.collect(), shared: shared.clone() }
    }

    /// Ends them, and says what they have written.
    pub(super) fn finish(mut self) -> Vec<Written> {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().expect("a writer does not panic");
        }
        self.shared.written.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
    }
}

struct Writer {
    number: usize,
    url: String,
    proxy: Option<Proxy>,
    random: Random,
    shared: Arc<Shared>,
    count: u64,
}

impl Writer {
    fn new(url: &str, seed: u64, number: usize, shared: Arc<Shared>) -> Writer {
        let own = u64::try_from(number).unwrap_or_default() << 32;
        let random = Random::new(seed ^ own, Stream::Workload);
        let address = server_of(url);
        let proxy = address.map(Proxy::start);
        let url = match (address, &proxy) {
            (Some(server), Some(proxy)) => {
                url.replace(&server.to_string(), &proxy.address().to_string())
            }
            _ => url.to_owned(),
        };
        Writer { number, url, proxy, random, shared, count: 0 }
    }

    async fn live(&mut self) {
        let mut link = None;
        while !self.shared.is_over.load(Ordering::SeqCst) {
            if link.is_none() {
                link = self.connect().await;
            }
            let script = self.draw();
            let Some(open) = &mut link else {
                think(AFTER_FAILURE).await;
                continue;
            };
            let fate = self.play(open, &script).await;
            if fate.is_err() {
                link = None;
            }
            let fate = fate.unwrap_or_else(|fate| fate);
            self.note(&script, fate);
            think(script.rest).await;
        }
    }

    async fn connect(&self) -> Option<Link> {
        let mut link = Link::open(&self.url).await.ok()?;
        let (insert, unless_there) = match &link {
            Link::Postgres(_) | Link::Sqlite(_) => ("INSERT", "ON CONFLICT DO NOTHING"),
            Link::Mysql(_) => ("INSERT IGNORE", ""),
        };
        for name in self.names() {
            let insert = format!("{insert} INTO business VALUES ('{name}', 0) {unless_there}");
            link.run(insert).await.ok()?;
        }
        Some(link)
    }

    /// The business ids that are this writer's.
    fn names(&self) -> Vec<String> {
        let families = KINDS.iter().filter_map(|kind| kind.family);
        let names = |family| (0..2).map(move |key| format!("{family}-{}-{key}", self.number));
        families.flat_map(names).collect()
    }

    fn draw(&mut self) -> Script {
        let hold_ms_max = self.hold_ms_max();
        let script = Script::draw(&mut self.random, self.number, self.count, hold_ms_max);
        self.count += u64::try_from(script.wishes.len()).unwrap_or_default();
        script
    }

    /// How long a transaction stays open at most, in milliseconds. One writer at a time holds a
    /// file.
    fn hold_ms_max(&self) -> u64 {
        let is_long = std::env::var_os("POSTHOUSE_TEST_LONG").is_some();
        match (&self.proxy, is_long) {
            (None, _) => 100,
            (Some(_), false) => 2_000,
            (Some(_), true) => 60_000,
        }
    }

    fn note(&self, script: &Script, fate: Fate) {
        let wishes = script.wishes.iter().cloned();
        let mut written = self.shared.written.lock().expect("nobody panics with it");
        written.extend(wishes.map(|wish| Written { wish, fate }));
    }

    /// Carries a transaction out. An error says that the connection is of no use any more.
    async fn play(&mut self, link: &mut Link, script: &Script) -> Result<Fate, Fate> {
        let begin = self.begin(link);
        link.run(begin).await.map_err(|_| Fate::Undone)?;
        for wish in &script.wishes {
            link.run(insert(&self.url, wish)).await.map_err(|_| Fate::Undone)?;
        }
        think(script.hold).await;
        if script.is_undone {
            let undone = link.run("ROLLBACK".to_owned()).await;
            return undone.map(|()| Fate::Undone).map_err(|_| Fate::Undone);
        }
        self.maybe_cut();
        let done = link.run("COMMIT".to_owned()).await;
        done.map(|()| Fate::Committed).map_err(|_| Fate::Unknown)
    }

    /// Begins, and locks what the requests are about.
    fn begin(&self, link: &Link) -> String {
        let own = format!("'%-{}-%'", self.number);
        match link {
            Link::Postgres(_) => format!(
                "BEGIN; SELECT 1 FROM business WHERE name LIKE {own} ORDER BY name FOR UPDATE"
            ),
            // By their names: what is only looked at would be locked as well.
            Link::Mysql(_) => format!(
                "BEGIN; SELECT 1 FROM business WHERE name IN ('{}') ORDER BY name FOR UPDATE",
                self.names().join("', '")
            ),
            Link::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
        }
    }

    fn maybe_cut(&mut self) {
        let cut = if self.random.chance(50) { Cut::Before } else { Cut::After };
        if let (Some(proxy), true) = (&self.proxy, self.random.chance(6)) {
            proxy.cut(cut);
        }
    }
}

/// The server that an address names, if it is one of a server.
fn server_of(url: &str) -> Option<SocketAddr> {
    let (_, rest) = url.split_once('@')?;
    rest.split('/').next()?.parse().ok()
}

fn insert(url: &str, wish: &Wish) -> String {
    let now = now_of(url);
    let Wish { request_id, code, key, is_poison, lives_ms } = wish;
    let key = key.as_ref().map_or("NULL".to_owned(), |key| format!("'{key}'"));
    let expires = lives_ms.map_or("NULL".to_owned(), |lives_ms| format!("{now} + {lives_ms}"));
    let method = if *is_poison { POISON } else { "take" };
    let body = if url.starts_with("sqlite:") { "x'646f206974'" } else { "'do it'" };
    format!(
        "INSERT INTO relay_request (request_id, code, business_id, method, expires_at, body) \
         VALUES ('{request_id}', '{code}', {key}, '{method}', {expires}, {body})"
    )
}

/// What a service does between two statements takes time, and that is what is tried here: nobody
/// waits for anything by this.
async fn think(time: std::time::Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}
