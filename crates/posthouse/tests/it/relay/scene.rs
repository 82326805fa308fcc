//! Everything that a proof needs: a database, nodes, writers, a receiver, and what is known of what
//! was switched off when.

use std::time::Duration;

use posthouse_relay::fixture::{MariadbServer, PostgresServer};
use posthouse_relay::source::operate::Action;
use posthouse_relay::source::{Options, Source as _, connect, schema};

use super::clock::{await_until, now_us};
use super::config::{self, LEASE_MS, SWITCHED, WINDOWED};
use super::database::{self, now_of, number, requests, rows, runtime};
use super::receiver::Receiver;
use super::verdict::{Closed, History, Verdict, judge};
use super::writer::Writers;
use crate::server::{Server, fresh_dir};

/// How long anything may take that is not measured by a promise.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a node may take to hear of a switch, in microseconds: without the database it loses its
/// leases, with it a round comes sooner than that. The rest is for a busy machine.
const HEARING_US: i64 = LEASE_MS * 1_000 + 300_000;

/// A server of a database that can be disturbed.
pub(super) enum Database {
    Postgres(PostgresServer),
    Mariadb(MariadbServer),
}

impl Database {
    /// Its address.
    pub(super) fn url(&self) -> String {
        match self {
            Database::Postgres(server) => server.url(),
            Database::Mariadb(server) => server.url(),
        }
    }

    /// Ends it as a crash would, and starts it again.
    pub(super) fn crash(&mut self) -> std::io::Result<()> {
        match self {
            Database::Postgres(server) => server.restart(),
            Database::Mariadb(server) => server.restart(),
        }
    }

    /// Stops it in the middle of whatever it does.
    pub(super) fn pause(&mut self) -> std::io::Result<()> {
        match self {
            Database::Postgres(server) => server.pause(),
            Database::Mariadb(server) => server.pause(),
        }
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self) -> std::io::Result<()> {
        match self {
            Database::Postgres(server) => server.resume(),
            Database::Mariadb(server) => server.resume(),
        }
    }
}

/// See the module.
pub(super) struct Scene {
    pub(super) url: String,
    pub(super) database: Option<Database>,
    pub(super) receiver: Receiver,
    pub(super) nodes: Vec<Server>,
    writers: Option<Writers>,
    is_open: bool,
    closed: Vec<Closed>,
}

impl Scene {
    /// Nodes on a server of PostgreSQL.
    pub(super) fn on_postgres(seed: u64, nodes: usize) -> Scene {
        let server = PostgresServer::start().expect("PostgreSQL starts");
        Scene::on_server(seed, nodes, Database::Postgres(server), WATCH)
    }

    /// Nodes on a server of MariaDB.
    pub(super) fn on_mariadb(seed: u64, nodes: usize) -> Scene {
        let server = MariadbServer::start().expect("MariaDB starts");
        Scene::on_server(seed, nodes, Database::Mariadb(server), WATCH_MARIADB)
    }

    fn on_server(seed: u64, nodes: usize, server: Database, watch: &str) -> Scene {
        let mut scene = Scene::prepare(seed, server.url(), Some(server));
        database::run(&scene.url, watch);
        scene.begin(seed, nodes);
        scene
    }

    /// One node on a file of SQLite.
    pub(super) fn on_sqlite(seed: u64) -> Scene {
        let url = format!("sqlite:{}", fresh_dir().join("requests.db").display());
        let mut scene = Scene::prepare(seed, url, None);
        scene.begin(seed, 1);
        scene
    }

    fn prepare(seed: u64, url: String, database: Option<Database>) -> Scene {
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        Scene {
            url,
            database,
            receiver: Receiver::start(seed),
            nodes: Vec::new(),
            writers: None,
            is_open: true,
            closed: Vec::new(),
        }
    }

    fn begin(&mut self, seed: u64, nodes: usize) {
        let text = config::text(&self.url, self.receiver.address(), self.is_open);
        self.nodes = (0..nodes).map(|_| Server::start_with_config(&text)).collect();
        self.writers = Some(Writers::start(&self.url, seed));
        self.receiver.await_calls(1, PATIENCE);
    }

    /// Has an operator do something.
    pub(super) fn operate(&self, action: &Action) {
        runtime().block_on(async {
            let source = connect(&self.url, Options::default()).expect("the address is good");
            source.operate(action).await.unwrap_or_else(|error| panic!("{action:?}: {error}"));
            source.close().await;
        });
    }

    /// Switches the group that is there for that.
    pub(super) fn switch(&mut self, is_active: bool) {
        let before_us = now_us();
        let is_active_again = is_active.then_some(before_us);
        let group = SWITCHED.to_owned();
        self.operate(&Action::Switch { group, is_active: Some(is_active) });
        self.close_or_open(SWITCHED, is_active_again);
    }

    /// Gives every node a configuration in which the window is open, or shut.
    pub(super) fn open_window(&mut self, is_open: bool) {
        let before_us = now_us();
        self.is_open = is_open;
        let text = config::text(&self.url, self.receiver.address(), is_open);
        for node in &mut self.nodes {
            let times = readings(node);
            node.reconfigure(&text);
            await_until("the configuration is read again", PATIENCE, || readings(node) > times);
        }
        self.close_or_open(WINDOWED, is_open.then_some(before_us));
    }

    /// Notes that a code must not be called from now on, or might have been called since `open_us`.
    fn close_or_open(&mut self, code: &'static str, open_us: Option<i64>) {
        let last = self.closed.iter_mut().rev().find(|closed| closed.code == code);
        let shut = last.filter(|closed| closed.until_us == i64::MAX);
        match (open_us, shut) {
            (Some(open_us), Some(shut)) => shut.until_us = open_us,
            (None, None) => {
                let from_us = now_us() + HEARING_US;
                self.closed.push(Closed { code, from_us, until_us: i64::MAX });
            }
            _ => {}
        }
    }

    /// Whether a bucket stands under the name of this node, or nobody's, or a lease has ended.
    pub(super) fn is_taken_over(&self, node: usize) -> bool {
        let Some(pid) = self.nodes.get(node).map(Server::pid) else { return true };
        let text = format!(
            "SELECT CAST(count(*) AS TEXT) FROM relay_bucket WHERE owner IS NULL \
             OR owner LIKE '%-{pid}-%' \
             OR lease_until < {}",
            now_of(&self.url)
        );
        number(&self.url, &text) == 0
    }

    /// Heals everything, waits until everything has ended that may end, and has the checker look at
    /// it.
    pub(super) fn end(mut self) -> Verdict {
        self.receiver.be_kind();
        self.switch(true);
        self.open_window(true);
        let written = self.writers.take().map(Writers::finish).unwrap_or_default();
        let healed_us = now_us();
        await_until("everything ends that may end", PATIENCE, || number(&self.url, OPEN) == 0);
        self.nodes.iter_mut().for_each(Server::stop);
        let trespasses = match self.database {
            Some(_) => rows(&self.url, "SELECT what FROM trespass"),
            None => Vec::new(),
        };
        let trespasses = trespasses.into_iter().flatten().flatten();
        judge(&History {
            written,
            calls: self.receiver.calls(),
            rows: requests(&self.url),
            closed: std::mem::take(&mut self.closed),
            trespasses: trespasses.collect(),
            healed_us,
        })
    }
}

fn readings(node: &Server) -> usize {
    node.log().matches("read the configuration again").count()
}

/// Requests that are still to end: all that are open, but those that wait for an operator.
const OPEN: &str = "SELECT CAST(count(*) AS TEXT) FROM relay_request AS r WHERE r.state < 2 \
    AND NOT EXISTS (SELECT 1 FROM relay_request AS b \
    WHERE b.state = 2 AND b.business_id = r.business_id)";

/// The database itself notes every write to a request under a lower fence than the highest of its
/// slot.
const WATCH: &str = "\
    CREATE TABLE trespass (what TEXT);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE highest BIGINT;
    BEGIN
      SELECT max(fence) INTO highest FROM relay_bucket
        WHERE NEW.slot BETWEEN slot_first AND slot_last;
      IF NEW.fence < highest THEN
        INSERT INTO trespass VALUES (format(
          'request %s was written under fence %s instead of %s, state %s to %s',
          NEW.id, NEW.fence, highest, OLD.state, NEW.state));
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER watch AFTER UPDATE ON relay_request FOR EACH ROW EXECUTE FUNCTION watch()";

/// The same in MariaDB's words.
const WATCH_MARIADB: &str = "\
    CREATE TABLE trespass (what TEXT);
    CREATE TRIGGER watch AFTER UPDATE ON relay_request FOR EACH ROW
      INSERT INTO trespass
      SELECT concat('request ', NEW.id, ' was written under fence ', NEW.fence, ' instead of ',
          max(fence), ', state ', OLD.state, ' to ', NEW.state)
        FROM relay_bucket WHERE NEW.slot BETWEEN slot_first AND slot_last
        HAVING NEW.fence < max(fence)";
