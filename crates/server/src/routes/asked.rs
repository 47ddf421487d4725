//! Orders of courts that keep a search from the owners of plates for a time.

use axum::extract::State;
use canvass_core::{
    asked::{NewSeal, SealFilter},
    records::CourtSeal,
};
use canvass_types::{AgencyId, CourtSealId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(propose, list)).routes(routes!(confirm))
}

/// Which seals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this agency.
    agency: Option<AgencyId>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Proposes that a court's order keeps a search from the plate's owner until a moment.
#[utoipa::path(post, path = "/asked/seals", tag = "asked", request_body = NewSeal,
    responses((status = 201, body = CourtSeal), Refusals))]
pub async fn propose(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewSeal>,
) -> Made<CourtSeal> {
    made(|| desk.app.propose_seal(&actor, &wish)).await
}

/// Lists seals, newest first.
#[utoipa::path(get, path = "/asked/seals", tag = "asked", params(Which),
    responses((status = 200, body = List<CourtSeal>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<CourtSeal>> {
    let Which { agency, after, limit } = which;
    listed(desk.app.seals(&actor, &SealFilter { agency, after, limit }).await)
}

/// Confirms a seal that another member proposed.
#[utoipa::path(post, path = "/asked/seals/{seal}/confirm", tag = "asked", params(("seal" = CourtSealId, Path)),
    responses((status = 200, body = CourtSeal), Refusals))]
pub async fn confirm(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(seal): At<CourtSealId>,
) -> Answer<CourtSeal> {
    answer(|| desk.app.confirm_seal(&actor, &seal)).await
}
