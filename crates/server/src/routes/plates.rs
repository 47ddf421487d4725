//! Searching plate reads.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse as _, Response},
};
use canvass_core::{
    CoreError,
    access::SearchesPlates,
    plates::{Granted, HistoryOfPlate, PictureLeave, PlatesFound, SearchPlates},
};
use canvass_plates::ReadId;
use canvass_types::AuditId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, evidence::Headers, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{AtTwo, Input, Purpose},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(history)).routes(routes!(picture))
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
