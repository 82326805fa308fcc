//! ZooKeeper: every child of a node is an instance, by its name (`host:port`, or a provider's URL
//! as Dubbo has it) or by its data.
//!
//! One session serves all services. Watches are set with each read, so that nothing is missed
//! between them; when one fires, everything is read again. A session that is lost is a failure and
//! not an empty list, however many instances were ephemeral nodes of it.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zookeeper_client::{Client, Error, OneshotWatcher, SessionState};

use super::directory::Directory;
use super::entry::{self, Named};
use super::instance::Instance;
use super::secret::Login;
use super::service;
use crate::limits::INSTANCES_MAX;

/// How long making a session may take, in milliseconds.
const CONNECT_MS_MAX: u64 = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct ZooKeeper {
    servers: String,
    path: String,
    protocol: Option<String>,
    session_ms: u64,
    login: Option<Login>,
    client: Mutex<Option<Client>>,
}

/// What was read, and what tells that it is not so any more.
struct Read {
    instances: Vec<Instance>,
    watchers: Vec<OneshotWatcher>,
}

/// Whether this is the address of a server.
///
/// # Errors
/// What is wrong with it. It is not repeated, for there may be a password in it.
pub(super) fn check_server(server: &str) -> Result<(), String> {
    let is_server = !server.contains(['/', ',', '@']);
    match is_server.then(|| entry::from_bytes(server.as_bytes())) {
        Some(Ok(_)) => Ok(()),
        _ => Err("one of them is not the address of a server; write host:port".into()),
    }
}

impl ZooKeeper {
    pub(super) fn new(
        servers: &[String],
        path: String,
        protocol: Option<String>,
        session_ms: u64,
        login: Option<Login>,
    ) -> ZooKeeper {
        let servers = servers.join(",");
        ZooKeeper { servers, path, protocol, session_ms, login, client: Mutex::new(None) }
    }

    /// Hands in a list whenever something at the node of the service has changed.
    pub(super) async fn watch(&self, directory: &Directory) -> String {
        let client = match self.client().await {
            Ok(client) => client,
            Err(problem) => return problem,
        };
        let path = service::path_of(&self.path, directory.service());
        loop {
            // Taken before reading, so that a connection that breaks meanwhile is noticed.
            let mut states = client.state_watcher();
            states.state();
            let read = match self.read(&client, &path, directory).await {
                Ok(read) => read,
                Err(error) => return format!("ZooKeeper, {path}: {error}"),
            };
            directory.heard(read.instances);
            tokio::select! {
                () = any(read.watchers) => {}
                state = states.changed() => {
                    if state != SessionState::SyncConnected {
                        return "the connection to ZooKeeper is lost".into();
                    }
                }
            }
        }
    }

    /// The session that there is, or a new one.
    async fn client(&self) -> Result<Client, String> {
        let mut known = self.client.lock().await;
        if let Some(client) = known.as_ref()
            && !client.state().is_terminated()
        {
            return match client.state() {
                SessionState::Disconnected => Err("the connection to ZooKeeper is lost".into()),
                _ => Ok(client.clone()),
            };
        }
        let mut connector =
            Client::connector().with_session_timeout(Duration::from_millis(self.session_ms));
        if let Some(login) = &self.login {
            let auth = format!("{}:{}", login.name, login.password.read()?);
            connector = connector.with_auth("digest", auth.as_bytes());
        }
        let connecting = connector.with_fail_eagerly().connect(&self.servers);
        let client = timeout(Duration::from_millis(CONNECT_MS_MAX), connecting).await;
        let client = client.map_err(|_| "ZooKeeper does not answer".to_owned())?;
        let client = client.map_err(|error| format!("no session with ZooKeeper: {error}"))?;
        *known = Some(client.clone());
        Ok(client)
    }

    async fn read(
        &self,
        client: &Client,
        path: &str,
        directory: &Directory,
    ) -> Result<Read, Error> {
        let (children, watcher) = children(client, path).await?;
        let mut read = Read { instances: Vec::new(), watchers: vec![watcher] };
        let mut asked = Vec::new();
        for name in children.iter().take(INSTANCES_MAX) {
            match entry::from_name(name, self.protocol.as_deref()) {
                Named::Yes(Ok(instance)) => read.instances.push(instance),
                Named::Yes(Err(problem)) => directory.misread(name, &problem),
                Named::Foreign => {}
                // All are asked for before the first answer is waited for.
                Named::No => {
                    asked.push((name, client.get_and_watch_data(&format!("{path}/{name}"))));
                }
            }
        }
        for (name, answer) in asked {
            match answer.await {
                Ok((data, _, watcher)) => {
                    read.watchers.push(watcher);
                    match entry::from_bytes(&data) {
                        Ok(instance) => read.instances.push(instance),
                        Err(problem) => directory.misread(name, &problem),
                    }
                }
                // It has gone since, of which the watch on its parent tells.
                Err(Error::NoNode) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

/// The names of all children. Nobody is there until the node is made; one that was made just now is
/// looked at again, because the other kind of watch does not tell of its children.
async fn children(client: &Client, path: &str) -> Result<(Vec<String>, OneshotWatcher), Error> {
    loop {
        match client.list_and_watch_children(path).await {
            Err(Error::NoNode) => {}
            found => return found,
        }
        if let (None, watcher) = client.check_and_watch_stat(path).await? {
            return Ok((Vec::new(), watcher));
        }
    }
}

/// Waits until one of them fires.
async fn any(watchers: Vec<OneshotWatcher>) {
    let mut all = JoinSet::new();
    for watcher in watchers {
        all.spawn(watcher.changed());
    }
    all.join_next().await;
}
