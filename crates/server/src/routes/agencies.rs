//! Agencies: registering, verifying, their signing keys and their recovery.

use axum::extract::State;
use canvass_core::agencies::{AgencyView, NewAgency, NewAgencyKey, NewRecipient, VerifyAgency};
use canvass_types::AgencyId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, AtTwo, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(show))
        .routes(routes!(verify))
        .routes(routes!(suspend))
        .routes(routes!(add_key))
        .routes(routes!(revoke_key))
        .routes(routes!(set_recovery))
        .routes(routes!(rehearsed))
}

/// Registers an agency; it can ask for nothing until it is verified.
#[utoipa::path(post, path = "/agencies", tag = "agencies", request_body = NewAgency,
    responses((status = 201, body = AgencyView), Refusals))]
pub async fn register(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(new): Input<NewAgency>,
) -> Made<AgencyView> {
    made(|| desk.app.register_agency(&actor, new.clone())).await
}

/// Lists the agencies that you may see.
#[utoipa::path(get, path = "/agencies", tag = "agencies", responses((status = 200, body = List<AgencyView>), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<List<AgencyView>> {
    listed(desk.app.agencies(&actor).await)
}

/// Shows an agency.
#[utoipa::path(get, path = "/agencies/{agency}", tag = "agencies", params(("agency" = AgencyId, Path)),
    responses((status = 200, body = AgencyView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
) -> Answer<AgencyView> {
    answer(|| desk.app.agency_view(&actor, &agency)).await
}

/// Says that an agency is who it says, with its first signing key; or lets a suspended one ask again.
#[utoipa::path(post, path = "/agencies/{agency}/verify", tag = "agencies", params(("agency" = AgencyId, Path)),
    request_body = VerifyAgency, responses((status = 200, body = AgencyView), Refusals))]
pub async fn verify(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
    Input(word): Input<VerifyAgency>,
) -> Answer<AgencyView> {
    answer(|| desk.app.verify_agency(&actor, &agency, word.clone())).await
}

/// Stops an agency from asking.
#[utoipa::path(post, path = "/agencies/{agency}/suspend", tag = "agencies", params(("agency" = AgencyId, Path)),
    responses((status = 200, body = AgencyView), Refusals))]
pub async fn suspend(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
) -> Answer<AgencyView> {
    answer(|| desk.app.suspend_agency(&actor, &agency)).await
}

/// Brings in the next signing key, endorsed by one that counts.
#[utoipa::path(post, path = "/agencies/{agency}/keys", tag = "agencies", params(("agency" = AgencyId, Path)),
    request_body = NewAgencyKey, responses((status = 201, body = AgencyView), Refusals))]
pub async fn add_key(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
    Input(new): Input<NewAgencyKey>,
) -> Made<AgencyView> {
    made(|| desk.app.add_agency_key(&actor, &agency, new.clone())).await
}

/// Revokes a signing key. What it signed before stays valid.
#[utoipa::path(delete, path = "/agencies/{agency}/keys/{key}", tag = "agencies",
    params(("agency" = AgencyId, Path), ("key" = String, Path, description = "Short name of the key")),
    responses((status = 200, body = AgencyView), Refusals))]
pub async fn revoke_key(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(agency, key): AtTwo<AgencyId, String>,
) -> Answer<AgencyView> {
    answer(|| desk.app.revoke_agency_key(&actor, &agency, &key)).await
}

/// Names the recovery identity, to which every request key is wrapped besides the members.
#[utoipa::path(put, path = "/agencies/{agency}/recovery", tag = "agencies", params(("agency" = AgencyId, Path)),
    request_body = NewRecipient, responses((status = 200, body = AgencyView), Refusals))]
pub async fn set_recovery(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
    Input(new): Input<NewRecipient>,
) -> Answer<AgencyView> {
    answer(|| desk.app.set_recovery(&actor, &agency, new.clone())).await
}

/// Notes that the recovery identity opened a wrapped key in a rehearsal.
#[utoipa::path(post, path = "/agencies/{agency}/rehearsals", tag = "agencies", params(("agency" = AgencyId, Path)),
    responses((status = 201, body = AgencyView), Refusals))]
pub async fn rehearsed(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
) -> Made<AgencyView> {
    made(|| desk.app.recovery_rehearsed(&actor, &agency)).await
}
