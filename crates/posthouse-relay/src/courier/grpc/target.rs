//! The address of a gRPC target: an origin, and the method to call.

use http::uri::PathAndQuery;
use posthouse_net::{HttpVersion, Scheme};

use super::metadata::is_reserved;
use crate::courier::call_target::{CallTarget, Checked};
use crate::courier::escape::Place;
use crate::courier::fault::Fault;
use crate::courier::site::Host;
use crate::courier::template::Template;

/// The method of the published service.
const DELIVER: &str = "/posthouse.relay.v1.Receiver/Deliver";

const SCHEME: Scheme = Scheme {
    plain: "grpc",
    tls: "grpcs",
    ports: Some((80, 443)),
    complaint: "it does not begin with grpc:// or grpcs://",
};

/// What is called.
pub(super) enum Method {
    /// The published service, with everything that is known of a request.
    Deliver(PathAndQuery),
    /// Any method, with the row's body as its message.
    Raw(Template),
}

/// Checks everything.
pub(super) fn check(target: CallTarget) -> Result<Checked<Method>, Vec<Fault>> {
    let mut faults = foreign(&target);
    match target.check(read_url) {
        Ok(checked) if faults.is_empty() => Ok(checked),
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

/// What has no meaning here.
fn foreign(target: &CallTarget) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, _) in target.headers.iter().filter(|(name, _)| is_reserved(&name.to_lowercase())) {
        let problem = "this header is set for every call and cannot be changed";
        faults.push(Fault::new(format!("headers.{name}"), problem));
    }
    let is_raw = matches!(read_url(&target.url), Ok((_, Method::Raw(_))));
    for (field, text) in [("body", &target.body), ("content_type", &target.content_type)] {
        if is_raw && text.is_some() {
            let problem = "the url names a method, so that the row's body is its message already";
            faults.push(Fault::new(field, problem));
        }
    }
    faults
}

fn read_url(text: &str) -> Result<(Host, Method), String> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (base, path) = match text.get(start..).and_then(|rest| rest.find('/')) {
        Some(at) => text.split_at(start + at),
        None => (text, ""),
    };
    let (host, _) = Host::read(base, SCHEME, HttpVersion::Http2)?;
    Ok((host, method(path)?))
}

fn method(path: &str) -> Result<Method, String> {
    if matches!(path, "" | "/") {
        return Ok(Method::Deliver(PathAndQuery::from_static(DELIVER)));
    }
    let template = Template::parse(path, Place::Url)?;
    let sample = template.sample("x");
    let names: Vec<&str> = sample.split('/').skip(1).collect();
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-~%".contains(c))
    };
    match names.as_slice() {
        [service, method] if is_name(service) && is_name(method) => Ok(Method::Raw(template)),
        _ => {
            Err("its path is not /SERVICE/METHOD; leave it out to call the published service, or \
                  write /{service}/{method}"
                .into())
        }
    }
}
