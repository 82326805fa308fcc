//! Gives up requests that take too long. A client that announces a body and never sends it would
//! otherwise keep its connection for good, and there is only so many of them.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::problem::Problem;
use crate::codes::Code;

/// How long a request may take from its head to the beginning of the answer.
pub(super) const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Answers what the handler does, or after `limit` that it took too long.
pub(super) async fn give_up_late(
    State(limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!(
                "the request was not whole, or not answered, after {} s; send it again",
                limit.as_secs()
            );
            let status = StatusCode::REQUEST_TIMEOUT;
            Problem::new(status, Code::RequestInvalid, detail).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::give_up_late;

    #[tokio::test]
    async fn what_never_ends_is_given_up() {
        let router = Router::new()
            .route("/late", get(std::future::pending::<()>))
            .route("/now", get(|| async {}))
            .layer(middleware::from_fn_with_state(Duration::ZERO, give_up_late));
        for (path, status) in [("/late", StatusCode::REQUEST_TIMEOUT), ("/now", StatusCode::OK)] {
            let request = Request::get(path).body(Body::empty()).expect("a request");
            let response = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), status, "{path}");
        }
    }
}
