//! Search of footage by description, and what may not be searched for; sightings of cameras on their way in; what was seen in
//! evidence, sealed.

use axum::{
    Json,
    extract::{FromRequest as _, Request, State},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use canvass_core::footage::{
    AddedSightings, FootageFound, FootageRules, NewSighting, PutSightings, SealedSightingsView,
    SearchFootage, footage_rules,
};
use canvass_types::{AuditId, ItemId, SightingId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, answer, evidence::Headers, reads::millisecond, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, AtTwo, Input, Purpose},
    problem::Problem,
};

/// Most bytes of a batch of sightings.
const MOST_BATCH: usize = 8 * 1024 * 1024;
/// Most bytes of a body with sealed sightings: 1 MiB in Base64, and some.
const MOST_SEALED: usize = 1_500_000;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(rules))
        .routes(routes!(add))
        .routes(routes!(search))
        .routes(routes!(picture))
        .routes(routes!(index))
        .routes(routes!(put, show))
}

/// Lists what footage may not be searched for, in English and Spanish; it needs no member. The public role has the
/// same as `/footage/rules.json`.
#[utoipa::path(get, path = "/footage/rules", tag = "footage", responses((status = 200, body = FootageRules), Refusals))]
pub async fn rules() -> Answer<FootageRules> {
    Ok(Json(footage_rules()?))
}

/// Sightings of one camera.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddSightings {
    /// At most 500.
    #[schema(max_items = 500)]
    pub sightings: Vec<NewSighting>,
}

/// The same, row by row, so that one bad row spoils no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    sightings: Vec<Value>,
}

/// Takes sightings of people and vehicles of the camera that the token acts for. It answers once they are durable; sent again,
/// a sighting is stored once.
#[utoipa::path(post, path = "/sightings", tag = "footage", request_body = AddSightings,
    responses((status = 200, body = AddedSightings), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    request: Request,
) -> Answer<AddedSightings> {
    let feed = desk.app.sighting_feed(&actor).await?;
    let _under_way = desk.sightings_pace.begin(feed.camera(), millisecond(&desk))?;
    let Input(Loose { sightings }) =
        Input::<Loose, MOST_BATCH>::from_request(request, &()).await.map_err(quiet)?;
    desk.sightings_pace.take(feed.camera(), sightings.len(), millisecond(&desk))?;
    answer(|| desk.app.add_sightings(&feed, &sightings)).await
}

/// The parser's own words may quote what was sent: they are not told.
fn quiet(problem: Problem) -> Problem {
    if problem.kind() != "body" {
        return problem;
    }
    Problem::new(problem.status(), "body", "The body has another form")
        .detail("it is no JSON with a member `sightings`, a list")
        .remedy("see /api/v1/openapi.json for the form, mend it and send it again")
}

/// Searches what cameras saw, by description or for vehicles like one that was found, and names the sealed sightings of the items
/// of the purpose's case. Each owner of a camera gets an entry in the oversight ledger before anything is looked at; the words
/// stand in it as a commitment alone. A description that speaks of people takes a second person's approval: ask for it at
/// `/plates/approvals` with `kind` `footage`, and run it there.
#[utoipa::path(post, path = "/footage/searches", tag = "footage", params(Headers), request_body = SearchFootage,
    responses((status = 200, body = FootageFound), Refusals))]
pub async fn search(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<SearchFootage>,
) -> Answer<FootageFound> {
    let granted = retried(|| desk.app.search_footage(&actor, &purpose, &wish)).await;
    // An entry is durable, of the search or of its refusal.
    desk.changed.notify_one();
    Ok(Json(desk.app.footage_found(granted?).await?))
}

/// For eyes that may see it and nobody's cache.
fn unkept(kind: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ]
}

/// Shows the picture of a sighting that a search of yours found within the last quarter of an hour: `entry` is the answer's
/// `search`.
#[utoipa::path(get, path = "/footage/pictures/{entry}/{sighting}", tag = "footage",
    params(("entry" = AuditId, Path), ("sighting" = SightingId, Path)),
    responses((status = 200, content_type = "image/jpeg", description = "The picture: a JPEG"), Refusals))]
pub async fn picture(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(entry, sighting): AtTwo<AuditId, SightingId>,
) -> Result<Response, Problem> {
    let picture = desk.app.sighting_picture(&actor, &entry, &sighting).await?;
    Ok((unkept(picture.kind.media_type()), picture.bytes).into_response())
}

/// Gives out the sealed sightings of an item that a search of yours named within the last quarter of an hour: `entry` is the
/// answer's `search`.
#[utoipa::path(get, path = "/footage/indexes/{entry}/{item}", tag = "footage",
    params(("entry" = AuditId, Path), ("item" = ItemId, Path)),
    responses((status = 200, content_type = "application/octet-stream", description = "The sealed bytes, an age file",
        headers(("Canvass-Sha256" = String, description = "SHA-256 of the whole"))), Refusals))]
pub async fn index(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(entry, item): AtTwo<AuditId, ItemId>,
) -> Result<Response, Problem> {
    let found = desk.app.sealed_index(&actor, &entry, &item).await?;
    let mut response = (unkept("application/octet-stream"), found.bytes).into_response();
    if let Ok(value) = HeaderValue::from_str(&found.sha256.to_string()) {
        response.headers_mut().insert("canvass-sha256", value);
    }
    Ok(response)
}

/// Stores what was seen in an item, sealed on your device to whom the item is sealed, in place of an earlier look. The server
/// can't open it.
#[utoipa::path(put, path = "/items/{item}/sightings", tag = "footage", params(("item" = ItemId, Path)),
    request_body = PutSightings, responses((status = 200, body = SealedSightingsView), Refusals))]
pub async fn put(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
    Input(wish): Input<PutSightings, MOST_SEALED>,
) -> Answer<SealedSightingsView> {
    let stored = answer(|| desk.app.put_sightings(&actor, &item, &wish)).await;
    desk.changed.notify_one();
    stored
}

/// Tells who looked through an item, when and with which model; not what was seen.
#[utoipa::path(get, path = "/items/{item}/sightings", tag = "footage", params(("item" = ItemId, Path)),
    responses((status = 200, body = SealedSightingsView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
) -> Answer<SealedSightingsView> {
    answer(|| desk.app.sightings_of(&actor, &item)).await
}
