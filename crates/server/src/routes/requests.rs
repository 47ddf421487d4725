//! Requests: drafting, signing, moderation, and their end.

use axum::{extract::State, http::StatusCode};
use canvass_core::{
    ask::DraftForm,
    requests::{DraftCheck, RequestFilter, RequestView, Submission, Verdict, Withholding, refusal_rules},
};
use canvass_types::{AgencyId, RequestBody, RequestDraft, RequestId, RequestState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Done, List, Made, Refusals, answer, listed, made, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(rules))
        .routes(routes!(check))
        .routes(routes!(draft, list))
        .routes(routes!(show, edit, discard))
        .routes(routes!(body_to_sign))
        .routes(routes!(submit))
        .routes(routes!(decide))
        .routes(routes!(resolve))
        .routes(routes!(withhold))
        .routes(routes!(moderation))
}

/// A rule that a refusal may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusalRule {
    /// Its word.
    pub id: String,
    /// Its title, in public words.
    pub title: String,
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state.
    state: Option<RequestState>,
    /// Of this agency.
    agency: Option<AgencyId>,
    /// Those that a moderator decided on (true), or those that none has (false).
    decided: Option<bool>,
    /// With this text in the code or the details.
    q: Option<String>,
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Lists the rules that a refusal may name.
#[utoipa::path(get, path = "/rules", tag = "moderation", responses((status = 200, body = List<RefusalRule>), Refusals))]
pub async fn rules(Authenticated(_member): Authenticated) -> Answer<List<RefusalRule>> {
    let rules = refusal_rules().into_iter().map(|(id, title)| RefusalRule { id, title });
    listed::<RefusalRule, Vec<_>>(Ok(rules.collect()))
}

/// Judges a draft without storing it, while it is being typed: any field may still be missing or empty.
#[utoipa::path(post, path = "/requests/check", tag = "requests", request_body = DraftForm,
    responses((status = 200, body = DraftCheck), Refusals))]
pub async fn check(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(form): Input<DraftForm>,
) -> Answer<DraftCheck> {
    answer(|| desk.app.check_draft(&actor, &form)).await
}

/// Stores a draft. It may still have problems; they come back with it.
#[utoipa::path(post, path = "/requests", tag = "requests", request_body = RequestDraft,
    responses((status = 201, body = RequestView), Refusals))]
pub async fn draft(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(draft): Input<RequestDraft>,
) -> Made<RequestView> {
    made(|| desk.app.draft_request(&actor, draft.clone())).await
}

/// Lists requests, newest first.
#[utoipa::path(get, path = "/requests", tag = "requests", params(Which),
    responses((status = 200, body = List<RequestView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<RequestView>> {
    let Which { state, agency, decided, q, after, limit } = which;
    listed(desk.app.requests(&actor, &RequestFilter { agency, state, decided, q, after, limit }).await)
}

/// Shows a request, with its problems while it can change.
#[utoipa::path(get, path = "/requests/{request}", tag = "requests", params(("request" = RequestId, Path)),
    responses((status = 200, body = RequestView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
) -> Answer<RequestView> {
    answer(|| desk.app.request_view(&actor, &request)).await
}

/// Changes a draft.
#[utoipa::path(put, path = "/requests/{request}", tag = "requests", params(("request" = RequestId, Path)),
    request_body = RequestDraft, responses((status = 200, body = RequestView), Refusals))]
pub async fn edit(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
    Input(draft): Input<RequestDraft>,
) -> Answer<RequestView> {
    answer(|| desk.app.change_draft(&actor, &request, draft.clone())).await
}

/// Drops a draft.
#[utoipa::path(delete, path = "/requests/{request}", tag = "requests", params(("request" = RequestId, Path)),
    responses((status = 204), Refusals))]
pub async fn discard(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
) -> Done {
    retried(|| desk.app.drop_draft(&actor, &request)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives out the body that is to be signed on the agency's side.
#[utoipa::path(get, path = "/requests/{request}/body", tag = "requests", params(("request" = RequestId, Path)),
    responses((status = 200, body = RequestBody), Refusals))]
pub async fn body_to_sign(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
) -> Answer<RequestBody> {
    answer(|| desk.app.body_to_sign(&actor, &request)).await
}

/// Takes the agency's signature in and hands the request to the moderators.
#[utoipa::path(post, path = "/requests/{request}/submit", tag = "requests", params(("request" = RequestId, Path)),
    request_body = Submission, responses((status = 200, body = RequestView), Refusals))]
pub async fn submit(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
    Input(submission): Input<Submission>,
) -> Answer<RequestView> {
    answer(|| desk.app.submit_request(&actor, &request, submission.clone())).await
}

/// Publishes or refuses a request.
#[utoipa::path(post, path = "/requests/{request}/decision", tag = "moderation", params(("request" = RequestId, Path)),
    request_body = Verdict, responses((status = 200, body = RequestView), Refusals))]
pub async fn decide(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
    Input(verdict): Input<Verdict>,
) -> Answer<RequestView> {
    answer(|| desk.app.moderate(&actor, &request, verdict.clone())).await
}

/// Marks a published request as resolved.
#[utoipa::path(post, path = "/requests/{request}/resolve", tag = "requests", params(("request" = RequestId, Path)),
    responses((status = 200, body = RequestView), Refusals))]
pub async fn resolve(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
) -> Answer<RequestView> {
    answer(|| desk.app.resolve_request(&actor, &request)).await
}

/// Withholds the body of a request by law; that it existed stays public.
#[utoipa::path(post, path = "/requests/{request}/withhold", tag = "moderation", params(("request" = RequestId, Path)),
    request_body = Withholding, responses((status = 200, body = RequestView), Refusals))]
pub async fn withhold(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(request): At<RequestId>,
    Input(order): Input<Withholding>,
) -> Answer<RequestView> {
    answer(|| desk.app.withhold_request(&actor, &request, order.clone())).await
}

/// Lists what waits for a moderator, oldest first.
#[utoipa::path(get, path = "/moderation", tag = "moderation",
    responses((status = 200, body = List<RequestView>), Refusals))]
pub async fn moderation(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<RequestView>> {
    listed(desk.app.moderation_queue(&actor).await)
}
