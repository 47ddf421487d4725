//! Portals and private invitations.

use axum::extract::State;
use canvass_core::{
    invitations::{InvitationView, IssuedInvitation, NewInvitation},
    portals::{NewPortal, PortalView},
};
use canvass_types::{InvitationId, PortalId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(list))
        .routes(routes!(close))
        .routes(routes!(invite, invitations))
        .routes(routes!(revoke))
}

/// Opens the agency's portal under an id made at random; its key must be stored first.
#[utoipa::path(post, path = "/portals/{portal}", tag = "portals", params(("portal" = PortalId, Path)),
    request_body = NewPortal, responses((status = 201, body = PortalView), Refusals))]
pub async fn open(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(portal): At<PortalId>,
    Input(new): Input<NewPortal>,
) -> Made<PortalView> {
    made(|| desk.app.open_portal(&actor, &portal, new.clone())).await
}

/// Lists the agency's portals, newest first.
#[utoipa::path(get, path = "/portals", tag = "portals", responses((status = 200, body = List<PortalView>), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<List<PortalView>> {
    listed(desk.app.portals(&actor).await)
}

/// Closes a portal; what was offered stays.
#[utoipa::path(post, path = "/portals/{portal}/close", tag = "portals", params(("portal" = PortalId, Path)),
    responses((status = 200, body = PortalView), Refusals))]
pub async fn close(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(portal): At<PortalId>,
) -> Answer<PortalView> {
    answer(|| desk.app.close_portal(&actor, &portal)).await
}

/// Invites one person; the secret is shown this once.
#[utoipa::path(post, path = "/invitations", tag = "portals", request_body = NewInvitation,
    responses((status = 201, body = IssuedInvitation), Refusals))]
pub async fn invite(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(new): Input<NewInvitation>,
) -> Made<IssuedInvitation> {
    made(|| desk.app.invite(&actor, new.clone())).await
}

/// Lists the agency's invitations, newest first.
#[utoipa::path(get, path = "/invitations", tag = "portals",
    responses((status = 200, body = List<InvitationView>), Refusals))]
pub async fn invitations(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<InvitationView>> {
    listed(desk.app.invitations(&actor).await)
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/invitations/{invitation}", tag = "portals", params(("invitation" = InvitationId, Path)),
    responses((status = 200, body = InvitationView), Refusals))]
pub async fn revoke(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(invitation): At<InvitationId>,
) -> Answer<InvitationView> {
    answer(|| desk.app.revoke_invitation(&actor, &invitation)).await
}
