//! Texts of policy: what an agency, or the operator for the whole deployment, tells the public that is in force.

use axum::extract::State;
use canvass_core::transparency::{NewPolicyText, PolicyTexts};
use canvass_types::AgencyId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, answer};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(show, set)).routes(routes!(show_of_all, set_of_all))
}

/// Shows an agency's texts beside what is in force, with the settings that a text may claim.
#[utoipa::path(get, path = "/agencies/{agency}/policy-text", tag = "texts", params(("agency" = AgencyId, Path)),
    responses((status = 200, body = PolicyTexts), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(_member): Authenticated,
    At(agency): At<AgencyId>,
) -> Answer<PolicyTexts> {
    answer(|| desk.app.policy_texts(Some(&agency))).await
}

/// Publishes an agency's text in place of the one before in its language.
#[utoipa::path(put, path = "/agencies/{agency}/policy-text", tag = "texts", params(("agency" = AgencyId, Path)),
    request_body = NewPolicyText, responses((status = 200, body = PolicyTexts), Refusals))]
pub async fn set(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(agency): At<AgencyId>,
    Input(text): Input<NewPolicyText>,
) -> Answer<PolicyTexts> {
    answer(|| desk.app.set_policy_text(&actor, Some(&agency), text.clone())).await
}

/// Shows the texts of the whole deployment beside what is in force.
#[utoipa::path(get, path = "/policy-text", tag = "texts", responses((status = 200, body = PolicyTexts), Refusals))]
pub async fn show_of_all(
    State(desk): State<Desk>,
    Authenticated(_member): Authenticated,
) -> Answer<PolicyTexts> {
    answer(|| desk.app.policy_texts(None)).await
}

/// Publishes a text of the whole deployment in place of the one before in its language.
#[utoipa::path(put, path = "/policy-text", tag = "texts", request_body = NewPolicyText,
    responses((status = 200, body = PolicyTexts), Refusals))]
pub async fn set_of_all(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(text): Input<NewPolicyText>,
) -> Answer<PolicyTexts> {
    answer(|| desk.app.set_policy_text(&actor, None, text.clone())).await
}
