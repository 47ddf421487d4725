//! Searching plate reads.

use axum::{Json, extract::State};
use canvass_core::{
    access::SearchesPlates,
    plates::{Granted, HistoryOfPlate, PlatesFound, SearchPlates},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, evidence::Headers, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{Input, Purpose},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(history))
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
