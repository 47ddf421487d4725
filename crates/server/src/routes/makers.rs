//! Plate reads as readers of other makers send them. They are put into the form of `POST /reads` and stored as those are;
//! 200 says that what is counted as stored is durable.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use canvass_adapters::{
    Fault,
    openalpr::{self, Take},
    plate_recognizer,
};
use canvass_core::CoreError;
use multer::{Constraints, Multipart, SizeLimit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Answer, Refusals,
    reads::{AddedReads, millisecond, translated},
};
use crate::{
    auth::Machine,
    desk::Desk,
    extract::{Seek, body},
    problem::Problem,
};

/// Most bytes of a maker's JSON: OpenALPR puts pictures into it.
const MOST_JSON: usize = 4 * 1024 * 1024;
/// Most bytes of a form: pictures and a video go along, which are dropped as they come.
const MOST_FORM: u64 = 32 * 1024 * 1024;
/// Most parts of a form.
const MOST_PARTS: usize = 16;
/// The part of a form that is read.
const PART: &str = "json";

/// Their paths: here a camera's token may also come as a password.
pub(super) const PATHS: [&str; 2] = ["/api/v1/reads/openalpr", "/api/v1/reads/plate-recognizer"];

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(add_openalpr)).routes(routes!(add_plate_recognizer))
}

/// Which of the agent's two kinds of results are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One read for each vehicle, some seconds after it passed.
    #[default]
    Groups,
    /// One read for each frame, at once.
    Results,
}

/// What is taken of an OpenALPR agent.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfAgent {
    /// `groups` (when left out): one read for each vehicle; `results`: one for each frame.
    #[serde(default)]
    #[param(inline)]
    take: Kind,
    /// The agent's `camera_id` of this camera; what it sends of others is refused.
    camera: Option<String>,
}

/// What is taken of a webhook of Plate Recognizer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfWebhook {
    /// The maker's `camera_id` of this camera; what is sent of others is refused.
    camera: Option<String>,
}

/// A form of Plate Recognizer. Other parts, as pictures, are dropped unread.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookForm {
    /// What it read, as JSON.
    pub json: String,
}

/// Takes what an agent of OpenALPR (Rekor Scout) posts, of the camera that the token acts for. Groups and single results are
/// read, all else that the agent posts is left aside. What can't be taken is named in the answer, so that the agent goes
/// on.
#[utoipa::path(post, path = "/reads/openalpr", tag = "reads", params(OfAgent),
    request_body(content((Value = "application/json"))),
    responses((status = 200, body = AddedReads), Refusals))]
pub async fn add_openalpr(
    State(desk): State<Desk>,
    Machine(actor): Machine,
    Seek(OfAgent { take, camera }): Seek<OfAgent>,
    request: Request,
) -> Answer<AddedReads> {
    let feed = desk.app.feed(&actor).await?;
    let _under_way = desk.reads_pace.begin(feed.camera(), millisecond(&desk))?;
    let payload = body(request.into_body(), MOST_JSON).await?;
    let take = match take {
        Kind::Groups => Take::Groups,
        Kind::Results => Take::Results,
    };
    let rows = openalpr::reads(&payload, take, camera.as_deref()).map_err(not_of_maker)?;
    translated(&desk, feed, rows).await
}

/// Takes what a webhook of Plate Recognizer (Stream or Snapshot) sends, of the camera that the token acts for: JSON, or a
/// form with a part `json`. What can't be taken is named in the answer, so that the sender goes on.
#[utoipa::path(post, path = "/reads/plate-recognizer", tag = "reads", params(OfWebhook),
    request_body(content(
        (Value = "application/json"), (WebhookForm = "multipart/form-data"),
        (WebhookForm = "application/x-www-form-urlencoded"))),
    responses((status = 200, body = AddedReads), Refusals))]
pub async fn add_plate_recognizer(
    State(desk): State<Desk>,
    Machine(actor): Machine,
    Seek(OfWebhook { camera }): Seek<OfWebhook>,
    request: Request,
) -> Answer<AddedReads> {
    let feed = desk.app.feed(&actor).await?;
    let _under_way = desk.reads_pace.begin(feed.camera(), millisecond(&desk))?;
    let (parts, content) = request.into_parts();
    let payload = payload(&parts.headers, content).await?;
    let rows = plate_recognizer::reads(&payload, camera.as_deref()).map_err(not_of_maker)?;
    translated(&desk, feed, rows).await
}

fn not_of_maker(fault: Fault) -> Problem {
    CoreError::field(&fault.field, fault.rule, &fault.what, fault.remedy).into()
}

/// The JSON, from whichever form it comes in.
async fn payload(headers: &HeaderMap, content: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Ok(boundary) = multer::parse_boundary(kind) {
        return part(content, boundary).await;
    }
    let whole = body(content, MOST_JSON).await?;
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(whole);
    }
    let field = url::form_urlencoded::parse(&whole).find(|(name, _)| name == PART);
    field.map(|(_, value)| Bytes::from(value.into_owned())).ok_or_else(no_part)
}

/// The part `json` of a form. The others are read past, so that the sender is heard out, and kept nowhere.
async fn part(content: Body, boundary: String) -> Result<Bytes, Problem> {
    let limits = SizeLimit::new().whole_stream(MOST_FORM).for_field(PART, MOST_JSON as u64);
    let constraints = Constraints::new().size_limit(limits);
    let mut form = Multipart::with_constraints(content.into_data_stream(), boundary, constraints);
    let mut found = None;
    let mut parts = 0;
    while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
        parts += 1;
        if parts > MOST_PARTS {
            return Err(too_large(format!("the form has more than {MOST_PARTS} parts")));
        }
        if field.name() == Some(PART) && found.is_none() {
            found = Some(field.bytes().await.map_err(|error| broken(&error))?);
        }
    }
    found.ok_or_else(no_part)
}

fn no_part() -> Problem {
    CoreError::field(PART, "missing", "the form has no part `json`", "send the form as Plate Recognizer does")
        .into()
}

fn too_large(detail: String) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
        .detail(detail)
        .remedy("leave pictures and videos out of the webhook: they are not kept")
}

fn broken(error: &multer::Error) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { limit, .. } | multer::Error::StreamSizeExceeded { limit } => {
            too_large(format!("the limit is {limit} bytes"))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "body-broken", "The body ended early")
            .detail("the connection broke, or the form is malformed")
            .remedy("send it again: what is stored already is not stored twice"),
    }
}
