//! Keeps foreign web pages out. A page from elsewhere can make a browser on this machine talk to
//! a loopback address, by pointing a name of its own there; the browser then sends that name as
//! the host, and the page as the origin. Neither is taken.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::codes::Code;

/// Lets a request through when its host is a loopback name and its origin, if it has one, is the
/// same host.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(detail) => {
            Problem::new(StatusCode::FORBIDDEN, Code::OriginRefused, detail).into_response()
        }
    }
}

fn check(headers: &HeaderMap) -> Result<(), String> {
    let host = single(headers, &header::HOST)?.ok_or("a request must name its host")?;
    if !is_loopback(host) {
        return Err(format!(
            "this node does not answer under the host name \"{}\"; use localhost, 127.0.0.1 or \
             [::1]",
            host.escape_default()
        ));
    }
    let origin = single(headers, &header::ORIGIN)?;
    match origin {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => Err(format!(
            "this node does not answer pages of \"{}\"; open it under its own address",
            origin.escape_default()
        )),
        _ => Ok(()),
    }
}

fn single<'a>(
    headers: &'a HeaderMap,
    name: &header::HeaderName,
) -> Result<Option<&'a str>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(format!("the header {name} cannot be read")),
    }
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    !host.contains('@') && matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::check;

    fn check_headers(lines: &[(&'static str, &'static str)], allowed: bool) {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(pair) {
            headers.append(name, value);
        }
        assert_eq!(check(&headers).is_ok(), allowed, "{lines:?}: {:?}", check(&headers));
    }

    #[test]
    fn only_loopback_names_and_own_pages_come_through() {
        check_headers(&[("host", "localhost:8161")], true);
        check_headers(&[("host", "127.0.0.1")], true);
        check_headers(&[("host", "[::1]:8161")], true);
        check_headers(&[], false);
        check_headers(&[("host", "evil.example:8161")], false);
        check_headers(&[("host", "127.0.0.1.evil.example")], false);
        check_headers(&[("host", "localhost@evil.example")], false);
        check_headers(&[("host", "evil@localhost")], false);
        check_headers(&[("host", "")], false);
        check_headers(&[("host", "localhost"), ("host", "evil.example")], false);
        check_headers(&[("host", "localhost:1"), ("origin", "http://localhost:1")], true);
        check_headers(&[("host", "localhost:1"), ("origin", "http://localhost:2")], false);
        check_headers(&[("host", "localhost:1"), ("origin", "https://localhost:1")], false);
        check_headers(&[("host", "localhost:1"), ("origin", "http://evil.example")], false);
        check_headers(&[("host", "localhost:1"), ("origin", "null")], false);
    }
}
