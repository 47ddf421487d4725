//! What misuse detection found, and members' own vehicles.

use axum::{Json, extract::State};
use canvass_core::{
    misuse::{ChangeVehicles, FindingFilter, FindingView, HandleFinding},
    records::{Finding, FindingState, OwnVehicle},
};
use canvass_types::{AgencyId, FindingId, MemberId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Refusals, answer, listed};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(findings))
        .routes(routes!(finding))
        .routes(routes!(handle))
        .routes(routes!(vehicles, change_vehicles))
}

/// Which findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichFindings {
    /// Of members of this agency.
    agency: Option<AgencyId>,
    /// In this state: `open`, `explained` or `confirmed`.
    #[param(inline)]
    state: Option<FindingState>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Lists what misuse detection found, newest first, without what concerns the reader.
#[utoipa::path(get, path = "/findings", tag = "governance", params(WhichFindings),
    responses((status = 200, body = List<Finding>), Refusals))]
pub async fn findings(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<WhichFindings>,
) -> Answer<List<Finding>> {
    let WhichFindings { agency, state, after, limit } = which;
    listed(desk.app.findings(&actor, &FindingFilter { agency, state, after, limit }).await)
}

/// Shows a finding with the records of its acts.
#[utoipa::path(get, path = "/findings/{finding}", tag = "governance", params(("finding" = FindingId, Path)),
    responses((status = 200, body = FindingView), Refusals))]
pub async fn finding(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(finding): At<FindingId>,
) -> Answer<FindingView> {
    answer(|| desk.app.finding(&actor, &finding)).await
}

/// Answers for a finding: explained or confirmed.
#[utoipa::path(post, path = "/findings/{finding}/handle", tag = "governance", params(("finding" = FindingId, Path)),
    request_body = HandleFinding, responses((status = 200, body = Finding), Refusals))]
pub async fn handle(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(finding): At<FindingId>,
    Input(wish): Input<HandleFinding>,
) -> Answer<Finding> {
    answer(|| desk.app.handle_finding(&actor, &finding, wish.clone())).await
}

/// Lists a member's registered vehicles, by pseudonym.
#[utoipa::path(get, path = "/members/{member}/vehicles", tag = "members", params(("member" = MemberId, Path)),
    responses((status = 200, body = Vec<OwnVehicle>), Refusals))]
pub async fn vehicles(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
) -> Answer<Vec<OwnVehicle>> {
    Ok(Json(desk.app.vehicles(&actor, &member).await?))
}

/// Registers and removes vehicles of a member. Plates are not kept.
#[utoipa::path(put, path = "/members/{member}/vehicles", tag = "members", params(("member" = MemberId, Path)),
    request_body = ChangeVehicles, responses((status = 200, body = Vec<OwnVehicle>), Refusals))]
pub async fn change_vehicles(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
    Input(wish): Input<ChangeVehicles>,
) -> Answer<Vec<OwnVehicle>> {
    answer(|| desk.app.change_vehicles(&actor, &member, &wish)).await
}
