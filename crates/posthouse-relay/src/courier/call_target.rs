//! A target that is called by a protocol without HTTP's methods and statuses, as configured, and
//! its checks.

use std::fmt;
use std::sync::Arc;

use posthouse_net::{Client, HttpVersion, Scheme};

use super::assembly::{Assembly, check_body, check_headers};
use super::fault::{Fault, Faults};
use super::instances::Instances;
use super::key_ring::{KeyRing, SecretSource};
use super::limits::TIMEOUT_MS;
use super::site::{Host, Site};

/// How requests of some codes are called over a protocol without HTTP's methods and statuses.
/// Fields in braces, such as `{key}`, are filled in from each request.
#[derive(Clone)]
pub struct CallTarget {
    /// Makes the connections; its guard applies.
    pub client: Client,
    /// Scheme, host and port, such as `frame://orders.example:7070`, and what else the protocol
    /// takes there. With `{instance}` in the place of host and port a discovery says who is
    /// called.
    pub url: String,
    /// Who says so.
    pub instances: Option<Instances>,
    /// Headers to add, names and templates. They replace the row's.
    pub headers: Vec<(String, String)>,
    /// The type of the body. `None`: the row's.
    pub content_type: Option<String>,
    /// The body. `None`: the row's, as it is. Values are escaped for the content type.
    pub body: Option<String>,
    /// The target service, if the row names none.
    pub service: Option<String>,
    /// The target method, if the row names none.
    pub service_method: Option<String>,
    /// The keys that sign: the current one and, while keys are changed, the one before.
    pub signing_keys: Vec<SecretSource>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

impl CallTarget {
    /// A target with the usual settings.
    pub fn new(client: Client, url: impl Into<String>) -> CallTarget {
        CallTarget {
            client,
            url: url.into(),
            instances: None,
            headers: Vec::new(),
            content_type: None,
            body: None,
            service: None,
            service_method: None,
            signing_keys: Vec::new(),
            timeout_ms: TIMEOUT_MS,
        }
    }

    /// Checks everything; `read_url` reads the address.
    ///
    /// # Errors
    /// Every mistake.
    pub(crate) fn check<U>(
        self,
        read_url: impl FnOnce(&str) -> Result<(Host, U), String>,
    ) -> Result<Checked<U>, Vec<Fault>> {
        let mut faults = Faults::default();
        let has_instances = self.instances.is_some();
        let instances = self.instances.and_then(|instances| instances.check(&mut faults));
        let is_whole = has_instances == instances.is_some();
        let site = read_url(&self.url).and_then(|(host, url)| match is_whole {
            true => Ok((Site::new(&self.client, host, instances)?, url)),
            false => Err("its instances cannot be found; see what is wrong there".to_owned()),
        });
        let url = faults.take("url", site);
        let headers = check_headers(&self.headers, &mut faults);
        let body = check_body(self.content_type.as_deref(), self.body.as_deref(), &mut faults);
        let keys = faults.take("signing_keys", KeyRing::load(self.signing_keys));
        if self.timeout_ms == 0 {
            faults.add("timeout_ms", "it is 0; write how long one attempt may take");
        }
        let assembly = Assembly {
            headers,
            body,
            content_type: self.content_type,
            service: self.service,
            service_method: self.service_method,
        };
        let (client, timeout_ms) = (self.client, self.timeout_ms);
        let built = url.zip(keys).map(|((site, url), keys)| Checked {
            client,
            url,
            rules: Rules { site, assembly, keys, timeout_ms },
        });
        faults.finish(built)
    }
}

/// Headers may hold passwords.
impl fmt::Debug for CallTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallTarget").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A target without mistakes.
pub(crate) struct Checked<U> {
    pub(crate) client: Client,
    /// What stands in the address beside the host.
    pub(crate) url: U,
    pub(crate) rules: Rules,
}

/// What every call to a target keeps to.
pub(crate) struct Rules {
    /// Where calls go.
    pub(crate) site: Site,
    pub(crate) assembly: Assembly,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) timeout_ms: u64,
}

/// The host in an address that has nothing else.
pub(crate) fn bare_host(text: &str, scheme: Scheme) -> Result<(Host, ()), String> {
    let (host, path) = Host::read(text, scheme, HttpVersion::Auto)?;
    match path.as_str() {
        "" | "/" => Ok((host, ())),
        _ => Err("it has a path or a query; write scheme, host and port".into()),
    }
}
