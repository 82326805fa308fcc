//! How a service is called by a protocol that has nothing of HTTP's to configure: what is sent, and
//! where.

use posthouse_net::discovery::Discoveries;
use posthouse_relay::courier::{CallTarget, Fault, FrameCourier, FrameProtocol, GrpcCourier};

use super::access::Access;
use super::endpoints::filled;
use super::route::Instances;
use crate::config::table::TableReader;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Call {
    access: Access,
    instances: Option<Instances>,
    headers: Vec<(String, String)>,
    content_type: Option<String>,
    body: Option<String>,
    service: Option<String>,
    service_method: Option<String>,
    timeout_ms: u64,
}

impl Call {
    /// Reads what stands beside the address and the headers.
    pub(super) fn read(
        reader: &mut TableReader<'_>,
        url: String,
        headers: Vec<(String, String)>,
        timeout_ms: u64,
        instances: Option<Instances>,
    ) -> Call {
        Call {
            access: Access::read(reader, url),
            instances,
            headers,
            content_type: filled(reader, "content_type"),
            body: filled(reader, "body"),
            service: filled(reader, "service"),
            service_method: filled(reader, "service_method"),
            timeout_ms,
        }
    }

    /// The courier that calls by the frame protocol.
    ///
    /// # Errors
    /// Every mistake in it, and files that cannot be read.
    pub(super) fn frame_courier(
        &self,
        discoveries: &Discoveries,
    ) -> Result<FrameCourier, Vec<Fault>> {
        FrameCourier::new(FrameProtocol, self.target(discoveries)?)
    }

    /// The courier that calls by gRPC.
    ///
    /// # Errors
    /// Likewise.
    pub(super) fn grpc_courier(
        &self,
        discoveries: &Discoveries,
    ) -> Result<GrpcCourier, Vec<Fault>> {
        GrpcCourier::new(self.target(discoveries)?)
    }

    /// Who knows where it leads, if it is found.
    pub(super) fn instances(&self) -> Option<&Instances> {
        self.instances.as_ref()
    }

    fn target(&self, discoveries: &Discoveries) -> Result<CallTarget, Vec<Fault>> {
        let instances = self.instances.as_ref();
        let instances = instances.map(|it| it.made(&self.access, discoveries)).transpose()?;
        Ok(CallTarget {
            instances,
            headers: self.headers.clone(),
            content_type: self.content_type.clone(),
            body: self.body.clone(),
            service: self.service.clone(),
            service_method: self.service_method.clone(),
            signing_keys: self.access.signing_keys(),
            timeout_ms: self.timeout_ms,
            ..CallTarget::new(self.access.client()?, &self.access.url)
        })
    }
}
