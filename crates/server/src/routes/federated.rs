//! Signing in at an agency's own provider: the browser is sent there, and comes back to `/desk/signed-in` with a code.

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
};
use canvass_core::signin::{
    AccountView, BeginBinding, BeginFederated, FederatedCeremony, FinishFederated, SessionView,
};
use canvass_types::AccountId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Made, Refusals, answer, signin::WithCookie};
use crate::{
    auth::{self, Authenticated, InSession},
    desk::Desk,
    extract::{At, Input},
    serve::Peer,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(begin))
        .routes(routes!(finish))
        .routes(routes!(begin_binding))
        .routes(routes!(finish_binding))
        .routes(routes!(begin_confirmation))
        .routes(routes!(finish_confirmation))
        .routes(routes!(remove))
}

/// Most bytes of what a stranger sends.
const MOST: usize = 16 * 1024;

/// Begins to sign in at a provider: says where the browser is to go.
#[utoipa::path(post, path = "/signin/provider/begin", tag = "federated", request_body = BeginFederated,
    responses((status = 200, body = FederatedCeremony), Refusals))]
pub async fn begin(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(begin): Input<BeginFederated, MOST>,
) -> Answer<FederatedCeremony> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.begin_federated(&desk.providers, &begin).await?))
}

/// Signs in by what the provider gave: the answer sets the session's cookie.
#[utoipa::path(post, path = "/signin/provider/finish", tag = "federated", request_body = FinishFederated,
    responses((status = 201, body = SessionView), Refusals))]
pub async fn finish(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishFederated, MOST>,
) -> WithCookie<Json<SessionView>> {
    desk.pace.admit(peer, desk.seconds())?;
    let opened = desk.app.finish_federated(&desk.providers, &finish).await?;
    let cookie = auth::cookie(&desk, Some(&opened.secret));
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(opened.session)))
}

/// Begins to bind an account at the agency's provider, by an enrolment.
#[utoipa::path(post, path = "/enrolment/provider/begin", tag = "federated", request_body = BeginBinding,
    responses((status = 200, body = FederatedCeremony), Refusals))]
pub async fn begin_binding(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(begin): Input<BeginBinding, MOST>,
) -> Answer<FederatedCeremony> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.begin_binding(&desk.providers, &begin).await?))
}

/// Binds the account, which uses the enrolment up.
#[utoipa::path(post, path = "/enrolment/provider/finish", tag = "federated", request_body = FinishFederated,
    responses((status = 201, body = AccountView), Refusals))]
pub async fn finish_binding(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishFederated, MOST>,
) -> Made<AccountView> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok((StatusCode::CREATED, Json(desk.app.finish_binding(&desk.providers, &finish).await?)))
}

/// Begins to unlock the session at a provider, or to confirm a dangerous action there.
#[utoipa::path(post, path = "/session/provider/begin", tag = "federated", request_body = BeginFederated,
    responses((status = 200, body = FederatedCeremony), Refusals))]
pub async fn begin_confirmation(
    State(desk): State<Desk>,
    InSession(secret): InSession,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(begin): Input<BeginFederated, MOST>,
) -> Answer<FederatedCeremony> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.begin_federated_confirmation(&desk.providers, &secret, &begin).await?))
}

/// Unlocks the session; where the operator lets it, dangerous actions are taken for five minutes.
#[utoipa::path(post, path = "/session/provider/finish", tag = "federated", request_body = FinishFederated,
    responses((status = 200, body = SessionView), Refusals))]
pub async fn finish_confirmation(
    State(desk): State<Desk>,
    InSession(secret): InSession,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Input(finish): Input<FinishFederated, MOST>,
) -> Answer<SessionView> {
    desk.pace.admit(peer, desk.seconds())?;
    Ok(Json(desk.app.finish_federated_confirmation(&desk.providers, &secret, &finish).await?))
}

/// Removes a federated account, yours or a member's; sessions that it opened end at once.
#[utoipa::path(delete, path = "/accounts/{account}", tag = "federated", params(("account" = AccountId, Path)),
    responses((status = 200, body = AccountView), Refusals))]
pub async fn remove(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(account): At<AccountId>,
) -> Answer<AccountView> {
    answer(|| desk.app.remove_account(&actor, &account)).await
}
