//! The baseline: what somebody would write by hand for exactly these requests, with axum and sqlx and no layer more. It
//! checks the same token, asks the same tables, leaves the same rows and answers with the same bytes; it has none of the
//! server's other work, such as limits, metrics, a choice of fields, refusals in words, or repetitions of a key.

mod answers;
pub mod pools;
mod reads;
mod token;
mod typeid;
mod write_postgres;
mod write_sqlite;
mod writes;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Parser;
use tokio::net::TcpListener;

use crate::arguments::{PageForm, TokenForm};
use pools::Pools;
use reads::Branches;
use token::{Caller, Tokens};

/// What the harness says to the baseline when it starts it.
#[derive(Debug, Parser)]
#[command(name = "baseline")]
pub struct BaselineArguments {
    #[arg(long)]
    pub url: String,
    #[arg(long)]
    pub jwks: PathBuf,
    #[arg(long, value_enum)]
    pub page: PageForm,
    #[arg(long, value_enum)]
    pub token: TokenForm,
}

struct App {
    pools: Pools,
    tokens: Tokens,
    page: PageForm,
    branches: Branches,
}

type Shared = State<Arc<App>>;

/// A failure: the harness counts everything that is not a 200.
struct Failure(StatusCode, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl Failure {
    fn bad_input(why: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_owned())
    }
}

/// Serves until it is killed.
#[tokio::main]
pub async fn serve(arguments: BaselineArguments) {
    let pools = Pools::open(&arguments.url).await;
    let app = App {
        tokens: Tokens::open(&arguments.jwks, arguments.token),
        branches: Branches::read(&pools).await,
        page: arguments.page,
        pools,
    };
    let router = Router::new()
        .route("/nothing", get(nothing))
        .route("/loans/{id}", get(reads::by_id))
        .route("/loans", get(reads::page))
        .route("/portfolio", get(reads::portfolio))
        .route("/repayments", post(writes::repay))
        .route("/applications", post(writes::apply))
        .with_state(Arc::new(app));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("Listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

async fn nothing(State(app): Shared, headers: HeaderMap) -> Result<Response, Failure> {
    caller(&app, &headers)?;
    Ok(json("{\"data\":{\"__typename\":\"Query\"}}".to_owned()))
}

fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, Failure> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer "));
    token.and_then(|token| app.tokens.check(token)).ok_or_else(|| Failure(StatusCode::UNAUTHORIZED, String::new()))
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/graphql-response+json")], text).into_response()
}
