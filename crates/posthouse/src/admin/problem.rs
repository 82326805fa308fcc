//! What the API answers when it does not do what was asked: a problem document with a stable
//! code (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use posthouse_core::refusal::{self, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::broker_thread::Stopped;
use crate::codes::Code;
use crate::pages;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem, as a URI.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind in a few words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened this time.
    pub(crate) detail: String,
    /// The stable code; `posthouse explain` has a page about it.
    pub(crate) code: String,
    /// The command that shows this page, such as `posthouse explain PH1203`.
    #[schema(value_type = String)]
    pub(crate) help: Box<str>,
}

impl Problem {
    /// A problem of the node's own.
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Problem {
        Problem::of(status, code.as_str(), detail.into())
    }

    /// Whether it says that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND.as_u16()
    }

    /// Something named in the request that is not there.
    pub(crate) fn missing(code: refusal::Code, detail: String) -> Problem {
        Problem::of(StatusCode::NOT_FOUND, code.as_str(), detail)
    }

    fn of(status: StatusCode, code: &str, detail: String) -> Problem {
        Problem {
            kind: format!("urn:posthouse:error:{code}"),
            title: pages::title(code).to_owned(),
            status: status.as_u16(),
            detail,
            code: code.to_owned(),
            help: format!("posthouse explain {code}").into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        Problem::of(status_of(refusal.code), refusal.code.as_str(), refusal.detail)
    }
}

impl From<Stopped> for Problem {
    fn from(_: Stopped) -> Problem {
        let detail = "the node is stopping; ask again when it is back";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::NodeStopping, detail)
    }
}

fn status_of(code: refusal::Code) -> StatusCode {
    use refusal::Code as Core;
    match code {
        Core::DestinationUnknown
        | Core::SubscriptionUnknown
        | Core::TransactionUnknown
        | Core::ConsumerUnknown
        | Core::DeliveryUnknown => StatusCode::NOT_FOUND,
        Core::NameInvalid
        | Core::WildcardRefused
        | Core::SelectorInvalid
        | Core::SubscriptionNameMissing
        | Core::NotOffered => StatusCode::BAD_REQUEST,
        Core::MessageTooLarge | Core::TransactionTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Core::LimitReached => StatusCode::SERVICE_UNAVAILABLE,
        Core::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
        Core::DestinationFull
        | Core::BlockedTooLong
        | Core::SubscriptionInUse
        | Core::SubscriberTooSlow
        | Core::DestinationInUse => StatusCode::CONFLICT,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
