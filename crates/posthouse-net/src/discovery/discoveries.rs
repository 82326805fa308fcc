//! Discoveries by name, and the services that each follows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::directory::{Directory, View};
use super::drains::Drains;
use super::follow::{Oracle, follow};
use super::roster::{InstanceState, NoInstance};
use super::service;
use super::settings::DiscoverySettings;
use crate::limits::SERVICES_MAX;
use crate::pool::lock;

/// All discoveries of a node.
#[derive(Debug)]
pub struct Discoveries {
    known: Mutex<BTreeMap<Arc<str>, Arc<Discovery>>>,
    drains: Drains,
    start: Instant,
}

/// One place that knows where services run. Whoever drops the last copy ends its tasks.
#[derive(Debug)]
pub struct Discovery {
    settings: DiscoverySettings,
    oracle: Arc<Oracle>,
    followed: Mutex<BTreeMap<Arc<str>, Followed>>,
    drains: Drains,
    start: Instant,
}

#[derive(Debug)]
struct Followed {
    directory: Arc<Directory>,
    /// Named in the configuration, and so followed whether it is called or not.
    is_pinned: bool,
    asked_at: Instant,
    task: JoinHandle<()>,
}

/// Who is to be drained, or not any more: an instance, of all services unless they are named.
#[derive(Clone, Debug, Default)]
pub struct Whom {
    /// Its id.
    pub instance: String,
    /// The discovery.
    pub discovery: Option<String>,
    /// The service.
    pub service: Option<String>,
}

impl Default for Discoveries {
    fn default() -> Discoveries {
        let (known, drains) = (Mutex::default(), Drains::default());
        Discoveries { known, drains, start: Instant::now() }
    }
}

impl Discoveries {
    /// The discovery of these settings. One that has not changed is the same as before, with its
    /// connections and all that it knows.
    pub fn get(&self, settings: &DiscoverySettings) -> Arc<Discovery> {
        let mut known = lock(&self.known);
        if let Some(discovery) = known.get(&settings.name)
            && discovery.settings == *settings
        {
            return discovery.clone();
        }
        let discovery = Arc::new(Discovery {
            settings: settings.clone(),
            oracle: Arc::new(Oracle::new(settings)),
            followed: Mutex::default(),
            drains: self.drains.clone(),
            start: self.start,
        });
        known.insert(settings.name.clone(), discovery.clone());
        discovery
    }

    /// Forgets the discoveries that `is_used` does not name.
    pub fn retain(&self, is_used: impl Fn(&str) -> bool) {
        lock(&self.known).retain(|name, _| is_used(name));
    }

    /// Every service that is followed.
    pub fn view(&self) -> Vec<View> {
        let known: Vec<_> = lock(&self.known).values().cloned().collect();
        known.iter().flat_map(|discovery| discovery.view()).collect()
    }

    /// Drains instances, or lets them work again. Says of how many services, and of how many of
    /// these anything has changed.
    pub fn drain(&self, whom: &Whom, is_drained: bool) -> (usize, usize) {
        let (mut found, mut changed) = (0, 0);
        for view in self.view().iter().filter(|view| whom.is_of(view)) {
            let mut ours = view.instances.iter();
            let Some(one) = ours.find(|one| *one.instance.id == *whom.instance) else { continue };
            found += 1;
            let was_drained = one.state == InstanceState::Drained;
            let drain = view.drain_of(&one.instance.id);
            let is_done =
                if is_drained { self.drains.add(drain) } else { self.drains.remove(&drain) };
            changed += usize::from(is_done && was_drained != is_drained);
        }
        (found, changed)
    }
}

impl Whom {
    fn is_of(&self, view: &View) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|it| it == is);
        fits(&self.discovery, &view.discovery) && fits(&self.service, &view.service)
    }
}

impl Discovery {
    /// Follows a service that is named in the configuration. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the name is none, or too many services are followed.
    pub fn pin(&self, service: &str) -> Result<Arc<Directory>, NoInstance> {
        self.find(service, true)
    }

    /// The instances of a service, which is followed from now on until nobody has asked for it for
    /// long, and there are too many. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the name is none, or too many services are followed and all are in use.
    pub fn directory(&self, service: &str) -> Result<Arc<Directory>, NoInstance> {
        self.find(service, false)
    }

    fn find(&self, service: &str, is_pinned: bool) -> Result<Arc<Directory>, NoInstance> {
        let nobody =
            |problem: String| NoInstance { service: "the service".into(), problem: problem.into() };
        let service = service::check(service).map_err(nobody)?;
        let mut followed = lock(&self.followed);
        if let Some(known) = followed.get_mut(&service) {
            known.asked_at = Instant::now();
            known.is_pinned |= is_pinned;
            return Ok(known.directory.clone());
        }
        if followed.len() >= SERVICES_MAX && !make_room(&mut followed) {
            let problem = format!("{SERVICES_MAX} services are followed already, and all in use");
            return Err(NoInstance { service, problem: problem.into() });
        }
        let directory = Arc::new(Directory::new(
            &self.settings.name,
            service.clone(),
            self.settings.keep_ms,
            &self.drains,
            self.start,
        ));
        let task = tokio::spawn(follow(self.oracle.clone(), directory.clone()));
        let asked_at = Instant::now();
        let entry = Followed { directory: directory.clone(), is_pinned, asked_at, task };
        followed.insert(service, entry);
        Ok(directory)
    }

    fn view(&self) -> Vec<View> {
        let followed = lock(&self.followed);
        followed.values().map(|entry| entry.directory.view(entry.is_pinned)).collect()
    }
}

/// Lets go of the service that nobody has asked for for the longest time.
fn make_room(followed: &mut BTreeMap<Arc<str>, Followed>) -> bool {
    let is_free = |entry: &Followed| !entry.is_pinned && !entry.directory.is_busy();
    let free = followed.iter().filter(|(_, entry)| is_free(entry));
    let oldest = free.min_by_key(|(_, entry)| entry.asked_at).map(|(name, _)| name.clone());
    oldest.is_some_and(|name| followed.remove(&name).is_some())
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
