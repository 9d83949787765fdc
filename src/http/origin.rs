//! Which web pages may call. It compares headers; who the user is does not matter here.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::errors::HttpError;
use super::observe::REQUEST_ID;
use crate::graphql::read_after::READ_AFTER;

/// Refuses a browser's request from a page that is neither ours nor listed.
///
/// Callers show a bearer token, which a browser never adds by itself, so a forged cross-site request has no rights to
/// abuse and a GET needs no extra header; were cookies ever accepted, GET would have to demand one that forces a
/// preflight. In development, though, no token means an administrator, and any page a developer visits could reach
/// localhost: hence the check. Programs send no `Origin` and pass.
pub fn check(headers: &HeaderMap, uri: &Uri, allowed: &[HeaderValue]) -> Result<(), HttpError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    if allowed.contains(origin) || is_same_origin(origin, headers, uri) {
        return Ok(());
    }
    Err(HttpError::new(
        StatusCode::FORBIDDEN,
        "ORIGIN_NOT_ALLOWED",
        "This web origin may not call the API; ask its operators to add it to the list of allowed origins.",
    ))
}

/// The scheme is left out of the comparison: behind a proxy that ends TLS it is not known here.
fn is_same_origin(origin: &HeaderValue, headers: &HeaderMap, uri: &Uri) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse().ok());
    let host: Option<Authority> = uri.authority().cloned().or(host);
    match (origin.as_ref().and_then(Uri::authority), host) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host.as_str()),
        _ => false,
    }
}

/// Tells browsers what the listed origins may do. Everyone else gets no CORS header, so the browser keeps the answer.
pub fn cors(allowed: &[HeaderValue]) -> CorsLayer {
    let read_after = HeaderName::from_static(READ_AFTER);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed.iter().cloned()))
        .allow_methods([axum::http::Method::GET, axum::http::Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, header::ACCEPT, REQUEST_ID, read_after.clone()])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, read_after])
        // Two hours is the longest Chromium remembers; each preflight saved is a round trip.
        .max_age(std::time::Duration::from_secs(7200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_and_same_origins_pass_and_others_do_not() {
        let listed = [HeaderValue::from_static("https://app.example.com")];
        let passes = |origin: Option<&'static str>, uri: &'static str, host: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_static(origin)));
            host.map(|host| headers.insert(header::HOST, HeaderValue::from_static(host)));
            check(&headers, &Uri::from_static(uri), &listed).is_ok()
        };
        assert!(passes(None, "/graphql", Some("api.example.com")));
        assert!(passes(Some("https://app.example.com"), "/graphql", Some("api.example.com")));
        assert!(passes(Some("http://localhost:8000"), "/graphql", Some("localhost:8000")));
        assert!(passes(Some("https://branch.local"), "https://branch.local/graphql", None));
        assert!(!passes(Some("http://localhost:3000"), "/graphql", Some("localhost:8000")));
        assert!(!passes(Some("https://app.example.com.evil.test"), "/graphql", Some("api.example.com")));
        assert!(!passes(Some("null"), "/graphql", Some("api.example.com")));
        assert!(!passes(Some("http://localhost:8000"), "/graphql", None));
    }
}
