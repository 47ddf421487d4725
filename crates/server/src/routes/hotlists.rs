//! Hotlists: what is on them comes in whole files, and takes two people.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use canvass_core::hotlists::{
    BadRows, HotlistDiff, HotlistEntries, HotlistView, ImportForm, ImportHow, Imported, NewHotlist,
    ProposedHotlist, read_rows,
};
use canvass_types::{HotlistId, HotlistVersionId, MemberId, Time};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, evidence::Headers, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, AtTwo, Input, Purpose, Seek, body},
    problem::Problem,
    refusal,
};

/// Largest import, bytes.
const MOST_IMPORT: usize = 128 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(add, list))
        .routes(routes!(show))
        .routes(routes!(retire))
        .routes(routes!(import))
        .routes(routes!(diff))
        .routes(routes!(entries))
}

/// How rows are taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// `whole` (when left out): it is the whole list; `add`: it is added to the list.
    #[serde(default)]
    #[param(inline)]
    how: ImportHow,
    /// What becomes of the good rows when others are bad: `refuse` (when left out) or `keep`.
    #[serde(default)]
    #[param(inline)]
    bad: BadRows,
    /// Why, in words, 10 to 500 characters.
    #[serde(default)]
    reason: String,
}

/// Which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// From behind this place on.
    after: Option<u64>,
}

/// Makes a hotlist of your agency; nothing is on it yet. What it is for stands in the purpose.
#[utoipa::path(post, path = "/hotlists", tag = "hotlists", params(Headers), request_body = NewHotlist,
    responses((status = 201, body = HotlistView), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Purpose(purpose): Purpose,
    Input(wish): Input<NewHotlist>,
) -> Made<HotlistView> {
    let added = made(|| desk.app.add_hotlist(&actor, &purpose, wish.clone())).await;
    desk.changed.notify_one();
    added
}

/// Lists the hotlists of your agency, oldest first.
#[utoipa::path(get, path = "/hotlists", tag = "hotlists", responses((status = 200, body = List<HotlistView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
) -> Answer<List<HotlistView>> {
    listed(desk.app.hotlists(&actor).await)
}

/// Shows a hotlist.
#[utoipa::path(get, path = "/hotlists/{hotlist}", tag = "hotlists", params(("hotlist" = HotlistId, Path)),
    responses((status = 200, body = HotlistView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(hotlist): At<HotlistId>,
) -> Answer<HotlistView> {
    answer(|| desk.app.hotlist(&actor, &hotlist)).await
}

/// Retires a hotlist: it alerts no more.
#[utoipa::path(post, path = "/hotlists/{hotlist}/retire", tag = "hotlists", params(("hotlist" = HotlistId, Path)),
    responses((status = 200, body = HotlistView), Refusals))]
pub async fn retire(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(hotlist): At<HotlistId>,
) -> Answer<HotlistView> {
    answer(|| desk.app.retire_hotlist(&actor, &hotlist)).await
}

/// Imports CSV or JSON into a hotlist, as a proposal that a second person of the agency approves. Each bad row is named.
#[utoipa::path(post, path = "/hotlists/{hotlist}/versions", tag = "hotlists", params(("hotlist" = HotlistId, Path), How),
    request_body(content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))),
    responses((status = 201, body = ProposedHotlist), Refusals))]
pub async fn import(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(hotlist): At<HotlistId>,
    Seek(How { how, bad, reason }): Seek<How>,
    request: Request,
) -> Made<ProposedHotlist> {
    let importing = desk.app.begin_import(&actor, &hotlist).await?;
    let form = form_of(request.headers())?;
    let bytes = body(request.into_body(), MOST_IMPORT).await?;
    let now = Time::new(desk.clock.now());
    let imported = rows(form, bytes, actor.member.clone(), now).await?;
    let proposed = desk.app.propose_hotlist(&actor, &importing, imported, (how, bad), &reason).await?;
    desk.changed.notify_one();
    Ok((StatusCode::CREATED, Json(proposed)))
}

/// A million rows take a while: they are read on a thread that may block.
async fn rows(form: ImportForm, bytes: Bytes, by: MemberId, now: Time) -> Result<Imported, Problem> {
    match tokio::task::spawn_blocking(move || read_rows(form, &bytes, &by, now)).await {
        Ok(read) => Ok(read?),
        Err(_) => Err(refusal::broken("reading what was imported was stopped")),
    }
}

fn form_of(headers: &HeaderMap) -> Result<ImportForm, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if kind.eq_ignore_ascii_case(b"text/csv") {
        return Ok(ImportForm::Csv);
    }
    if kind.eq_ignore_ascii_case(b"application/json") {
        return Ok(ImportForm::Json);
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "CSV or JSON is expected")
        .field("Content-Type")
        .detail("the body is declared as neither text/csv nor application/json")
        .remedy("send `Content-Type: text/csv` or `application/json`"))
}

/// Shows how a version differs from the one that was in force when it was proposed.
#[utoipa::path(get, path = "/hotlists/{hotlist}/versions/{version}", tag = "hotlists",
    params(("hotlist" = HotlistId, Path), ("version" = HotlistVersionId, Path)),
    responses((status = 200, body = HotlistDiff), Refusals))]
pub async fn diff(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(hotlist, version): AtTwo<HotlistId, HotlistVersionId>,
) -> Answer<HotlistDiff> {
    answer(|| desk.app.hotlist_diff(&actor, &hotlist, &version)).await
}

/// Shows what is on a hotlist now, part by part.
#[utoipa::path(get, path = "/hotlists/{hotlist}/entries", tag = "hotlists", params(("hotlist" = HotlistId, Path), Part),
    responses((status = 200, body = HotlistEntries), Refusals))]
pub async fn entries(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(hotlist): At<HotlistId>,
    Seek(Part { after }): Seek<Part>,
) -> Answer<HotlistEntries> {
    answer(|| desk.app.hotlist_entries(&actor, &hotlist, after)).await
}
