//! `POST /notices` and `/notices/stop/<token>`: wishes for notices, sealed to the private role. This role can't read them; it
//! checks their shape and puts them into the spool.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use canvass_notices::MAX_SEALED;
use http_body_util::{BodyExt as _, Limited};

use super::{headers, spool::Spool};
use crate::problem::Problem;

/// Wishes read at the same time; the others are asked to come back.
const MAX_READING: usize = 256;
/// How an armoured age file begins.
const BEGINS: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// How a wish that came by a link of a letter is marked in the spool: it is not sealed, for mail programs can't seal.
pub(crate) const STOP: &str = "stop ";

#[derive(Clone)]
struct Wishes {
    spool: Spool,
    slots: Arc<tokio::sync::Semaphore>,
    within: Duration,
}

/// Routes for wishes, joined by [`super::router`]. A body must have arrived within `within`.
pub fn router(spool: Spool, within: Duration) -> Router {
    let slots = Arc::new(tokio::sync::Semaphore::new(MAX_READING));
    Router::new().route("/notices", any(post)).route("/notices/stop/{token}", any(stop)).with_state(Wishes {
        spool,
        slots,
        within,
    })
}

async fn post(State(wishes): State<Wishes>, request: Request) -> Response {
    let answer = match *request.method() {
        Method::POST => accept(&wishes, request.into_body()).await,
        _ => Err(only("POST")),
    };
    finish(answer)
}

/// RFC 8058: a mail program posts here by itself. A person who opens the link gets the page that stops.
async fn stop(State(wishes): State<Wishes>, Path(token): Path<String>, request: Request) -> Response {
    if token.len() != 32 || !token.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)) {
        return finish(Err(shape("the link", "it is not whole")));
    }
    let answer = match *request.method() {
        Method::POST => {
            wishes.spool.put_wish(format!("{STOP}{token}")).await.map(|()| accepted()).map_err(Problem::from)
        }
        Method::GET | Method::HEAD => Ok(to_page(&token)),
        _ => Err(only("GET, HEAD, POST")),
    };
    finish(answer)
}

fn finish(answer: Result<Response, Problem>) -> Response {
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    headers::secure(response.headers_mut());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

fn to_page(token: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::try_from(format!("/notify#stop/{token}")) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

fn only(methods: &'static str) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
        .detail("wishes are sent, never read back")
        .remedy(format!("use {methods}"))
        .header(header::ALLOW, HeaderValue::from_static(methods))
}

fn shape(field: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad-wish", "This can't be taken")
        .field(field)
        .detail(detail)
        .remedy("use the page Notifications, which seals what you choose")
}

async fn accept(wishes: &Wishes, body: Body) -> Result<Response, Problem> {
    let _slot = wishes.slots.try_acquire().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many wishes arrive at this moment")
            .detail("the server reads as many as it can")
            .remedy("send it again in a few seconds")
            .retry_after(5)
    })?;
    let read = tokio::time::timeout(wishes.within, Limited::new(body, MAX_SEALED).collect()).await;
    let read = read.map_err(|_| {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The wish did not arrive in time")
            .detail("the connection was too slow")
            .remedy("send it again")
    })?;
    let bytes = read.map_err(|_| shape("body", "it broke off, or is longer than 16 KiB"))?.to_bytes();
    let text = std::str::from_utf8(&bytes).map_err(|_| shape("body", "it is not text"))?;
    if !text.starts_with(BEGINS) {
        return Err(shape("body", "it is not an armoured age file"));
    }
    wishes.spool.put_wish(text.to_owned()).await?;
    Ok(accepted())
}
