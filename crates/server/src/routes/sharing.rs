//! Sharing between agencies, and the notices of it to overseers.

use axum::extract::State;
use canvass_core::{
    proposals::ProposalView,
    records::OversightNotice,
    sharing::{NewSharing, NoticeFilter, SharingView},
};
use canvass_types::{NoticeId, SharingId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made, proposals::Because};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(offer, list))
        .routes(routes!(show))
        .routes(routes!(accept))
        .routes(routes!(end))
        .routes(routes!(notices))
        .routes(routes!(seen))
}

/// Proposes that the own agency shares cameras or a case; a second person of it approves the proposal.
#[utoipa::path(post, path = "/sharing", tag = "sharing", request_body = NewSharing,
    responses((status = 201, body = ProposalView), Refusals))]
pub async fn offer(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewSharing>,
) -> Made<ProposalView> {
    made(|| desk.app.offer_sharing(&actor, wish.clone())).await
}

/// Lists what the own agency shares and what is shared with it, oldest first; overseers see all.
#[utoipa::path(get, path = "/sharing", tag = "sharing", responses((status = 200, body = List<SharingView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<SharingView>> {
    listed(desk.app.sharing(&actor).await)
}

/// Shows one rule of sharing.
#[utoipa::path(get, path = "/sharing/{rule}", tag = "sharing", params(("rule" = SharingId, Path)),
    responses((status = 200, body = SharingView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(rule): At<SharingId>,
) -> Answer<SharingView> {
    answer(|| desk.app.sharing_rule(&actor, &rule)).await
}

/// Proposes that the own agency accepts what another shares; a second person of it approves the proposal.
#[utoipa::path(post, path = "/sharing/{rule}/accept", tag = "sharing", params(("rule" = SharingId, Path)),
    request_body = Because, responses((status = 201, body = ProposalView), Refusals))]
pub async fn accept(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(rule): At<SharingId>,
    Input(because): Input<Because>,
) -> Made<ProposalView> {
    made(|| desk.app.accept_sharing(&actor, &rule, &because.reason)).await
}

/// Ends an own rule at once, or the own agency's part in another's.
#[utoipa::path(post, path = "/sharing/{rule}/end", tag = "sharing", params(("rule" = SharingId, Path)),
    request_body = Because, responses((status = 200, body = SharingView), Refusals))]
pub async fn end(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(rule): At<SharingId>,
    Input(because): Input<Because>,
) -> Answer<SharingView> {
    answer(|| desk.app.end_sharing(&actor, &rule, &because.reason)).await
}

/// Which notices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those that no overseer marked as seen.
    #[serde(default)]
    unseen: bool,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Lists notices to overseers, newest first: that sharing, limits or rules changed.
#[utoipa::path(get, path = "/oversight/notices", tag = "sharing", params(Which),
    responses((status = 200, body = List<OversightNotice>), Refusals))]
pub async fn notices(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<OversightNotice>> {
    let Which { unseen, after, limit } = which;
    listed(desk.app.notices(&actor, &NoticeFilter { unseen, after, limit }).await)
}

/// Marks a notice as seen.
#[utoipa::path(post, path = "/oversight/notices/{notice}/seen", tag = "sharing", params(("notice" = NoticeId, Path)),
    responses((status = 200, body = OversightNotice), Refusals))]
pub async fn seen(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(notice): At<NoticeId>,
) -> Answer<OversightNotice> {
    answer(|| desk.app.notice_seen(&actor, &notice)).await
}
