//! `GET /graphql/ws`: the graphql-transport-ws protocol. The engine's crate speaks the protocol; this file decides who
//! may open a socket, how long it lives and what may run on it. Operations go through the same door as over HTTP.
//!
//! A client shows its token in the payload of `connection_init` as `authorization`, since browsers cannot set the header.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::http::{ClientMessage, WebSocket as Protocol, WebSocketProtocols, WsMessage};
use async_graphql::runtime::TokioTimer;
use async_graphql::{Data, Executor, Request as EngineRequest, Response as Answer, Value};
use async_graphql_axum::GraphQLProtocol;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::{self, BoxStream};
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::door::{OperationKind, RequestContext};
use super::errors::HttpError;
use super::graphql::Exchange;
use super::negotiation::MediaType;
use super::observe::{self, Facts};
use super::operation::{self, Refused};
use super::rate::Principal;
use super::request::{DOCUMENT_ID, Document, GraphqlRequest};
use super::state::HttpState;
use super::{answer, origin};
use crate::auth::Actor;
use crate::graphql::request::RequestId;
use crate::telemetry::metrics::requests::Budget;

/// The only protocol spoken; its predecessor, `graphql-ws`, is abandoned by its authors.
const PROTOCOL: &str = "graphql-transport-ws";

/// Close codes: RFC 6455's "going away", and the protocol's own.
const GOING_AWAY: u16 = 1001;
const BAD_REQUEST: u16 = 4400;
const UNAUTHORIZED: u16 = 4401;
const FORBIDDEN: u16 = 4403;
const INIT_TIMEOUT: u16 = 4408;

/// Registered for a server that cannot serve for the moment: clients connect again.
const TRY_AGAIN_LATER: u16 = 1013;

/// Opens a socket, or says why not.
pub async fn upgrade(
    State(state): State<Arc<HttpState>>,
    offered: Result<GraphQLProtocol, StatusCode>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let exchange = Exchange::of(&parts, &state.settings);
    let refuse = |error: HttpError| error.respond(&exchange.request_id, MediaType::Json);
    if let Err(error) = origin::check(&parts.headers, &parts.uri, &state.settings.cors_origins) {
        return refuse(error);
    }
    let Ok(upgrade) = upgrade else { return refuse(needs_upgrade()) };
    let upgrade = upgrade.protocols([PROTOCOL]);
    // The extractor knows the predecessor too, which is not spoken here.
    if offered.is_err() || upgrade.selected_protocol().is_none() {
        return refuse(HttpError::bad_request("Offer the protocol graphql-transport-ws in Sec-WebSocket-Protocol."));
    }
    let place = match state.sockets.clone().try_acquire_owned() {
        Ok(place) if !state.shutdown.is_cancelled() => place,
        _ => {
            state.telemetry.metrics.requests.shed(Budget::Sockets);
            return refuse(no_place());
        }
    };
    let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or("invalid"));
    let authorization = authorization.map(str::to_owned);
    let limit = state.settings.max_body_bytes;
    upgrade.max_message_size(limit).max_frame_size(limit).on_upgrade(move |socket| async move {
        let token = state.background.token();
        serve(socket, state, exchange, authorization).await;
        drop((place, token));
    })
}

fn needs_upgrade() -> HttpError {
    HttpError::new(StatusCode::UPGRADE_REQUIRED, "UPGRADE_REQUIRED", "Open a WebSocket here; send POST to /graphql.")
        .header(header::UPGRADE, HeaderValue::from_static("websocket"))
}

fn no_place() -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", "No socket is free here. Try again in a second.")
        .retry_after(1)
}

async fn serve(socket: WebSocket, state: Arc<HttpState>, exchange: Exchange, authorization: Option<String>) {
    let (mut sink, incoming) = socket.split();
    let limits = &state.settings.socket;
    let session = Arc::new(Session {
        exchange,
        authorization,
        slots: Arc::new(Semaphore::new(limits.max_operations)),
        welcome: AtomicBool::new(false),
        rejected: OnceLock::new(),
    });
    let executor = SocketExecutor { state: state.clone(), session: session.clone() };
    let on_init = {
        let (state, session) = (state.clone(), session.clone());
        move |payload| async move { session.welcome(&state, &payload).await }
    };
    // Pings are answered with pongs, so a living client is never silent for two of them.
    let protocol = Protocol::from_message_stream(executor, messages(incoming), WebSocketProtocols::GraphQLWS)
        .on_connection_init(on_init)
        .keepalive_timeout(TokioTimer::default(), limits.ping * 5 / 2);
    let mut protocol = std::pin::pin!(protocol);
    let mut pings = interval_at(Instant::now() + limits.ping, limits.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut init = std::pin::pin!(sleep(limits.init));
    let mut lifetime = std::pin::pin!(sleep(limits.lifetime));
    let mut waiting = true;
    loop {
        let message = tokio::select! {
            outgoing = protocol.next() => match outgoing {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, _)) => session.closing(code),
                None => return,
            },
            _ = pings.tick() => match session.welcome.load(Ordering::Relaxed) {
                true => Message::Text(r#"{"type":"ping"}"#.into()),
                false => continue,
            },
            () = init.as_mut(), if waiting => match session.welcome.load(Ordering::Relaxed) {
                true => { waiting = false; continue }
                false => close(INIT_TIMEOUT, "Connection initialisation timeout"),
            },
            () = lifetime.as_mut() => close(GOING_AWAY, "Connect again and show the token again"),
            () = state.shutdown.cancelled() => close(GOING_AWAY, "Shutting down; connect again"),
        };
        let last = matches!(message, Message::Close(_));
        // A client that does not read is gone, or wants to fill our memory.
        if !matches!(timeout(limits.ping, sink.send(message)).await, Ok(Ok(()))) || last {
            return;
        }
    }
}

/// The clients' protocol messages; the end of the stream at the first error (a message too long, a broken connection).
fn messages<E>(
    incoming: impl Stream<Item = Result<Message, E>>,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> {
    incoming.take_while(|message| std::future::ready(message.is_ok())).filter_map(|message| {
        std::future::ready(match message {
            Ok(Message::Text(text)) => Some(client_message(text.as_bytes())),
            Ok(Message::Binary(bytes)) => Some(client_message(&bytes)),
            _ => None,
        })
    })
}

/// The engine's crate knows no `documentId`: it travels among the extensions, of which none is supported otherwise.
fn client_message(bytes: &[u8]) -> serde_json::Result<ClientMessage> {
    let mut message: serde_json::Value = serde_json::from_slice(bytes)?;
    let kind = message.get("type").and_then(serde_json::Value::as_str);
    let is_request = matches!(kind, Some("subscribe" | "start"));
    let request = message.get_mut("payload").and_then(serde_json::Value::as_object_mut);
    if let Some(request) = request.filter(|_| is_request) {
        let id = request.remove(DOCUMENT_ID);
        if let Some(extensions) = request.get_mut("extensions").and_then(serde_json::Value::as_object_mut) {
            extensions.clear();
        }
        if let Some(id) = id {
            if request.get("query").is_some_and(serde_json::Value::is_null) {
                request.remove("query");
            }
            request.insert("extensions".to_owned(), serde_json::json!({ DOCUMENT_ID: id }));
        }
    }
    serde_json::from_value(message)
}

/// The document of a socket's request. There a query that is not sent is an empty one.
fn document(request: &mut EngineRequest) -> Result<Document, HttpError> {
    let query = Some(std::mem::take(&mut request.query)).filter(|query| !query.is_empty());
    let id = match request.extensions.remove(DOCUMENT_ID) {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(HttpError::bad_request("The member documentId must be a string.")),
    };
    Ok(Document::of(query, id)?.unwrap_or_else(|| Document::Text(String::new())))
}

fn close(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

/// What is known of one socket.
struct Session {
    exchange: Exchange,
    /// From the opening request, for programs, which can set it.
    authorization: Option<String>,
    slots: Arc<Semaphore>,
    /// `connection_init` has come and was accepted.
    welcome: AtomicBool,
    /// `connection_init` has come and was not; whether it is worth repeating.
    rejected: OnceLock<bool>,
}

impl Session {
    /// Authenticates by the payload of `connection_init`.
    async fn welcome(&self, state: &HttpState, payload: &serde_json::Value) -> async_graphql::Result<Data> {
        let shown = ["authorization", "Authorization"].iter().find_map(|key| payload.get(key));
        let authorization = match shown {
            None => self.authorization.as_deref(),
            Some(value) => Some(value.as_str().unwrap_or("invalid")),
        };
        match self.exchange.authenticate(state, authorization).await {
            Ok(caller) => {
                self.welcome.store(true, Ordering::Relaxed);
                let mut data = Data::default();
                data.insert(caller);
                Ok(data)
            }
            Err(refusal) => {
                state.telemetry.metrics.requests.refused(refusal.code);
                let _ = self.rejected.set(refusal.retryable);
                Err(async_graphql::Error::new("Forbidden"))
            }
        }
    }

    /// The engine's crate closes with RFC 6455's codes where the protocol has its own, and with reasons that may be longer
    /// than a close frame holds.
    fn closing(&self, code: u16) -> Message {
        match code {
            1002 => match self.rejected.get() {
                Some(true) => close(TRY_AGAIN_LATER, "Try again later"),
                Some(false) => close(FORBIDDEN, "Forbidden"),
                None => close(BAD_REQUEST, "Invalid message"),
            },
            1011 => close(UNAUTHORIZED, "Unauthorized"),
            4429 => close(4429, "Too many initialisation requests"),
            code => close(code, "Closed"),
        }
    }
}

/// Runs a socket's operations through the door.
#[derive(Clone)]
struct SocketExecutor {
    state: Arc<HttpState>,
    session: Arc<Session>,
}

impl Executor for SocketExecutor {
    async fn execute(&self, request: EngineRequest) -> Answer {
        // The protocol never calls it: it asks for a stream, of one answer if need be.
        let mut answers = self.execute_stream(request, None);
        answers.next().await.unwrap_or_default()
    }

    fn execute_stream(&self, request: EngineRequest, data: Option<Arc<Data>>) -> BoxStream<'static, Answer> {
        let executor = self.clone();
        let caller = data.and_then(|data| caller_in(&data));
        // Taken here and not when the stream is first asked, so that the operation that came last is the one refused.
        let slot = self.slot();
        let started = async move {
            let request_id = observe::fresh_id();
            let answers = match executor.start(request, caller, slot, &request_id).await {
                Ok(answers) => answers,
                Err(Refused::Http(error)) => once(error.into_answer(&request_id)),
                Err(Refused::Document(answer)) => once(*answer),
            };
            let state = executor.state;
            answers.map(move |answer| {
                answer::count(&answer, state.settings.max_errors, &state.telemetry.metrics.requests);
                answer::presentable(answer, &request_id, state.settings.max_errors)
            })
        };
        stream::once(started).flatten().boxed()
    }
}

fn once(answer: Answer) -> BoxStream<'static, Answer> {
    stream::once(std::future::ready(answer)).boxed()
}

fn caller_in(data: &Data) -> Option<Actor> {
    data.get(&std::any::TypeId::of::<Actor>())?.downcast_ref::<Actor>().cloned()
}

impl SocketExecutor {
    async fn start(
        &self,
        mut request: EngineRequest,
        caller: Option<Actor>,
        slot: Result<OwnedSemaphorePermit, HttpError>,
        request_id: &RequestId,
    ) -> Result<BoxStream<'static, Answer>, Refused> {
        let state = &self.state;
        let caller = caller.ok_or_else(HttpError::internal)?;
        state.rate.charge_request(&Principal::Subject(caller.subject.clone()))?;
        let slot = slot?;
        let request = GraphqlRequest {
            document: document(&mut request)?,
            operation_name: request.operation_name,
            variables: request.variables,
        };
        let facts = Facts::default();
        let admitted = operation::admit(state, request, &caller, &facts)?;
        let (kind, name) = (admitted.kind().as_str(), admitted.name().map(str::to_owned));
        tracing::info!(
            target: "branch_loan_api::request",
            operation_type = kind,
            operation_name = name,
            subject = caller.subject,
            request_id = request_id.0,
            socket = self.session.exchange.request_id.0,
            "operation on a socket"
        );
        let context = RequestContext { request_id: request_id.clone(), caller, read_after: None, ready_json: None };
        if admitted.kind() == OperationKind::Subscription {
            // A subscription lasts; the places are for what is executing.
            return Ok(holding(slot, admitted.subscribe(context)));
        }
        Ok(holding(slot, once(operation::execute(state, admitted, context).await?)))
    }

    fn slot(&self) -> Result<OwnedSemaphorePermit, HttpError> {
        self.session.slots.clone().try_acquire_owned().map_err(|_| {
            self.state.telemetry.metrics.requests.shed(Budget::SocketOperations);
            HttpError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TOO_MANY_OPERATIONS",
                "Too many operations run on this socket; end one of them first.",
            )
        })
    }
}

/// The same answers, holding the slot until they end or are dropped.
fn holding(slot: OwnedSemaphorePermit, answers: BoxStream<'static, Answer>) -> BoxStream<'static, Answer> {
    answers
        .map(move |answer| {
            let _held = &slot;
            answer
        })
        .boxed()
}
