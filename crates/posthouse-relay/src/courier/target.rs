//! An HTTP target as configured, and its checks.

use std::fmt;
use std::sync::Arc;

use hyper::{Method, Uri};
use posthouse_net::{Client, HttpVersion, Origin};

use super::answers::{Answers, BodyRule, NEVER, SUCCESS};
use super::assembly::{Assembly, check_body, check_headers};
use super::escape::Place;
use super::fault::{Fault, Faults};
use super::instances::{CheckedInstances, INSTANCE, Instances};
use super::key_ring::{KeyRing, SecretSource};
use super::limits::TIMEOUT_MS;
use super::status_set::StatusSet;
use super::template::Template;

/// How requests of some codes are called over HTTP. Fields in braces, such as `{key}`, are filled
/// in from each request; see the manual for their names.
#[derive(Clone)]
pub struct HttpTarget {
    /// Makes the calls; its guard applies.
    pub client: Client,
    /// Which HTTP is spoken.
    pub http_version: HttpVersion,
    /// The URL, with fields in its path and query only; or one header field, `{header.x-url}`,
    /// and nothing else, if rows bring their own. With `instances` its host is `{instance}`.
    pub url: String,
    /// Whom to ask where the receiver is.
    pub instances: Option<Instances>,
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Headers to add, names and templates. They replace the row's.
    pub headers: Vec<(String, String)>,
    /// The type of the body. `None`: the row's, or `application/octet-stream`.
    pub content_type: Option<String>,
    /// The body. `None`: the row's, as it is. Values are escaped for the content type.
    pub body: Option<String>,
    /// The target service, if the row names none.
    pub service: Option<String>,
    /// The target method, if the row names none.
    pub service_method: Option<String>,
    /// Statuses that mean success, such as `200-299`.
    pub success: String,
    /// What the body of a success must look like beyond that.
    pub success_body: Option<BodyRule>,
    /// Statuses that mean that trying again is of no use. All others mean that it may be.
    pub never: String,
    /// The keys that sign: the current one and, while keys are changed, the one before.
    pub signing_keys: Vec<SecretSource>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

impl HttpTarget {
    /// A target with the usual settings.
    pub fn new(client: Client, url: impl Into<String>) -> HttpTarget {
        HttpTarget {
            client,
            http_version: HttpVersion::Auto,
            url: url.into(),
            instances: None,
            method: "POST".into(),
            headers: Vec::new(),
            content_type: None,
            body: None,
            service: None,
            service_method: None,
            success: SUCCESS.into(),
            success_body: None,
            never: NEVER.into(),
            signing_keys: Vec::new(),
            timeout_ms: TIMEOUT_MS,
        }
    }

    /// Checks everything.
    ///
    /// # Errors
    /// Every mistake.
    pub(crate) fn check(self) -> Result<Checked, Vec<Fault>> {
        let mut faults = Faults::default();
        let instances = self.instances.clone().and_then(|found| found.check(&mut faults));
        let url = faults.take("url", check_url(&self, instances));
        let method = faults.take("method", check_method(&self.method));
        let headers = check_headers(&self.headers, &mut faults);
        let body = check_body(self.content_type.as_deref(), self.body.as_deref(), &mut faults);
        let answers = check_answers(&self, &mut faults);
        let keys = faults.take("signing_keys", KeyRing::load(self.signing_keys));
        if self.timeout_ms == 0 {
            faults.add("timeout_ms", "it is 0; write how long one attempt may take");
        }
        let built = (|| {
            Some(Checked {
                url: url?,
                method: method?,
                assembly: Assembly {
                    headers,
                    body,
                    content_type: self.content_type,
                    service: self.service,
                    service_method: self.service_method,
                },
                answers: answers?,
                keys: keys?,
                client: self.client,
                timeout_ms: self.timeout_ms,
            })
        })();
        faults.finish(built)
    }
}

/// Headers and queries may hold passwords.
impl fmt::Debug for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("HttpTarget").field("url", &url).finish_non_exhaustive()
    }
}

/// A target without mistakes.
pub(crate) struct Checked {
    pub(crate) client: Client,
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) assembly: Assembly,
    pub(crate) answers: Answers,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) timeout_ms: u64,
}

/// Where calls go.
pub(crate) enum Url {
    /// To one origin.
    Fixed { origin: Origin, template: Template },
    /// Where each row says.
    Row { version: HttpVersion, template: Template },
    /// To an instance of a service; the template is what stands behind the host.
    Found { is_tls: bool, version: HttpVersion, template: Template, instances: CheckedInstances },
}

fn check_url(target: &HttpTarget, instances: Option<CheckedInstances>) -> Result<Url, String> {
    let is_found = authority(&target.url) == INSTANCE;
    match (is_found, &target.instances) {
        (false, None) => check_own_url(target),
        (true, Some(_)) => check_found_url(target, instances),
        (true, None) => Err("{instance} needs a discovery that knows where instances are".into()),
        (false, Some(_)) => Err("its host is not {instance}, so that the discovery would not be \
                                 asked; write it as http://{instance}/path"
            .into()),
    }
}

fn check_found_url(
    target: &HttpTarget,
    instances: Option<CheckedInstances>,
) -> Result<Url, String> {
    let (scheme, rest) = target.url.split_once("://").unwrap_or_default();
    let is_tls = match scheme {
        "https" => true,
        "http" => false,
        _ => return Err("it does not begin with http:// or https://".into()),
    };
    let path = rest.strip_prefix(INSTANCE).unwrap_or(rest);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let template = Template::parse(&path, Place::Url)?;
    check_sample(&template)?;
    let instances = instances.ok_or("its instances cannot be found; see what is wrong there")?;
    Ok(Url::Found { is_tls, version: target.http_version, template, instances })
}

/// Looks whether what surrounds the fields makes sense.
fn check_sample(template: &Template) -> Result<Uri, String> {
    let sample = template.sample("x");
    if sample.contains(['{', '}', '#']) {
        return Err("it has a \"#\", or a brace that belongs to no field".into());
    }
    sample.parse().map_err(|error| format!("it is not a URL: {error}"))
}

fn check_own_url(target: &HttpTarget) -> Result<Url, String> {
    let template = Template::parse(&target.url, Place::Url)?;
    if template.is_one_field() {
        if !target.url.starts_with("{header.") {
            return Err("only a header of the row may be the whole URL, as {header.x-url}".into());
        }
        let template = Template::parse(&target.url, Place::WholeUrl)?;
        return Ok(Url::Row { version: target.http_version, template });
    }
    if authority(&target.url).contains('{') {
        return Err("rows do not choose the host: fields may stand in path and query only".into());
    }
    let parsed = check_sample(&template)?;
    let origin = Origin::of(&parsed, target.http_version).map_err(|error| error.to_string())?;
    target.client.check(&origin).map_err(|refusal| refusal.to_string())?;
    Ok(Url::Fixed { origin, template })
}

/// What stands between the scheme and the path.
fn authority(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    after.split(['/', '?', '#']).next().unwrap_or(after)
}

fn check_method(text: &str) -> Result<Method, String> {
    match text {
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        _ => Err(format!("\"{text}\" is not offered; write POST, PUT, PATCH or DELETE")),
    }
}

fn check_answers(target: &HttpTarget, faults: &mut Faults) -> Option<Answers> {
    let success = faults.take("success", StatusSet::parse(&target.success));
    let never = faults.take("never", StatusSet::parse(&target.never));
    let (success, never) = success.zip(never)?;
    if success.is_empty() {
        faults.add("success", "it names no status, so nothing could ever be done");
    }
    if let Some(status) = success.overlap(&never) {
        faults.add("never", format!("{status} means success already"));
    }
    if let Some(BodyRule::Pointer { pointer, .. }) = &target.success_body
        && !(pointer.is_empty() || pointer.starts_with('/'))
    {
        faults
            .add("success_body", format!("\"{pointer}\" is not a JSON pointer; begin with \"/\""));
    }
    Some(Answers { success, never, body: target.success_body.clone() })
}
