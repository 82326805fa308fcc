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
    Admin, backups, connections, destinations, guard, health, login, messages, metrics, node,
    openapi, relay, store, subscriptions,
};
use crate::codes::Code;
use crate::data_dir::Token;

/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 64 << 10;

/// One route.
pub(super) struct Route {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the handler knows it; tests walk the table")
    )]
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    handler: MethodRouter<Arc<Admin>>,
}

/// All routes.
pub(super) fn table() -> Vec<Route> {
    use Access::{Login, Open};
    use Resource::{Connection, Node, Queue, Store, Subscription, Topic};
    use Verb::{Browse, Delete, Hold, Purge, Read, Redrive};
    let mut table = vec![
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
        read("/api/v1/store", Login(Read, Store), get(store::show_store)),
        write("/api/v1/store/holds", Login(Hold, Store), post(backups::hold_store)),
        write("/api/v1/store/holds/{id}/renew", Login(Hold, Store), post(backups::renew_hold)),
        remove("/api/v1/store/holds/{id}", Login(Hold, Store), delete(backups::end_hold)),
    ];
    table.extend(relay_table());
    table
}

/// An instance that gets nothing new.
const DRAIN: &str = "/api/v1/relay/instances/{name}/drain";

/// The routes of the relay. What a path names below a source is told by the last part of it.
fn relay_table() -> Vec<Route> {
    use relay::{
        actions, alarms, blocked, buckets, codes, endpoints, groups, holds, instances, retention,
        rows, sources, unfed, windows,
    };
    let look = Access::Login(Verb::Read, Resource::Relay);
    let browse = Access::Login(Verb::Browse, Resource::Relay);
    let operate = Access::Login(Verb::Operate, Resource::Relay);
    vec![
        read("/api/v1/relay/alarms", look, get(alarms::list_alarms)),
        read("/api/v1/relay/alarms/past", look, get(alarms::list_past_alarms)),
        read("/api/v1/relay/sources/{name}/rules", look, get(alarms::list_rules)),
        read("/api/v1/relay/sources", look, get(sources::list_sources)),
        read("/api/v1/relay/sources/{name}", look, get(sources::show_source)),
        read("/api/v1/relay/sources/{name}/retention", look, get(retention::show_retention)),
        write("/api/v1/relay/sources/{name}/poke", operate, post(sources::poke_source)),
        read("/api/v1/relay/sources/{name}/groups", look, get(groups::list_groups)),
        write(
            "/api/v1/relay/sources/{name}/groups/{group}/switch",
            operate,
            post(groups::switch_group),
        ),
        read("/api/v1/relay/sources/{name}/codes", look, get(codes::list_codes)),
        read("/api/v1/relay/sources/{name}/endpoints", look, get(endpoints::list_endpoints)),
        read("/api/v1/relay/sources/{name}/windows", look, get(windows::list_windows)),
        read("/api/v1/relay/sources/{name}/nodes", look, get(buckets::list_nodes)),
        read("/api/v1/relay/sources/{name}/buckets", look, get(buckets::list_buckets)),
        write("/api/v1/relay/sources/{name}/buckets", operate, post(buckets::set_buckets)),
        read("/api/v1/relay/sources/{name}/rows", browse, get(rows::list_rows)),
        read("/api/v1/relay/sources/{name}/rows/{id}", browse, get(rows::show_row)),
        write("/api/v1/relay/sources/{name}/rows/retry", operate, post(actions::retry_rows)),
        write("/api/v1/relay/sources/{name}/rows/skip", operate, post(actions::skip_rows)),
        write("/api/v1/relay/sources/{name}/rows/cancel", operate, post(actions::cancel_rows)),
        write("/api/v1/relay/sources/{name}/rows/replay", operate, post(actions::replay_rows)),
        write("/api/v1/relay/sources/{name}/keys/retry", operate, post(actions::retry_key)),
        write("/api/v1/relay/sources/{name}/keys/skip", operate, post(actions::skip_key)),
        read("/api/v1/relay/sources/{name}/blocked", browse, get(blocked::list_blocked)),
        read("/api/v1/relay/sources/{name}/unfed", browse, get(unfed::list_unfed)),
        read("/api/v1/relay/sources/{name}/holds", look, get(holds::list_holds)),
        write("/api/v1/relay/sources/{name}/holds", operate, post(holds::add_hold)),
        remove("/api/v1/relay/sources/{name}/holds", operate, delete(holds::end_hold)),
        read("/api/v1/relay/discoveries", look, get(instances::list_discoveries)),
        read("/api/v1/relay/instances", look, get(instances::list_instances)),
        write(DRAIN, operate, post(instances::drain_instance)),
        remove(DRAIN, operate, delete(instances::undrain_instance)),
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
    mut request: Request,
    next: Next,
) -> Response {
    if let Access::Login(verb, resource) = access {
        let token = bearer(request.headers());
        let principal = token.and_then(|token| admin.sessions.find(&token, Instant::now()));
        if let Err(problem) = authorize(principal.as_ref(), verb, resource) {
            return problem.into_response();
        }
        // Handlers that change something write down for whom.
        if let Some(principal) = principal {
            request.extensions_mut().insert(principal);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use axum::body::Body;
    use axum::http::{Method, Request, StatusCode, header};
    use axum::response::Response;
    use tower::ServiceExt;
    use utoipa::OpenApi;

    use super::super::openapi::Description;
    use super::{Access, Admin, Route, router, table};
    use crate::broker_thread;
    use crate::config::RelayConfig;
    use crate::data_dir::Token;
    use crate::relay::Relay;

    /// An admin side whose broker is gone: whoever gets past the login hears that it is stopping.
    fn admin() -> (Arc<Admin>, Token) {
        let (asker, _) = broker_thread::channel();
        let nowhere = ([127, 0, 0, 1], 0).into();
        let relay = Relay::start(&RelayConfig::default(), "node", nowhere).expect("it has none");
        Admin::new(asker, None, relay, "/nowhere".into(), "node".into(), 0)
    }

    async fn ask(admin: &Arc<Admin>, route: &Route, authorization: &str) -> Response {
        let path = route.path.replace("{name}", "a").replace("{client}", "b").replace("{id}", "1");
        let path = path.replace("{group}", "c") + query_of(route);
        let request = Request::builder()
            .method(&route.method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, authorization)
            .body(Body::empty())
            .expect("a request");
        router(admin).oneshot(request).await.expect("an answer")
    }

    #[tokio::test]
    async fn every_route_asks_who_it_is_unless_it_is_open() {
        let (admin, token) = admin();
        let right = format!("Bearer {}", token.as_str());
        for route in table() {
            let is_open = route.access == Access::Open;
            for wrong in ["", "Bearer", "Bearer x", "Basic YWRtaW46", token.as_str()] {
                let response = ask(&admin, &route, wrong).await;
                let refused = response.status() == StatusCode::UNAUTHORIZED;
                assert_eq!(refused, !is_open, "{} {} {wrong:?}", route.method, route.path);
                let kind = response.headers().get(header::CONTENT_TYPE);
                let is_problem = kind.is_some_and(|kind| kind == "application/problem+json");
                assert!(is_open || is_problem, "{}", route.path);
            }
            let status = ask(&admin, &route, &right).await.status();
            let expected = match route.path {
                path if path.contains("/store/holds") => StatusCode::NOT_FOUND,
                "/api/v1/relay/sources" => StatusCode::OK,
                path if path.contains("/relay/alarms") => StatusCode::OK,
                "/api/v1/relay/discoveries" | "/api/v1/relay/instances" => StatusCode::OK,
                path if path.contains("/relay/") => StatusCode::NOT_FOUND,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            assert!(is_open || status == expected, "{}: {status}", route.path);
        }
    }

    /// What a route does not answer without.
    fn query_of(Route { method, path, .. }: &Route) -> &'static str {
        match path.rsplit('/').next() {
            _ if method == Method::GET => "",
            Some("switch") => "?to=on",
            Some("retry" | "skip") if path.contains("/keys/") => "?key=a",
            Some("retry" | "skip" | "cancel" | "replay") => "?ids=1",
            Some("buckets") => "?count=1",
            Some("holds") if path.contains("/relay/") => "?kind=key&of=a",
            _ => "",
        }
    }

    #[tokio::test]
    async fn what_is_open_is_written_down() {
        let open = table().into_iter().filter(|route| route.access == Access::Open);
        let paths: Vec<&str> = open.map(|route| route.path).collect();
        let expected = ["/livez", "/readyz", "/metrics", "/api/openapi.json", "/api/v1/login"];
        assert_eq!(paths, expected);
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_as_a_problem() {
        let (admin, _) = admin();
        for (method, path, status) in [
            ("GET", "/api/v2", StatusCode::NOT_FOUND),
            ("PUT", "/api/v1/queues", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/../etc/passwd", StatusCode::NOT_FOUND),
        ] {
            let request = Request::builder().method(method).uri(path).header("host", "localhost");
            let request = request.body(Body::empty()).expect("a request");
            let response = router(&admin).oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), status, "{method} {path}");
            let kind = response.headers().get(header::CONTENT_TYPE);
            assert_eq!(kind.expect("a kind"), "application/problem+json");
        }
    }

    #[test]
    fn the_description_and_the_table_have_the_same_routes() {
        let document = serde_json::to_value(Description::openapi()).expect("it is JSON");
        let paths = document["paths"].as_object().expect("paths");
        let described: BTreeSet<String> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().expect("methods").keys();
                methods.map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let in_api = |route: &Route| route.path.starts_with("/api/v1/");
        let routes = table().into_iter().filter(in_api);
        let offered = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
        assert_eq!(described, offered);
    }
}
