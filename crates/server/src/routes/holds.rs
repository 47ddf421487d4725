//! Legal holds.

use axum::extract::State;
use canvass_core::{
    cases::{HoldFilter, NewHold},
    records::Hold,
};
use canvass_types::{AgencyId, HoldId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Purpose, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(place, list)).routes(routes!(release))
}

/// Which holds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this agency.
    agency: Option<AgencyId>,
    /// On this offer, item or case.
    subject: Option<String>,
    /// Only those that are not released.
    #[serde(default)]
    active: bool,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Why a hold is released.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Reason {
    /// Why, as JSON: `{"class":"case-work","offence":"none","reason":"…"}`, with `case` and `warrant` where there are such.
    #[serde(rename = "Canvass-Purpose")]
    #[expect(dead_code, reason = "it is here for the documentation; the route has an extractor for it")]
    purpose: String,
}

/// Places a hold on an offer, item or case.
#[utoipa::path(post, path = "/holds", tag = "holds", request_body = NewHold,
    responses((status = 201, body = Hold), Refusals))]
pub async fn place(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewHold>,
) -> Made<Hold> {
    made(|| desk.app.place_hold(&actor, &wish)).await
}

/// Lists holds, newest first.
#[utoipa::path(get, path = "/holds", tag = "holds", params(Which), responses((status = 200, body = List<Hold>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<Hold>> {
    let Which { agency, subject, active, after, limit } = which;
    listed(desk.app.holds(&actor, &HoldFilter { agency, subject, active, after, limit }).await)
}

/// Releases a hold; the reason stands in the header Canvass-Purpose.
#[utoipa::path(delete, path = "/holds/{hold}", tag = "holds", params(("hold" = HoldId, Path), Reason),
    responses((status = 200, body = Hold), Refusals))]
pub async fn release(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(hold): At<HoldId>,
    Purpose(reason): Purpose,
) -> Answer<Hold> {
    answer(|| desk.app.release_hold(&actor, &hold, &reason.reason)).await
}
