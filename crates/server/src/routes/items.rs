//! Items: pieces of evidence in a case, each sealed by itself.

use axum::{extract::State, http::HeaderMap, response::Response};
use canvass_core::{
    CoreError,
    cases::{ItemDetail, ItemFilter, ItemView, NewCopy},
    custody::CustodyView,
    inbox::{Annotate, Assignee, WorkFilter},
    records::AlterationKind,
};
use canvass_types::{CaseId, Digest, ItemId, OfferId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, evidence, listed, retried, triage::adopted};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input, Purpose, Seek},
    problem::Problem,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(of_case))
        .routes(routes!(show))
        .routes(routes!(content))
        .routes(routes!(custody))
        .routes(routes!(copy))
        .routes(routes!(annotate))
}

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of this case.
    case: Option<CaseId>,
    /// From this offer.
    offer: Option<OfferId>,
    /// Altered copies of this item.
    copy_of: Option<ItemId>,
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

/// Which items of one case.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// Altered copies of this item.
    copy_of: Option<ItemId>,
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

/// Lists your agency's items, newest first.
#[utoipa::path(get, path = "/items", tag = "items", params(Which),
    responses((status = 200, body = List<ItemView>), Refusals))]
pub async fn list(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(which): Seek<Which>,
) -> Answer<List<ItemView>> {
    let Which { case, offer, copy_of, assignee, tag, noted, reminder_due, after, limit } = which;
    let work = WorkFilter { assignee, tag, noted, reminder_due };
    listed(desk.app.items(&actor, &ItemFilter { case, offer, copy_of, work, after, limit }).await)
}

/// Lists a case's items, newest first.
#[utoipa::path(get, path = "/cases/{case}/items", tag = "items", params(("case" = CaseId, Path), Part),
    responses((status = 200, body = List<ItemView>), Refusals))]
pub async fn of_case(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(case): At<CaseId>,
    Seek(part): Seek<Part>,
) -> Answer<List<ItemView>> {
    let Part { copy_of, assignee, tag, noted, reminder_due, after, limit } = part;
    let work = WorkFilter { assignee, tag, noted, reminder_due };
    let filter = ItemFilter { case: Some(case), offer: None, copy_of, work, after, limit };
    listed(desk.app.items(&actor, &filter).await)
}

/// Shows an item with its holds, its altered copies, and what it was made from.
#[utoipa::path(get, path = "/items/{item}", tag = "items", params(("item" = ItemId, Path)),
    responses((status = 200, body = ItemDetail), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
) -> Answer<ItemDetail> {
    answer(|| desk.app.item_detail(&actor, &item)).await
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

/// An altered copy of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// The finished upload at `/api/v1/uploads` that holds the bag with the copy alone, sealed to the recipient of the
    /// original, with the same consent: the last part of the address that the upload was given.
    pub upload: String,
    /// Why it was made.
    pub kind: AlterationKind,
    /// What was altered, and why, 3 to 500 characters.
    pub note: String,
    /// Program and version that made it, 1 to 100 characters.
    pub tool: String,
    /// File name in the bag; another one than the original's.
    pub name: String,
    /// SHA-256 of the copy.
    pub sha256: Digest,
    /// Length of the copy.
    pub bytes: u64,
}

/// Adds an altered copy of an item to its case, as an item of its own; the original stays as it is.
#[utoipa::path(post, path = "/items/{item}/copies", tag = "items", params(("item" = ItemId, Path)),
    request_body = Copy, responses((status = 201, body = ItemView), Refusals))]
pub async fn copy(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(item): At<ItemId>,
    Input(wish): Input<Copy>,
) -> Made<ItemView> {
    // Who may not see the item learns nothing of uploads either.
    desk.app.item(&actor, &item).await?;
    let Copy { upload, kind, note, tool, name, sha256, bytes } = wish;
    if let Err(error) = canvass_seal::names::check_name(1, &name) {
        let said = error.to_string();
        return Err(CoreError::field("name", "name", &said, "give the copy a plain file name").into());
    }
    adopted(&desk, &actor, &upload, |sealed| async {
        let copy = NewCopy { sealed, kind, note, tool, name, sha256, bytes };
        retried(|| desk.app.copy_item(&actor, &item, &copy)).await
    })
    .await
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
