//! Items: pieces of evidence in a case, each sealed by itself.

use axum::{extract::State, http::HeaderMap, response::Response};
use canvass_core::{cases::ItemView, custody::CustodyView, inbox::Annotate};
use canvass_types::ItemId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals, answer, evidence, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Purpose},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(content))
        .routes(routes!(custody))
        .routes(routes!(annotate))
}

/// Shows an item.
#[utoipa::path(get, path = "/items/{item}", tag = "items", params(("item" = ItemId, Path)),
    responses((status = 200, body = ItemView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
) -> Answer<ItemView> {
    answer(|| desk.app.item(&actor, &item)).await
}

/// Gives out an item's sealed bytes, once its reading stands in the record.
#[utoipa::path(get, path = "/items/{item}/content", tag = "items", params(("item" = ItemId, Path), evidence::Headers),
    responses(
        (status = 200, content_type = "application/octet-stream", description = "The sealed bytes",
            headers(("Canvass-Sha256" = String, description = "SHA-256 of the whole"))),
        (status = 206, content_type = "application/octet-stream", description = "The range asked for"),
        (status = 416, body = super::ProblemDocument, content_type = "application/problem+json", description = "The range is not inside"),
        Refusals))]
pub async fn content(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
    Purpose(purpose): Purpose,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let grant = retried(|| desk.app.read_item(&actor, &item, &purpose)).await?;
    evidence::send(&desk, &grant, &headers).await
}

/// Shows an item's chain of custody.
#[utoipa::path(get, path = "/items/{item}/custody", tag = "items", params(("item" = ItemId, Path)),
    responses((status = 200, body = CustodyView), Refusals))]
pub async fn custody(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
) -> Answer<CustodyView> {
    answer(|| desk.app.custody(&actor, item.as_str())).await
}

/// Changes notes, tags, assignment and reminder.
#[utoipa::path(post, path = "/items/{item}/annotations", tag = "items", params(("item" = ItemId, Path)),
    request_body = Annotate, responses((status = 200, body = ItemView), Refusals))]
pub async fn annotate(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
    Input(change): Input<Annotate>,
) -> Answer<ItemView> {
    answer(|| desk.app.annotate_item(&actor, &item, &change)).await
}
