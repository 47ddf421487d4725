//! Cases.

use axum::extract::State;
use canvass_core::{
    cases::{CaseDetail, CaseFilter, CaseView, ChangeCase, NewCase, Timeline},
    inbox::{Annotate, Assignee, WorkFilter},
};
use canvass_types::CaseId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, change))
        .routes(routes!(close))
        .routes(routes!(reopen))
        .routes(routes!(annotate))
        .routes(routes!(timeline))
}

/// Whether a case is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseState {
    /// It is.
    Open,
    /// It is not.
    Closed,
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    state: Option<CaseState>,
    /// With this investigation code.
    code: Option<String>,
    /// With this text in the title or the code.
    q: Option<String>,
    /// On which this member works; `me` and `none` are words for whoever asks and for nobody.
    #[param(value_type = Option<String>)]
    assignee: Option<Assignee>,
    /// With this tag.
    tag: Option<String>,
    /// With notes (true), or without (false).
    noted: Option<bool>,
    /// Whose reminder has come (true), or all others (false).
    reminder_due: Option<bool>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// What part of a timeline.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Stretch {
    /// Leave out so many of the newest.
    skip: Option<u64>,
    /// At most so many, 1 to 2,000; 500 when not given.
    limit: Option<u32>,
}

/// Opens a case.
#[utoipa::path(post, path = "/cases", tag = "cases", request_body = NewCase,
    responses((status = 201, body = CaseView), Refusals))]
pub async fn create(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewCase>,
) -> Made<CaseView> {
    made(|| desk.app.create_case(&actor, wish.clone())).await
}

/// Lists your agency's cases, newest first.
#[utoipa::path(get, path = "/cases", tag = "cases", params(Which),
    responses((status = 200, body = List<CaseView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<CaseView>> {
    let Which { state, code, q, assignee, tag, noted, reminder_due, after, limit } = which;
    let open = state.map(|state| state == CaseState::Open);
    let work = WorkFilter { assignee, tag, noted, reminder_due };
    listed(desk.app.cases(&actor, &CaseFilter { open, code, q, work, after, limit }).await)
}

/// Shows a case with its items, offers and holds.
#[utoipa::path(get, path = "/cases/{case}", tag = "cases", params(("case" = CaseId, Path)),
    responses((status = 200, body = CaseDetail), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
) -> Answer<CaseDetail> {
    answer(|| desk.app.case(&actor, &case)).await
}

/// Changes a case's title or what it joins.
#[utoipa::path(patch, path = "/cases/{case}", tag = "cases", params(("case" = CaseId, Path)), request_body = ChangeCase,
    responses((status = 200, body = CaseView), Refusals))]
pub async fn change(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Input(wish): Input<ChangeCase>,
) -> Answer<CaseView> {
    answer(|| desk.app.change_case(&actor, &case, wish.clone())).await
}

/// Closes a case; from now on the retention of its items runs.
#[utoipa::path(post, path = "/cases/{case}/close", tag = "cases", params(("case" = CaseId, Path)),
    responses((status = 200, body = CaseView), Refusals))]
pub async fn close(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
) -> Answer<CaseView> {
    answer(|| desk.app.close_case(&actor, &case)).await
}

/// Opens a case again.
#[utoipa::path(post, path = "/cases/{case}/reopen", tag = "cases", params(("case" = CaseId, Path)),
    responses((status = 200, body = CaseView), Refusals))]
pub async fn reopen(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
) -> Answer<CaseView> {
    answer(|| desk.app.reopen_case(&actor, &case)).await
}

/// Changes notes, tags, assignment and reminder.
#[utoipa::path(post, path = "/cases/{case}/annotations", tag = "cases", params(("case" = CaseId, Path)),
    request_body = Annotate, responses((status = 200, body = CaseView), Refusals))]
pub async fn annotate(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Input(change): Input<Annotate>,
) -> Answer<CaseView> {
    answer(|| desk.app.annotate_case(&actor, &case, &change)).await
}

/// Tells what happened in a case, oldest first: custody of its items and offers, holds, requests, and the case itself.
#[utoipa::path(get, path = "/cases/{case}/timeline", tag = "cases", params(("case" = CaseId, Path), Stretch),
    responses((status = 200, body = Timeline), Refusals))]
pub async fn timeline(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Seek(stretch): Seek<Stretch>,
) -> Answer<Timeline> {
    let Stretch { skip, limit } = stretch;
    answer(|| desk.app.timeline(&actor, &case, skip.unwrap_or(0), limit)).await
}
