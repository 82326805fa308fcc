//! How an endpoint is reached, and the courier that is made from it.
//!
//! A route is compared with the one before when the configuration is read again, so that couriers
//! keep their connections as long as nothing about them has changed.

use std::sync::Arc;

use posthouse_net::HttpVersion;
use posthouse_net::discovery::{Balance, Discoveries, DiscoverySettings};
use posthouse_relay::courier::{
    self, AnyCourier, BodyRule, DestinationCourier, DestinationTarget, Fault, HttpCourier,
    HttpTarget, Publication, PublishError, Published, Publisher,
};

use super::access::{Access, fault};
use super::call::Call;

/// How an endpoint is reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Route {
    /// By HTTP.
    Http(Box<Http>),
    /// Into a destination of this node.
    Destination(Destination),
    /// By the frame protocol.
    Frame(Box<Call>),
    /// By gRPC.
    Grpc(Box<Call>),
}

/// How a service is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Http {
    pub(super) access: Access,
    pub(super) instances: Option<Instances>,
    pub(super) method: Option<String>,
    pub(super) service: Option<String>,
    pub(super) service_method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<String>,
    pub(super) success: Option<String>,
    pub(super) success_text: Option<String>,
    pub(super) success_field: Option<(String, serde_json::Value)>,
    pub(super) never: Option<String>,
    pub(super) version: HttpVersion,
    pub(super) timeout_ms: u64,
}

/// Where the instances of a service are found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Instances {
    pub(super) discovery: DiscoverySettings,
    pub(super) service: String,
    pub(super) balance: Balance,
    pub(super) host: Option<String>,
}

/// How something is published.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Destination {
    pub(super) destination: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) service: Option<String>,
    pub(super) service_method: Option<String>,
    pub(super) timeout_ms: u64,
}

impl Route {
    /// The courier that goes there.
    ///
    /// # Errors
    /// Every mistake in the route, and files that cannot be read.
    pub(crate) fn courier(
        &self,
        publisher: Arc<dyn Publisher>,
        discoveries: &Discoveries,
    ) -> Result<AnyCourier, Vec<Fault>> {
        match self {
            Route::Http(http) => {
                let courier = HttpCourier::new(http.target(discoveries)?)?;
                Ok(AnyCourier::Http(Box::new(courier)))
            }
            Route::Destination(destination) => {
                DestinationCourier::new(destination.target(publisher)).map(AnyCourier::Destination)
            }
            Route::Frame(call) => {
                call.frame_courier(discoveries).map(|courier| AnyCourier::Frame(Box::new(courier)))
            }
            Route::Grpc(call) => {
                call.grpc_courier(discoveries).map(|courier| AnyCourier::Grpc(Box::new(courier)))
            }
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.courier(Arc::new(Nobody), &Discoveries::default()).err().unwrap_or_default()
    }

    /// The discovery that knows where it leads, if there is one.
    pub(crate) fn discovery(&self) -> Option<&DiscoverySettings> {
        match self {
            Route::Http(http) => http.instances.as_ref(),
            Route::Frame(call) | Route::Grpc(call) => call.instances(),
            Route::Destination(_) => None,
        }
        .map(|instances| &instances.discovery)
    }
}

impl Instances {
    /// As couriers have it. What a discovery says leads nowhere by itself.
    ///
    /// # Errors
    /// If no instance could be called.
    pub(super) fn made(
        &self,
        access: &Access,
        discoveries: &Discoveries,
    ) -> Result<courier::Instances, Vec<Fault>> {
        if access.names_no_network() {
            let problem = "it names no network, so that no instance could be called; name those \
                           in which instances are, such as 10.0.0.0/8";
            return Err(vec![fault("allow", problem.to_owned())]);
        }
        Ok(courier::Instances {
            discovery: discoveries.get(&self.discovery),
            service: self.service.clone(),
            balance: self.balance,
            host: self.host.clone(),
        })
    }
}

impl Http {
    fn target(&self, discoveries: &Discoveries) -> Result<HttpTarget, Vec<Fault>> {
        let usual = HttpTarget::new(self.access.client()?, &self.access.url);
        let instances = self.instances.as_ref();
        let instances = instances.map(|it| it.made(&self.access, discoveries)).transpose()?;
        Ok(HttpTarget {
            http_version: self.version,
            method: self.method.clone().unwrap_or(usual.method),
            headers: self.headers.clone(),
            content_type: self.content_type.clone(),
            body: self.body.clone(),
            service: self.service.clone(),
            service_method: self.service_method.clone(),
            success: self.success.clone().unwrap_or(usual.success),
            success_body: self.success_body()?,
            never: self.never.clone().unwrap_or(usual.never),
            signing_keys: self.access.signing_keys(),
            timeout_ms: self.timeout_ms,
            instances,
            client: usual.client,
            url: usual.url,
        })
    }

    fn success_body(&self) -> Result<Option<BodyRule>, Vec<Fault>> {
        match (&self.success_text, &self.success_field) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(BodyRule::Contains(text.clone()))),
            (None, Some((pointer, equals))) => {
                Ok(Some(BodyRule::Pointer { pointer: pointer.clone(), equals: equals.clone() }))
            }
            _ => {
                let problem = "success_text and success_field exclude each other";
                Err(vec![fault("success_body", problem.to_owned())])
            }
        }
    }
}

impl Destination {
    fn target(&self, publisher: Arc<dyn Publisher>) -> DestinationTarget {
        DestinationTarget {
            headers: self.headers.clone(),
            service: self.service.clone(),
            service_method: self.service_method.clone(),
            timeout_ms: self.timeout_ms,
            ..DestinationTarget::new(publisher, &self.destination)
        }
    }
}

/// Publishes nothing: while a configuration is only checked, there is no broker.
struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: Publication) -> Published<'_> {
        let detail = "there is no broker".to_owned();
        Box::pin(async { Err(PublishError::Unreachable { detail }) })
    }
}
