//! Wrapped keys of requests and portals; the server can't open them.

use axum::extract::State;
use canvass_core::keys::{KeyView, WrappedKey};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Refusals, answer, listed};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

/// Most bytes of a wrapped key's body.
const MOST: usize = 96 * 1024;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(put, show, destroy)).routes(routes!(rewrap))
}

/// Lists the agency's keys, without their wrapped form.
#[utoipa::path(get, path = "/keys", tag = "keys", responses((status = 200, body = List<KeyView>), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<List<KeyView>> {
    listed(desk.app.keys(&actor).await)
}

/// Stores the wrapped key of a draft, or of a portal that is to be opened.
#[utoipa::path(put, path = "/keys/{destination}", tag = "keys",
    params(("destination" = String, Path, description = "Id of the request or portal")), request_body = WrappedKey,
    responses((status = 200, body = KeyView), Refusals))]
pub async fn put(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(destination): At<String>,
    Input(new): Input<WrappedKey, MOST>,
) -> Answer<KeyView> {
    answer(|| desk.app.put_key(&actor, &destination, new.clone())).await
}

/// Gives out a wrapped key. Only a member's own identity opens it.
#[utoipa::path(get, path = "/keys/{destination}", tag = "keys",
    params(("destination" = String, Path, description = "Id of the request or portal")),
    responses((status = 200, body = KeyView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(destination): At<String>,
) -> Answer<KeyView> {
    answer(|| desk.app.read_key(&actor, &destination)).await
}

/// Replaces the wrapped form after the group changed.
#[utoipa::path(post, path = "/keys/{destination}/rewrap", tag = "keys",
    params(("destination" = String, Path, description = "Id of the request or portal")), request_body = WrappedKey,
    responses((status = 200, body = KeyView), Refusals))]
pub async fn rewrap(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(destination): At<String>,
    Input(new): Input<WrappedKey, MOST>,
) -> Answer<KeyView> {
    answer(|| desk.app.rewrap_key(&actor, &destination, new.clone())).await
}

/// Destroys a wrapped key: what was sealed to it can never be opened again.
#[utoipa::path(delete, path = "/keys/{destination}", tag = "keys",
    params(("destination" = String, Path, description = "Id of the request or portal")),
    responses((status = 200, body = KeyView), Refusals))]
pub async fn destroy(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(destination): At<String>,
) -> Answer<KeyView> {
    answer(|| desk.app.destroy_key(&actor, &destination)).await
}
