//! Break-glass: when an operator may change an agency's people.

use axum::{Json, extract::State};
use canvass_core::{breakglass::NewBreakGlass, records::BreakGlass};
use canvass_types::BreakGlassId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Made, Refusals, answer, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(begin, list)).routes(routes!(end))
}

/// Opens break-glass for an agency, for an hour: its people see it, overseers see it, and the ledger has it.
#[utoipa::path(post, path = "/break-glass", tag = "governance", request_body = NewBreakGlass,
    responses((status = 201, body = BreakGlass), Refusals))]
pub async fn begin(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewBreakGlass>,
) -> Made<BreakGlass> {
    made(|| desk.app.begin_break_glass(&actor, &wish)).await
}

/// Lists when break-glass was open, newest first.
#[utoipa::path(get, path = "/break-glass", tag = "governance",
    responses((status = 200, body = Vec<BreakGlass>), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<Vec<BreakGlass>> {
    Ok(Json(desk.app.break_glass(&actor).await?))
}

/// Ends break-glass before its hour is over.
#[utoipa::path(post, path = "/break-glass/{glass}/end", tag = "governance", params(("glass" = BreakGlassId, Path)),
    responses((status = 200, body = BreakGlass), Refusals))]
pub async fn end(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(glass): At<BreakGlassId>,
) -> Answer<BreakGlass> {
    answer(|| desk.app.end_break_glass(&actor, &glass)).await
}
