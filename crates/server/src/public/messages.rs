//! `POST /messages`: answers and withdrawals of residents, checked for shape alone and put into the spool.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;

use super::headers;
use super::spool::{MAX_MESSAGE, Message, MessageKind, Spool};
use crate::problem::Problem;

/// Bytes of the longest text in a message.
pub const MAX_BODY: usize = 48 * 1024;

#[derive(Clone)]
struct Messages {
    spool: Spool,
    slots: Arc<tokio::sync::Semaphore>,
    within: Duration,
}

/// Messages read at the same time; the others are asked to come back.
const MAX_READING: usize = 256;

/// Routes for messages, joined by [`super::router`]. A body must have arrived within `within`.
pub fn router(spool: Spool, within: Duration) -> Router {
    let slots = Arc::new(tokio::sync::Semaphore::new(MAX_READING));
    Router::new().route("/messages", any(post)).with_state(Messages { spool, slots, within })
}

async fn post(State(messages): State<Messages>, request: Request) -> Response {
    let answer = match *request.method() {
        Method::POST => accept(&messages, request).await,
        Method::OPTIONS => Ok(preflight()),
        _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
            .detail("messages are sent, never read back")
            .remedy("use POST")
            .header(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"))),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    headers::secure(response.headers_mut());
    response
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let map = response.headers_mut();
    map.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    map.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    map.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

async fn accept(messages: &Messages, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let kind = headers::text(&parts.headers, header::CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "message-type",
            "The body has another type",
        )
        .field("Content-Type")
        .detail("a message is JSON")
        .remedy("send Content-Type: application/json"));
    }
    let _slot = messages.slots.try_acquire().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many messages arrive at this moment")
            .detail("the server reads as many as it can")
            .remedy("send it again in a few seconds")
            .retry_after(5)
    })?;
    let bytes = tokio::time::timeout(messages.within, read(body)).await.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The message did not arrive in time")
            .detail("the connection was too slow")
            .remedy("send it again")
    })??;
    let message: Message = serde_json::from_slice(&bytes).map_err(|error| {
        shape("", format!("not a message: line {} column {}", error.line(), error.column()))
    })?;
    check(&message)?;
    messages.spool.put_message(message).await?;
    let mut response = StatusCode::ACCEPTED.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    let limit = usize::try_from(MAX_MESSAGE).unwrap_or(usize::MAX);
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "message-too-large", "The message is too large")
                .detail(format!("the limit is {MAX_MESSAGE} bytes"))
                .remedy("send a shorter text"))
        }
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "body-broken", "The body ended early")
            .detail("the connection broke or the body was malformed")
            .remedy("send it again")),
    }
}

fn shape(field: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-message", "The message has another shape")
        .field(field)
        .detail(detail)
        .remedy("send lookup, offer_key, kind, at, body and signature as the guide describes")
}

fn check(message: &Message) -> Result<(), Problem> {
    let decoded = |text: &str, len: usize| {
        text.len() <= 128 && BASE64_URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == len)
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !(16..=128).contains(&message.lookup.len()) || !message.lookup.bytes().all(plain) {
        return Err(shape("lookup", "it is not 16 to 128 characters of A-Z, a-z, 0-9, - and _"));
    }
    if !decoded(&message.offer_key, 32) {
        return Err(shape("offer_key", "it is not 32 bytes in base64url without padding"));
    }
    if !decoded(&message.signature, 64) {
        return Err(shape("signature", "it is not 64 bytes in base64url without padding"));
    }
    if message.at.len() > 40 || message.at.parse::<Timestamp>().is_err() {
        return Err(shape("at", "it is not an RFC 3339 time with its offset"));
    }
    if message.body.len() > MAX_BODY {
        return Err(shape("body", format!("it is longer than {MAX_BODY} bytes")));
    }
    if message.kind == MessageKind::Answer && message.body.is_empty() {
        return Err(shape("body", "an answer can't be empty"));
    }
    Ok(())
}
