//! What a route takes from a request, each part with its refusal.

use std::str::FromStr;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{problem::Problem, refusal};

/// Most bytes of a JSON body, unless a route says less.
pub const MOST_JSON: usize = 256 * 1024;

/// A JSON body of at most `MOST` bytes.
pub struct Input<T, const MOST: usize = MOST_JSON>(pub T);

fn is_json(headers: &HeaderMap) -> bool {
    let Some(text) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|part| part.is_empty() || part.eq_ignore_ascii_case("charset=utf-8"))
}

impl<T: DeserializeOwned, S: Send + Sync, const MOST: usize> FromRequest<S> for Input<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "JSON is expected")
                .field("Content-Type")
                .detail("the body is not declared as application/json in UTF-8")
                .remedy("send `Content-Type: application/json`"));
        }
        let bytes = body(request.into_body(), MOST).await?;
        let parsed = serde_json::from_slice(&bytes).map_err(|error| {
            let (status, title) = if error.is_data() {
                (StatusCode::UNPROCESSABLE_ENTITY, "The body has another form")
            } else {
                (StatusCode::BAD_REQUEST, "The body is not JSON")
            };
            Problem::new(status, "body", title)
                .detail(error.to_string())
                .remedy("see /api/v1/openapi.json for the form, mend it and send it again")
        })?;
        Ok(Self(parsed))
    }
}

pub(crate) async fn body(body: Body, most: usize) -> Result<bytes::Bytes, Problem> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
                .detail(format!("the limit is {most} bytes"))
                .remedy("send less at once"))
        }
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "body-broken", "The body ended early")
            .detail("the connection broke or the body was malformed")
            .remedy("send it again")),
    }
}

/// Query parameters; unknown ones are refused.
pub struct Seek<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Seek<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => {
                Err(Problem::new(StatusCode::BAD_REQUEST, "query", "The query can't be understood")
                    .detail(error.body_text())
                    .remedy("see /api/v1/openapi.json for the parameters"))
            }
        }
    }
}

/// The one id in the path. Anything that is no such id names nothing.
pub struct At<T>(pub T);

impl<T: FromStr + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// The two ids in the path.
pub struct AtTwo<A, B>(pub A, pub B);

impl<A: FromStr + Send, B: FromStr + Send, S: Send + Sync> FromRequestParts<S> for AtTwo<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((one, two)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        match (one.parse(), two.parse()) {
            (Ok(one), Ok(two)) => Ok(Self(one, two)),
            _ => Err(Problem::not_found()),
        }
    }
}

/// Why evidence is read. What it must say is for the domain to decide.
pub struct Purpose(pub canvass_types::Purpose);

/// The header that carries it: JSON in UTF-8.
pub const PURPOSE: &str = "canvass-purpose";

/// Longest such header, bytes.
const MOST_PURPOSE: usize = 4_096;

impl<S: Send + Sync> FromRequestParts<S> for Purpose {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let header = parts.headers.get(PURPOSE).filter(|value| value.len() <= MOST_PURPOSE);
        let purpose = header.and_then(|value| serde_json::from_slice(value.as_bytes()).ok());
        purpose.map(Self).ok_or_else(refusal::purpose)
    }
}
