//! Searches that take a second person: asked for, decided on, run.

use axum::{Json, extract::State};
use canvass_core::{
    plates::{
        Answered, ApprovalDetail, ApprovalFilter, ApprovalView, AskedQuestion, KeepApproved, KeptReadsView,
        RefuseApproval, RunApproved,
    },
    records::ApprovalState,
};
use canvass_types::ApprovalId;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, List, Made, Refusals, answer, evidence::Headers, listed, made, plates::keep_found, retried,
};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Purpose, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(ask, list))
        .routes(routes!(show))
        .routes(routes!(approve))
        .routes(routes!(refuse))
        .routes(routes!(withdraw))
        .routes(routes!(run))
        .routes(routes!(keep))
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    state: Option<ApprovalState>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Asks for a second person's approval of a search. What is asked is fixed from now on; it waits for three days.
#[utoipa::path(post, path = "/plates/approvals", tag = "approvals", params(Headers), request_body = AskedQuestion,
    responses((status = 201, body = ApprovalDetail), Refusals))]
pub async fn ask(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<AskedQuestion>,
) -> Made<ApprovalDetail> {
    let asked = made(|| desk.app.ask_approval(&actor, &purpose, &wish)).await;
    desk.changed.notify_one();
    asked
}

/// Lists searches that take a second person, newest first: your own; all of your agency for who may decide on them.
#[utoipa::path(get, path = "/plates/approvals", tag = "approvals", params(Which),
    responses((status = 200, body = List<ApprovalView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(Which { state, after, limit }): Seek<Which>,
) -> Answer<List<ApprovalView>> {
    listed(desk.app.approvals(&actor, &ApprovalFilter { state, after, limit }).await)
}

/// Shows such a search, with all that it asks and what it would touch.
#[utoipa::path(get, path = "/plates/approvals/{approval}", tag = "approvals", params(("approval" = ApprovalId, Path)),
    responses((status = 200, body = ApprovalDetail), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
) -> Answer<ApprovalDetail> {
    answer(|| desk.app.approval(&actor, &approval)).await
}

/// Approves a search that somebody else asks for: for a day they may run exactly that.
#[utoipa::path(post, path = "/plates/approvals/{approval}/approve", tag = "approvals",
    params(("approval" = ApprovalId, Path)), responses((status = 200, body = ApprovalDetail), Refusals))]
pub async fn approve(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
) -> Answer<ApprovalDetail> {
    let decided = answer(|| desk.app.approve_search(&actor, &approval)).await;
    desk.changed.notify_one();
    decided
}

/// Refuses a search that somebody else asks for, with a reason.
#[utoipa::path(post, path = "/plates/approvals/{approval}/refuse", tag = "approvals",
    params(("approval" = ApprovalId, Path)), request_body = RefuseApproval,
    responses((status = 200, body = ApprovalDetail), Refusals))]
pub async fn refuse(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
    Input(RefuseApproval { reason }): Input<RefuseApproval>,
) -> Answer<ApprovalDetail> {
    let decided = answer(|| desk.app.refuse_search(&actor, &approval, &reason)).await;
    desk.changed.notify_one();
    decided
}

/// Takes back a search that you asked for, approved or not.
#[utoipa::path(post, path = "/plates/approvals/{approval}/withdraw", tag = "approvals",
    params(("approval" = ApprovalId, Path)), responses((status = 200, body = ApprovalDetail), Refusals))]
pub async fn withdraw(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
) -> Answer<ApprovalDetail> {
    let decided = answer(|| desk.app.withdraw_search(&actor, &approval)).await;
    desk.changed.notify_one();
    decided
}

/// Runs an approved search: exactly what was asked. Each run leaves an entry with each owner, which names the approval.
#[utoipa::path(post, path = "/plates/approvals/{approval}/run", tag = "approvals",
    params(("approval" = ApprovalId, Path)), request_body = RunApproved,
    responses((status = 200, body = Answered), Refusals))]
pub async fn run(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
    Input(part): Input<RunApproved>,
) -> Answer<Answered> {
    let granted = retried(|| desk.app.run_approved(&actor, &approval, &part)).await?;
    // The entries are durable already, whatever becomes of the search.
    desk.changed.notify_one();
    let found = desk.with_reads(move |reads| reads.run(granted)).await?;
    Ok(Json(desk.app.question_found(found).await?))
}

/// Keeps reads that an approved search showed in the case that it was for, while the approval holds.
#[utoipa::path(post, path = "/plates/approvals/{approval}/keep", tag = "approvals",
    params(("approval" = ApprovalId, Path)), request_body = KeepApproved,
    responses((status = 201, body = KeptReadsView), Refusals))]
pub async fn keep(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(approval): At<ApprovalId>,
    Input(wish): Input<KeepApproved>,
) -> Made<KeptReadsView> {
    let granted = retried(|| desk.app.keep_approved(&actor, &approval, &wish)).await?;
    keep_found(&desk, granted).await
}
