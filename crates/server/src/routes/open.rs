//! What answers without a member: health, figures, and this API's own description.

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use canvass_core::access::{SystemRead, Target};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Refusals;
use crate::{auth::Authenticated, desk::Desk, health, problem::Problem, refusal, serve::Peer};

/// Paths that need no member.
pub(super) const PATHS: [&str; 14] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
    "/api/v1/footage/rules",
    "/api/v1/signin",
    "/api/v1/signin/begin",
    "/api/v1/signin/finish",
    "/api/v1/enrolment/begin",
    "/api/v1/enrolment/finish",
    "/api/v1/signin/provider/begin",
    "/api/v1/signin/provider/finish",
    "/api/v1/enrolment/provider/begin",
    "/api/v1/enrolment/provider/finish",
];

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
        .routes(routes!(description))
}

/// Whether each part works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Whether all do.
    pub ready: bool,
    /// The store of records answers.
    pub store: bool,
    /// The data folder can be written.
    pub disk: bool,
    /// All jobs went round lately.
    pub jobs: bool,
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "open", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether everything behind it works.
#[utoipa::path(get, path = "/readyz", tag = "open",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness, description = "Some part does not work")))]
pub async fn readyz(State(desk): State<Desk>) -> (StatusCode, Json<Readiness>) {
    let found = health::readiness(&desk).await;
    (if found.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(found))
}

/// Figures for Prometheus: to this machine itself, or to an operator or overseer.
#[utoipa::path(get, path = "/metrics", tag = "open",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"), Refusals))]
pub async fn metrics(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    actor: Result<Authenticated, Problem>,
) -> Result<Response, Problem> {
    let passed_on = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    if !peer.0.ip().is_loopback() || peer.1 || passed_on {
        let Authenticated(actor) = actor.map_err(|_| refusal::sign_in())?;
        desk.app.look::<SystemRead>(&actor, &Target::shared("metrics")).await?;
    }
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], desk.metrics.text()).into_response())
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "open",
    responses((status = 200, body = serde_json::Value, description = "OpenAPI 3.1")))]
pub async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}
