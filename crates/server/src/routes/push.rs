//! Members' browsers that are told that alerts wait.

use axum::{Json, extract::State, http::StatusCode};
use canvass_core::alerts::push::{NewPush, PushView};
use canvass_notices::Notices;
use canvass_types::PushId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Done, Made, Refusals, made, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(list, subscribe)).routes(routes!(stop))
}

/// Your browsers that are told, and what another subscribes with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MyPushes {
    /// The key that a browser subscribes with (VAPID, RFC 8292); none while web push is off here.
    pub key: Option<String>,
    /// Your browsers.
    pub browsers: Vec<PushView>,
}

/// Lists your browsers that are told when an alert waits.
#[utoipa::path(get, path = "/me/push", tag = "push", responses((status = 200, body = MyPushes), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<MyPushes> {
    let browsers = desk.app.my_pushes(&actor).await?;
    Ok(Json(MyPushes { key: desk.notices.as_ref().and_then(Notices::push_key), browsers }))
}

/// Has this browser told when an alert waits, or renews that: its push subscription (W3C Push API).
#[utoipa::path(post, path = "/me/push", tag = "push", request_body = NewPush,
    responses((status = 201, body = PushView), Refusals))]
pub async fn subscribe(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewPush>,
) -> Made<PushView> {
    let admits = |endpoint: &str| desk.notices.as_ref().is_some_and(|notices| notices.admits(endpoint));
    made(|| desk.app.subscribe_push(&actor, wish.clone(), admits)).await
}

/// Has a browser of yours told no more.
#[utoipa::path(delete, path = "/me/push/{push}", tag = "push", params(("push" = PushId, Path)),
    responses((status = 204), Refusals))]
pub async fn stop(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(push): At<PushId>,
) -> Done {
    retried(|| desk.app.stop_push(&actor, &push)).await?;
    Ok(StatusCode::NO_CONTENT)
}
