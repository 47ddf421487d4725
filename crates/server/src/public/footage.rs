//! `GET /api/v1/footage/rules`: what footage may not be searched for, for everybody to read.

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::any,
};
use canvass_core::footage::footage_rules;

use super::headers;
use crate::problem::Problem;

/// Where the rules are.
pub(super) const RULES: &str = "/api/v1/footage/rules";

/// The route, joined by [`super::router`].
pub(super) fn router() -> Router {
    Router::new().route(RULES, any(rules))
}

async fn rules(method: Method) -> Response {
    let mut response = match method {
        Method::GET | Method::HEAD => listed(),
        _ => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This method is not served here")
            .detail("the rules are read")
            .remedy("use GET")
            .header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
            .into_response(),
    };
    headers::secure(response.headers_mut());
    response
}

fn listed() -> Response {
    let text = match footage_rules() {
        Ok(rules) => serde_json::to_vec(&rules).unwrap_or_default(),
        Err(error) => return Problem::from(error).into_response(),
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // They change with the version of the program alone.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
