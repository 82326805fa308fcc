//! Every route with who may come to it. The table makes the router, so that no route exists that
//! says nothing about access.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};

use super::access::{Access, Resource, Verb, authorize};
use super::problem::Problem;
use super::{
    Admin, connections, destinations, guard, health, login, messages, metrics, node, openapi,
    subscriptions,
};
use crate::codes::Code;
use crate::data_dir::Token;

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    handler: MethodRouter<Arc<Admin>>,
}

/// All routes.
pub(super) fn table() -> Vec<Route> {
    use Access::{Login, Open};
    use Resource::{Connection, Node, Queue, Subscription, Topic};
    use Verb::{Browse, Delete, Purge, Read, Redrive};
    vec![
        read("/livez", Open, get(health::livez)),
        read("/readyz", Open, get(health::readyz)),
        read("/metrics", Open, get(metrics::metrics)),
        read("/api/openapi.json", Open, get(openapi::document)),
        write("/api/v1/login", Open, post(login::login)),
        read("/api/v1/node", Login(Read, Node), get(node::show_node)),
        read("/api/v1/queues", Login(Read, Queue), get(destinations::list_queues)),
        read("/api/v1/queues/{name}", Login(Read, Queue), get(destinations::show_queue)),
        remove("/api/v1/queues/{name}", Login(Delete, Queue), delete(destinations::delete_queue)),
        read("/api/v1/queues/{name}/messages", Login(Browse, Queue), get(messages::browse_queue)),
        write("/api/v1/queues/{name}/purge", Login(Purge, Queue), post(destinations::purge_queue)),
        write(
            "/api/v1/queues/{name}/redrive",
            Login(Redrive, Queue),
            post(destinations::redrive_queue),
        ),
        read("/api/v1/topics", Login(Read, Topic), get(destinations::list_topics)),
        read("/api/v1/topics/{name}", Login(Read, Topic), get(destinations::show_topic)),
        read(
            "/api/v1/subscriptions",
            Login(Read, Subscription),
            get(subscriptions::list_subscriptions),
        ),
        remove(
            "/api/v1/subscriptions/{client}/{name}",
            Login(Delete, Subscription),
            delete(subscriptions::delete_subscription),
        ),
        read("/api/v1/connections", Login(Read, Connection), get(connections::list_connections)),
    ]
}

type Handler = MethodRouter<Arc<Admin>>;

fn read(path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method: Method::GET, path, access, handler }
}

fn write(path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method: Method::POST, path, access, handler }
}

fn remove(path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method: Method::DELETE, path, access, handler }
}

/// The service that answers requests.
pub(super) fn router(admin: &Arc<Admin>) -> Router {
    let mut router = Router::new();
    for Route { path, access, handler, .. } in table() {
        let state = (admin.clone(), access);
        let check = middleware::from_fn_with_state(state, check_access);
        router = router.route(path, handler.route_layer(check));
    }
    router
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard::guard))
        .layer(middleware::map_response(harden))
        .with_state(admin.clone())
}

async fn check_access(
    State((admin, access)): State<(Arc<Admin>, Access)>,
    request: Request,
    next: Next,
) -> Response {
    if let Access::Login(verb, resource) = access {
        let token = bearer(request.headers());
        let principal = token.and_then(|token| admin.sessions.find(&token, Instant::now()));
        if let Err(problem) = authorize(principal.as_ref(), verb, resource) {
            return problem.into_response();
        }
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::presented(token.trim()))
}

async fn unknown_route(request: Request) -> Problem {
    let detail = format!("there is nothing at {}", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, Code::RouteUnknown, detail)
}

async fn unknown_method(request: Request) -> Problem {
    let detail = format!("{} is not offered at {}", request.method(), request.uri().path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodInvalid, detail)
}

/// Nothing that is answered is to be kept by anybody or taken for something else.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
