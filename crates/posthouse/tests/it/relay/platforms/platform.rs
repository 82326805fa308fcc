//! One platform: its database, its node, its services, its records.

use std::net::SocketAddr;
use std::sync::Arc;

use posthouse_relay::fixture::{MariadbServer, PostgresServer};
use posthouse_relay::source::operate::Action;
use posthouse_relay::source::{Options, Source as _, connect, schema};

use super::super::database::{number, run, runtime};
use super::super::scene::Database;
use super::hours::Hours;
use super::name::Name;
use super::records::{Ledger, TABLE};
use super::services::Services;
use crate::server::{Server, fresh_dir};

/// See the module.
pub(super) struct Platform {
    pub(super) name: Name,
    pub(super) url: String,
    pub(super) database: Option<Database>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) hours: Arc<Hours>,
    pub(super) services: Services,
    node: Option<Server>,
}

impl Platform {
    /// Everything but the node, which must know the others.
    pub(super) fn start(name: Name, hours: Hours) -> Platform {
        let database = match name {
            Name::Participant => {
                Some(Database::Postgres(PostgresServer::start().expect("PostgreSQL starts")))
            }
            Name::Collaboration => {
                Some(Database::Mariadb(MariadbServer::start().expect("MariaDB starts")))
            }
            Name::Operation => None,
        };
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", fresh_dir().join("requests.db").display()),
        };
        runtime().block_on(schema::init(&url)).expect("the tables can be made");
        run(&url, TABLE);
        let (ledger, hours) = (Arc::new(Ledger::new(name, &url)), Arc::new(hours));
        let services = Services::start(name, ledger.clone(), hours.clone());
        Platform { name, url, database, ledger, hours, services, node: None }
    }

    /// Its node, which sends to the others.
    pub(super) fn start_node(&mut self, others: &[(Name, SocketAddr, String)]) {
        let mut text = format!(
            "[relay]\ncheck_every = \"500ms\"\n[[relay.source]]\nname = \"{}\"\nurl = \"{}\"\n\
             lease = \"3s\"\nround = \"200ms\"\n{RULES}",
            self.name.word(),
            self.url
        );
        for (other, address, weekly) in others {
            let (word, code) = (other.word(), self.name.code_to(*other));
            let zone = if weekly == "always" { "" } else { "zone = \"UTC\"\n" };
            text.push_str(&format!(
                "[[relay.window]]\nname = \"{word}\"\n{zone}weekly = [\"{weekly}\"]\n\
                 [[relay.group]]\nname = \"{word}\"\nwindow = \"{word}\"\n\
                 order = \"key-and-code\"\nbackoff = \"100ms\"\nbackoff_max = \"500ms\"\n\
                 [[relay.code]]\nname = \"{code}\"\ngroup = \"{word}\"\nendpoint = \"{word}\"\n\
                 [[relay.endpoint]]\nname = \"{word}\"\nurl = \"http://{address}/\"\n\
                 timeout = \"2s\"\nbreaker_pause = \"100ms\"\nbreaker_pause_max = \"500ms\"\n"
            ));
        }
        self.node = Some(Server::start_with_config(&text));
    }

    pub(super) fn node(&mut self) -> &mut Server {
        self.node.as_mut().expect("it was started")
    }

    /// Has an operator do something.
    pub(super) fn operate(&self, action: &Action) {
        runtime().block_on(async {
            let source = connect(&self.url, Options::default()).expect("the address is good");
            source.operate(action).await.unwrap_or_else(|error| panic!("{action:?}: {error}"));
            source.close().await;
        });
    }

    /// Requests that have not ended.
    pub(super) fn open(&self) -> i64 {
        number(&self.url, "SELECT CAST(count(*) AS TEXT) FROM relay_request WHERE state < 3")
    }

    /// Alarms that its node has told, as rule and subject, each as often as it began.
    pub(super) fn alarms(&mut self) -> Vec<(String, String)> {
        let log = self.node().log();
        let begins = log.lines().filter(|line| line.contains("an alarm begins"));
        begins.map(|line| (word_of(line, "rule"), word_of(line, "subject"))).collect()
    }
}

/// Limits that are passed within seconds where something is broken, and within half a minute where
/// something only waits.
const RULES: &str = r#"
[[relay.rule]]
name = "claimable-age"
limit = "30s"
[[relay.rule]]
name = "no-progress"
limit = "30s"
[[relay.rule]]
name = "trouble"
for = "2s"
clear = "1s"
[[relay.rule]]
name = "endpoint-down"
for = "3s"
clear = "1s"
"#;

/// The value of a field in a line of the log.
fn word_of(line: &str, field: &str) -> String {
    let rest = line.split_once(&format!("{field}=\"")).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}
