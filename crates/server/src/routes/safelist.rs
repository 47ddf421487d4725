//! The safelist: residents' own plates, whose reads are marked or never stored.

use axum::{extract::State, http::StatusCode};
use canvass_core::safelist::{
    NewSafePlates, RemoveSafePlate, SafePlatesAdded, SafelistEntryView, SafelistView, SetSafelist,
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Done, List, Made, Refusals, answer, listed, made, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{Input, Seek},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(show, set)).routes(routes!(entries, add)).routes(routes!(remove))
}

/// Which part.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Part {
    /// From behind this place on.
    after: Option<u64>,
    /// At most so many, 1 to 200.
    limit: Option<u32>,
}

/// Shows the safelist of your agency, in numbers.
#[utoipa::path(get, path = "/safelist", tag = "safelist", responses((status = 200, body = SafelistView), Refusals))]
pub async fn show(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<SafelistView> {
    answer(|| desk.app.safelist(&actor)).await
}

/// Chooses what becomes of reads of plates on the safelist and on no hotlist: `off`, `tag` or `drop`.
#[utoipa::path(put, path = "/safelist", tag = "safelist", request_body = SetSafelist,
    responses((status = 200, body = SafelistView), Refusals))]
pub async fn set(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<SetSafelist>,
) -> Answer<SafelistView> {
    let set = answer(|| desk.app.set_safelist(&actor, wish.clone())).await;
    desk.changed.notify_one();
    set
}

/// Lists the entries of the safelist, newest first. Nobody can tell a plate from one.
#[utoipa::path(get, path = "/safelist/plates", tag = "safelist", params(Part),
    responses((status = 200, body = List<SafelistEntryView>), Refusals))]
pub async fn entries(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Seek(Part { after, limit }): Seek<Part>,
) -> Answer<List<SafelistEntryView>> {
    listed(desk.app.safelist_entries(&actor, (after, limit)).await)
}

/// Enters plates on the safelist, or renews them: all or none. You saw the registration of each vehicle.
#[utoipa::path(post, path = "/safelist/plates", tag = "safelist", request_body = NewSafePlates,
    responses((status = 201, body = SafePlatesAdded), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewSafePlates>,
) -> Made<SafePlatesAdded> {
    let added = made(|| desk.app.add_safe_plates(&actor, wish.clone())).await;
    desk.changed.notify_one();
    added
}

/// Takes a plate off the safelist.
#[utoipa::path(post, path = "/safelist/plates/remove", tag = "safelist", request_body = RemoveSafePlate,
    responses((status = 204), Refusals))]
pub async fn remove(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<RemoveSafePlate>,
) -> Done {
    retried(|| desk.app.remove_safe_plate(&actor, wish.clone())).await?;
    desk.changed.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
