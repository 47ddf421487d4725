//! Members and their tokens.

use axum::extract::State;
use canvass_core::{
    access::{IssuedToken, NewToken, TokenView},
    agencies::NewRecipient,
    members::{ChangeMember, Myself, NewMember},
};
use canvass_types::{AgencyId, MemberId, MemberView, TokenId};
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
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(set_recipient))
        .routes(routes!(add, list))
        .routes(routes!(change))
        .routes(routes!(issue, tokens))
        .routes(routes!(revoke))
}

/// Which members.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfAgency {
    /// Of this agency; those of none when left out.
    agency: Option<AgencyId>,
}

/// Who you are, and what you may do.
#[utoipa::path(get, path = "/me", tag = "members", responses((status = 200, body = Myself), Refusals))]
pub async fn me(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<Myself> {
    answer(|| desk.app.myself(&actor)).await
}

/// Names your age recipient, to which request keys will be wrapped.
#[utoipa::path(put, path = "/me/recipient", tag = "members", request_body = NewRecipient,
    responses((status = 200, body = MemberView), Refusals))]
pub async fn set_recipient(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(new): Input<NewRecipient>,
) -> Answer<MemberView> {
    answer(|| desk.app.set_recipient(&actor, new.clone())).await
}

/// Adds a member.
#[utoipa::path(post, path = "/members", tag = "members", request_body = NewMember,
    responses((status = 201, body = MemberView), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(new): Input<NewMember>,
) -> Made<MemberView> {
    made(|| desk.app.add_member(&actor, new.clone())).await
}

/// Lists members.
#[utoipa::path(get, path = "/members", tag = "members", params(OfAgency),
    responses((status = 200, body = List<MemberView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(of): Seek<OfAgency>,
) -> Answer<List<MemberView>> {
    let agency = of.agency.or_else(|| actor.agency.clone());
    listed(desk.app.members(&actor, agency.as_ref()).await)
}

/// Changes a member's roles, or stops or readmits them.
#[utoipa::path(patch, path = "/members/{member}", tag = "members", params(("member" = MemberId, Path)),
    request_body = ChangeMember, responses((status = 200, body = MemberView), Refusals))]
pub async fn change(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
    Input(change): Input<ChangeMember>,
) -> Answer<MemberView> {
    answer(|| desk.app.change_member(&actor, &member, change.clone())).await
}

/// Issues a token; its secret is shown this once.
#[utoipa::path(post, path = "/members/{member}/tokens", tag = "members", params(("member" = MemberId, Path)),
    request_body = NewToken, responses((status = 201, body = IssuedToken), Refusals))]
pub async fn issue(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
    Input(wish): Input<NewToken>,
) -> Made<IssuedToken> {
    made(|| desk.app.issue_token(&actor, &member, wish.clone())).await
}

/// Lists a member's tokens, without their secrets.
#[utoipa::path(get, path = "/members/{member}/tokens", tag = "members", params(("member" = MemberId, Path)),
    responses((status = 200, body = List<TokenView>), Refusals))]
pub async fn tokens(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(member): At<MemberId>,
) -> Answer<List<TokenView>> {
    listed(desk.app.tokens(&actor, &member).await)
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/tokens/{token}", tag = "members", params(("token" = TokenId, Path)),
    responses((status = 200, body = TokenView), Refusals))]
pub async fn revoke(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(token): At<TokenId>,
) -> Answer<TokenView> {
    answer(|| desk.app.revoke_token(&actor, &token)).await
}
