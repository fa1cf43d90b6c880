//! The three routes as users of axum and of hyper write them, each at its best on one thread.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::user::User;
use crate::running::{Running, Stopped};

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

const GREETING: Greeting = Greeting { message: "Hello, World" };

#[derive(Serialize)]
struct Found {
    user_id: u64,
    name: String,
}

impl Found {
    fn new(user_id: u64) -> Self {
        Self { user_id, name: format!("User {user_id}") }
    }
}

/// axum's extractors and router, served by hyper as below.
///
/// # Errors
///
/// When there is no port or no thread.
pub fn axum() -> io::Result<Running> {
    let router = Router::new()
        .route("/", get(async || Json(GREETING)))
        .route("/users/{user_id}", get(async |Path(id): Path<u64>| Json(Found::new(id))))
        .route("/users", post(create));
    Running::start(|listener, stopped| serve(listener, stopped, TowerToHyperService::new(router)))
}

async fn create(
    Json(user): Json<User<String>>,
) -> Result<(StatusCode, Json<User<String>>), StatusCode> {
    if user.is_valid() {
        Ok((StatusCode::CREATED, Json(user)))
    } else {
        Err(StatusCode::UNPROCESSABLE_ENTITY)
    }
}

/// hyper alone: paths matched by hand, text borrowed from the body.
///
/// # Errors
///
/// When there is no port or no thread.
pub fn hyper() -> io::Result<Running> {
    Running::start(|listener, stopped| serve(listener, stopped, service_fn(answer)))
}

type Answer = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => Ok(json(StatusCode::OK, &GREETING)),
        (&Method::POST, "/users") => {
            let body = request.into_body().collect().await?.to_bytes();
            Ok(created(&body))
        }
        (&Method::GET, path) => {
            Ok(path.strip_prefix("/users/").and_then(|id| id.parse().ok()).map_or_else(
                || empty(StatusCode::NOT_FOUND),
                |id| json(StatusCode::OK, &Found::new(id)),
            ))
        }
        _ => Ok(empty(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

/// Text that lies in the body, where it has no escapes.
#[derive(Debug, Deserialize, Serialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl From<&'static str> for Text<'_> {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn created(body: &[u8]) -> Answer {
    match serde_json::from_slice::<User<Text<'_>>>(body) {
        Ok(user) if user.is_valid() => json(StatusCode::CREATED, &user),
        _ => empty(StatusCode::UNPROCESSABLE_ENTITY),
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let Ok(body) = serde_json::to_vec(value) else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}

/// Accepts until it is stopped; what is still open then ends with the runtime.
async fn serve<S, B>(listener: TcpListener, stopped: Stopped, service: S) -> io::Result<()>
where
    S: HttpService<Incoming, ResBody = B, Error: Into<Box<dyn Error + Send + Sync>>>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.pipeline_flush(true);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What a connection dies of, the load finds out.
            let _ = stream.set_nodelay(true);
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service.clone()));
        }
    });
    // An error is the end.
    let _ = stopped.await;
    Ok(())
}
