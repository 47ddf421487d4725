//! Cameras and plate readers.

use axum::extract::State;
use canvass_core::cameras::{CameraView, ChangeCamera, NewCamera};
use canvass_types::CameraId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, List, Made, Refusals, answer, listed, made};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{At, Input},
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(add, list)).routes(routes!(show, change)).routes(routes!(retire))
}

/// Registers a camera of your agency.
#[utoipa::path(post, path = "/cameras", tag = "cameras", request_body = NewCamera,
    responses((status = 201, body = CameraView), Refusals))]
pub async fn add(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewCamera>,
) -> Made<CameraView> {
    made(|| desk.app.add_camera(&actor, wish.clone())).await
}

/// Lists the cameras of your agency, then those that others share with it; for overseers all.
#[utoipa::path(get, path = "/cameras", tag = "cameras", responses((status = 200, body = List<CameraView>), Refusals))]
pub async fn list(State(desk): State<Desk>, Authenticated(actor): Authenticated) -> Answer<List<CameraView>> {
    listed(desk.app.cameras(&actor).await)
}

/// Shows a camera.
#[utoipa::path(get, path = "/cameras/{camera}", tag = "cameras", params(("camera" = CameraId, Path)),
    responses((status = 200, body = CameraView), Refusals))]
pub async fn show(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(camera): At<CameraId>,
) -> Answer<CameraView> {
    answer(|| desk.app.camera(&actor, &camera)).await
}

/// Changes what is known of a camera; what is left out stays.
#[utoipa::path(patch, path = "/cameras/{camera}", tag = "cameras", params(("camera" = CameraId, Path)),
    request_body = ChangeCamera, responses((status = 200, body = CameraView), Refusals))]
pub async fn change(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(camera): At<CameraId>,
    Input(wish): Input<ChangeCamera>,
) -> Answer<CameraView> {
    answer(|| desk.app.change_camera(&actor, &camera, wish.clone())).await
}

/// Retires a camera: nothing is taken from it any more.
#[utoipa::path(post, path = "/cameras/{camera}/retire", tag = "cameras", params(("camera" = CameraId, Path)),
    responses((status = 200, body = CameraView), Refusals))]
pub async fn retire(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    At(camera): At<CameraId>,
) -> Answer<CameraView> {
    answer(|| desk.app.retire_camera(&actor, &camera)).await
}
