//! Searching plate reads, and keeping what was found in a case.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use canvass_core::{
    CoreError,
    access::SearchesPlates,
    plates::{
        AskedQuestion, Granted, GrantedKeep, HistoryOfPlate, KeepReads, KeptFile, KeptReadsDetail,
        KeptReadsView, PictureLeave, PlatesFound, SearchPlan, SearchPlates,
    },
};
use canvass_plates::ReadId;
use canvass_types::{AuditId, KeptReadsId};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Made, Refusals, answer, evidence::Headers, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, AtTwo, Input, Purpose},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(history))
        .routes(routes!(plan))
        .routes(routes!(keep))
        .routes(routes!(kept))
        .routes(routes!(content))
        .routes(routes!(picture))
}

/// Looks for what was granted, and forms the answer.
async fn found<A: SearchesPlates + Send + Sync + 'static>(
    desk: &Desk,
    granted: Granted<A>,
) -> Result<Json<PlatesFound>, Problem> {
    // The entries are durable already, whatever becomes of the search.
    desk.changed.notify_one();
    let found = desk.with_reads(move |reads| reads.search(granted)).await?;
    Ok(Json(desk.app.plates_found(found).await?))
}

/// Searches the reads of your agency's cameras, and of those that others share with it. Each owner of a camera gets an
/// entry of its own in the oversight ledger before anything is looked at; so does each page.
#[utoipa::path(post, path = "/plates/search", tag = "plates", params(Headers), request_body = SearchPlates,
    responses((status = 200, body = PlatesFound), Refusals))]
pub async fn search(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<SearchPlates>,
) -> Answer<PlatesFound> {
    let granted = retried(|| desk.app.search_plates(&actor, &purpose, &wish)).await?;
    found(&desk, granted).await
}

/// Shows where one plate was seen, newest first, with the place of each camera.
#[utoipa::path(post, path = "/plates/history", tag = "plates", params(Headers), request_body = HistoryOfPlate,
    responses((status = 200, body = PlatesFound), Refusals))]
pub async fn history(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<HistoryOfPlate>,
) -> Answer<PlatesFound> {
    let granted = retried(|| desk.app.plate_history(&actor, &purpose, &wish)).await?;
    found(&desk, granted).await
}

/// Shows the picture of a read that a search of yours found within the last quarter of an hour: `entry` is that of the first
/// owner in the answer's `searched`.
#[utoipa::path(get, path = "/plates/pictures/{entry}/{read}", tag = "plates",
    params(("entry" = AuditId, Path), ("read" = ReadId, Path)),
    responses((status = 200, content_type = "image/jpeg", description = "The picture: JPEG, PNG or WebP"), Refusals))]
pub async fn picture(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(entry, read): AtTwo<AuditId, ReadId>,
) -> Result<Response, Problem> {
    shown(&desk, desk.app.picture_of_search(&actor, &entry, &read)?).await
}

/// The picture, for eyes that may see it and nobody's cache.
pub(super) async fn shown(desk: &Desk, leave: PictureLeave) -> Result<Response, Problem> {
    let picture = desk.with_reads(move |reads| reads.picture(&leave)).await?;
    let picture = picture.ok_or(CoreError::Hidden("picture"))?;
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, picture.kind.media_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, picture.bytes).into_response())
}

/// Tells what a search would touch and what it takes, before it is run or asked for: it looks at no read.
#[utoipa::path(post, path = "/plates/plan", tag = "plates", params(Headers), request_body = AskedQuestion,
    responses((status = 200, body = SearchPlan), Refusals))]
pub async fn plan(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<AskedQuestion>,
) -> Answer<SearchPlan> {
    answer(|| desk.app.plan_search(&actor, &purpose, &wish)).await
}

/// Looks once more for the chosen reads, and keeps them.
pub(super) async fn keep_found(desk: &Desk, granted: GrantedKeep) -> Made<KeptReadsView> {
    desk.changed.notify_one();
    let found = desk.with_reads(move |reads| reads.pick(granted)).await?;
    let kept = desk.app.keep_reads(found).await?;
    desk.changed.notify_one();
    Ok((StatusCode::CREATED, Json(kept)))
}

/// Keeps reads that a search found in the case that the search was for, as a file with a chain of custody. The search is
/// run once more, with entries of its own; what it does not find any more can't be kept.
#[utoipa::path(post, path = "/plates/keep", tag = "plates", params(Headers), request_body = KeepReads,
    responses((status = 201, body = KeptReadsView), Refusals))]
pub async fn keep(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<KeepReads>,
) -> Made<KeptReadsView> {
    let granted = retried(|| desk.app.keep_granted(&actor, &purpose, &wish)).await?;
    keep_found(&desk, granted).await
}

/// Shows plate reads that are kept in a case, with their chain of custody; not the reads themselves.
#[utoipa::path(get, path = "/kept-reads/{kept}", tag = "plates", params(("kept" = KeptReadsId, Path)),
    responses((status = 200, body = KeptReadsDetail), Refusals))]
pub async fn kept(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(kept): At<KeptReadsId>,
) -> Answer<KeptReadsDetail> {
    answer(|| desk.app.kept_reads(&actor, &kept)).await
}

/// Gives out plate reads that are kept in a case, once the reading stands in the record.
#[utoipa::path(get, path = "/kept-reads/{kept}/content", tag = "plates",
    params(("kept" = KeptReadsId, Path), Headers), responses((status = 200, body = KeptFile), Refusals))]
pub async fn content(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(kept): At<KeptReadsId>,
    Purpose(purpose): Purpose,
) -> Result<impl IntoResponse, Problem> {
    let (_, file) = retried(|| desk.app.read_kept(&actor, &kept, &purpose)).await?;
    desk.changed.notify_one();
    // As it was kept, so that its digest holds.
    Ok(([(header::CONTENT_TYPE, "application/json")], file))
}
