//! `/graphql`: GraphQL over HTTP. The checks come in the order of their cost: what is cheap to refuse is refused first,
//! and nothing of the query is looked at before the caller is known.
//!
//! method → media types → origin → body → rate of the address → authenticate → rate of the caller → parse and admit → cost
//! → place in flight → execute → present

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_graphql::Response as Answer;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::door::{OperationKind, RequestContext};
use super::errors::HttpError;
use super::negotiation::{self, MediaType};
use super::observe::{self, Facts};
use super::operation::{self, Refused};
use super::rate::Principal;
use super::request::GraphqlRequest;
use super::settings::HttpSettings;
use super::state::HttpState;
use super::{answer, body, client_address, graphiql, origin};
use crate::auth::{Actor, AuthError};
use crate::graphql::read_after::READ_AFTER;
use crate::graphql::request::{Position, ReadyJson, RequestId};

/// The address of the other end of the connection; the accept loop puts it into every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// `POST /graphql`
pub async fn post(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    respond(&state, request).await
}

/// `GET /graphql`: the GraphiQL page for a browser, where it is on; queries, where they are on.
pub async fn get(State(state): State<Arc<HttpState>>, request: Request) -> Response {
    if state.settings.graphiql && negotiation::wants_html(request.headers()) {
        return graphiql::page(request.headers());
    }
    respond(&state, request).await
}

async fn respond(state: &Arc<HttpState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let exchange = Exchange::of(&parts, &state.settings);
    let Some(media) = negotiation::negotiate(&parts.headers) else {
        return not_acceptable().respond(&exchange.request_id, MediaType::Json);
    };
    let present = |answer: Answer| {
        answer::count(&answer, state.settings.max_errors, &state.telemetry.metrics.requests);
        answer::respond(answer, &exchange.request_id, media, &state.settings)
    };
    let answered = match exchange.carry_out(state, &parts, body).await {
        Ok(answer) => present(answer),
        Err(Refused::Document(answer)) => present(*answer),
        Err(Refused::Http(refusal)) => Err(refusal),
    };
    answered.unwrap_or_else(|refusal| refusal.respond(&exchange.request_id, media))
}

/// What is known of an exchange besides the request itself.
pub struct Exchange {
    /// The id it is known by.
    pub request_id: RequestId,
    /// Whose it is, by address; an IPv6 address stands for its network.
    pub address: IpAddr,
    /// For the log line.
    pub facts: Facts,
}

impl Exchange {
    /// From what the outer layers put into the request.
    pub fn of(parts: &Parts, settings: &HttpSettings) -> Self {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        Self {
            request_id: parts.extensions.get().cloned().unwrap_or_else(observe::fresh_id),
            address: client_address::counted(settings.proxies.client(peer, &parts.headers)),
            facts: parts.extensions.get().cloned().unwrap_or_default(),
        }
    }

    /// Who is calling, by an `Authorization` header's value. Every request is counted by address first, so that nobody
    /// makes the server check signatures without end. Failures are counted by address once more, and more strictly, so that
    /// tokens cannot be tried out at leisure; callers with a token never pay for them. Only a token that names an unknown
    /// key makes it wait.
    pub async fn authenticate(&self, state: &HttpState, authorization: Option<&str>) -> Result<Actor, HttpError> {
        state.address_rate.charge_request(&Principal::Address(self.address))?;
        let recognition = state.authenticator.authenticate(authorization, state.clock.now()).await;
        let caller = recognition.map_err(|refusal| {
            if let Err(limited) = state.rate.charge_request(&Principal::Address(self.address)) {
                return limited;
            }
            if refusal == AuthError::NoKeys {
                return HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", refusal.message())
                    .retry_after(1);
            }
            HttpError::new(StatusCode::UNAUTHORIZED, AuthError::CODE, refusal.message())
                .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        })?;
        self.facts.subject(&caller.subject);
        Ok(caller)
    }

    async fn carry_out(&self, state: &HttpState, parts: &Parts, body: Body) -> Result<Answer, Refused> {
        let is_get = parts.method != Method::POST;
        if is_get && !state.settings.allow_get {
            return Err(only_post().into());
        }
        if !is_get {
            check_body_headers(&parts.headers)?;
        }
        origin::check(&parts.headers, &parts.uri, &state.settings.cors_origins)?;
        let read_after = read_after(&parts.headers)?;
        let body = if is_get { Bytes::new() } else { body::read(state, parts, body).await? };
        let caller = self.authenticate(state, authorization(&parts.headers)).await?;
        state.rate.charge_request(&Principal::Subject(caller.subject.clone()))?;
        let request = if is_get { GraphqlRequest::from_uri(&parts.uri)? } else { GraphqlRequest::from_json(&body)? };
        let admitted = operation::admit(state, request, &caller, &self.facts)?;
        match admitted.kind() {
            OperationKind::Mutation if is_get => return Err(only_post().into()),
            OperationKind::Subscription => return Err(needs_socket().into()),
            OperationKind::Query | OperationKind::Mutation => {}
        }
        let context = RequestContext {
            request_id: self.request_id.clone(),
            caller,
            read_after,
            // `answer` sends them as they are.
            ready_json: Some(ReadyJson),
        };
        Ok(operation::execute(state, admitted, context).await?)
    }
}

/// A value that is not text is a token nobody issued; it must not pass for no token at all.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or("invalid"))
}

/// What the caller must see; of several positions the furthest. What is none is refused and not ignored: its sender counts
/// on seeing what they wrote.
fn read_after(headers: &HeaderMap) -> Result<Option<Position>, HttpError> {
    let mut furthest = None;
    for value in headers.get_all(READ_AFTER) {
        let position = value.to_str().ok().and_then(|text| text.parse::<Position>().ok());
        let Some(position) = position else {
            return Err(HttpError::bad_request(
                "The header X-Read-After is not as an answer had it; send it as it came, or not at all.",
            ));
        };
        furthest = furthest.max(Some(position));
    }
    Ok(furthest)
}

fn check_body_headers(headers: &HeaderMap) -> Result<(), HttpError> {
    if !negotiation::is_json_body(headers) {
        return Err(HttpError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request as application/json in UTF-8.",
        ));
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(HttpError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the request body uncompressed.",
        ));
    }
    Ok(())
}

fn not_acceptable() -> HttpError {
    HttpError::new(
        StatusCode::NOT_ACCEPTABLE,
        "NOT_ACCEPTABLE",
        "Accept application/graphql-response+json or application/json.",
    )
}

fn only_post() -> HttpError {
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Send this operation by POST.")
        .header(header::ALLOW, HeaderValue::from_static("POST"))
}

fn needs_socket() -> HttpError {
    HttpError::new(
        StatusCode::BAD_REQUEST,
        "SUBSCRIPTION_NOT_SUPPORTED",
        "Subscribe over the WebSocket at /graphql/ws; this endpoint answers queries and mutations.",
    )
}
