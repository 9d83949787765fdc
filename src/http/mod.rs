//! The server's HTTP side: routes, GraphQL over HTTP and WebSocket, health, TLS and the accept loop. It may call GraphQL,
//! authentication and services; it knows no database and no lending rule.
//!
//! | file | what it decides |
//! |---|---|
//! | [`settings`] | every number, with its reason |
//! | [`door`], [`engine_door`] | what stands behind the transport, as traits: authentication; guards and schema |
//! | [`guard`] | what a document must pass before a schema sees it |
//! | [`state`] | what handlers share |
//! | [`graphql`] | the `/graphql` endpoint: the order of checks |
//! | [`body`], [`request`], [`negotiation`], [`origin`], [`client_address`] | what is read from a request |
//! | [`rate`], [`admission`], [`operation`] | who may ask how much; who executes, who waits; how an operation runs |
//! | [`crowd`] | connections above the cap, and all of them while the server drains |
//! | [`answer`], [`errors`] | what is sent: masking, statuses, the error body |
//! | [`websocket`] | `/graphql/ws` |
//! | [`graphiql`] | the GraphiQL page, from the binary |
//! | [`health`] | `/health`, `/livez`, `/readyz` |
//! | [`observe`], [`watch`] | request ids, the request log, panics; what metrics and traces learn |
//! | [`admin`] | the admin port |
//! | [`server`], [`tls`] | connections: accepting, encrypting, shutting down |
//!
//! A new route goes into [`router`], its handler into a file of its own.

pub mod admin;
pub mod admission;
pub mod answer;
pub mod body;
pub mod client_address;
pub mod crowd;
pub mod door;
pub mod engine_door;
pub mod errors;
pub mod graphiql;
pub mod graphql;
pub mod guard;
pub mod health;
pub mod negotiation;
pub mod observe;
pub mod operation;
pub mod origin;
pub mod rate;
pub mod request;
pub mod server;
pub mod settings;
pub mod state;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod watch;
pub mod websocket;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::graphql::request::RequestId;
use errors::HttpError;
use negotiation::MediaType;
pub use state::HttpState;

/// All routes with all layers, for [`server::serve`].
pub fn router(state: Arc<HttpState>) -> Router {
    let settings = &state.settings;
    let mut router = Router::new()
        .route("/graphql", graphql_methods(&state))
        .route("/graphql/ws", get(websocket::upgrade))
        .route("/health", get(health::health))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready));
    if settings.graphiql {
        router = router.route("/graphql/assets/{file}", get(graphiql::asset));
    }
    let compression = CompressionLayer::new()
        .compress_when(SizeAbove::new(settings.compress_above_bytes).and(NotForContentType::new("text/event-stream")));
    // The first layer is the outermost: everything below has an id, a log line and a net under it.
    let layers = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(state.clone(), observe::observe))
        .map_response(security_headers(settings.strict_transport_security))
        .layer(origin::cors(&settings.cors_origins))
        .layer(middleware::from_fn_with_state(state.clone(), crowd::turn_away))
        .layer(compression);
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer(layers).with_state(state)
}

/// GET is a method of `/graphql` only where something answers it, so that `Allow` tells the truth.
fn graphql_methods(state: &HttpState) -> MethodRouter<Arc<HttpState>> {
    let methods = post(graphql::post);
    match state.settings.allow_get || state.settings.graphiql {
        true => methods.get(graphql::get),
        false => methods,
    }
}

async fn not_found(Extension(request_id): Extension<RequestId>) -> Response {
    HttpError::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this address; the API is at /graphql.")
        .respond(&request_id, MediaType::Json)
}

/// The router adds `Allow`.
async fn method_not_allowed(Extension(request_id): Extension<RequestId>) -> Response {
    HttpError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "Use a method that the Allow header of this answer lists.",
    )
    .respond(&request_id, MediaType::Json)
}

/// Headers that keep browsers from guessing, framing, caching and telling. A handler that sets one of them keeps its own.
fn security_headers<B>(strict_transport_security: bool) -> impl Fn(Response<B>) -> Response<B> + Clone {
    const DEFAULTS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        // Answers hold people's data and depend on who asks.
        (header::CACHE_CONTROL, "no-store"),
    ];
    move |mut response| {
        let headers: &mut HeaderMap = response.headers_mut();
        for (name, value) in DEFAULTS {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if strict_transport_security {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        response
    }
}
