//! The agency desk's API: each route takes the request apart, makes one call into the domain, and answers a view.
//!
//! A route is declared together with its documentation, so that none can exist without it.

pub mod agencies;
pub mod alerts;
pub mod approvals;
pub mod asked;
pub mod breakglass;
pub mod cameras;
pub mod cases;
pub mod disclosures;
pub mod evidence;
pub mod export;
pub mod federated;
pub mod findings;
pub mod footage;
pub mod governance;
pub mod holds;
pub mod hotlists;
pub mod items;
pub mod keys;
pub mod makers;
pub mod members;
pub mod offers;
pub mod open;
pub mod plates;
pub mod portals;
pub mod proposals;
pub mod push;
pub mod reads;
pub mod requests;
pub mod safelist;
pub mod sharing;
pub mod signin;
pub mod texts;
pub mod triage;
pub mod webhooks;

use std::collections::BTreeMap;

use axum::{Json, http::StatusCode};
use canvass_core::{CoreError, cases::Page, ports::StoreError};
use canvass_types::FieldProblem;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Content, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
        ResponseBuilder,
        response::Response,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{desk::Desk, problem::Problem};

/// Where the API stands.
pub const PREFIX: &str = "/api/v1";

/// An answer with a view.
pub type Answer<T> = Result<Json<T>, Problem>;
/// An answer with something new.
pub type Made<T> = Result<(StatusCode, Json<T>), Problem>;
/// An answer without content.
pub type Done = Result<StatusCode, Problem>;

/// Times that an operation is decided anew when somebody else was first.
const TRIES: usize = 5;

/// Does an operation, and once more when a record that it rests on changed meanwhile: then nothing was stored, and it
/// decides anew on what is there now. (The publisher's marks change records, too.)
async fn retried<T, F>(operation: impl Fn() -> F) -> Result<T, CoreError>
where
    F: Future<Output = Result<T, CoreError>>,
{
    for _ in 1..TRIES {
        match operation().await {
            Err(CoreError::Store(StoreError::Conflict { .. })) => tokio::task::yield_now().await,
            other => return other,
        }
    }
    operation().await
}

async fn answer<T, F>(operation: impl Fn() -> F) -> Answer<T>
where
    F: Future<Output = Result<T, CoreError>>,
{
    Ok(Json(retried(operation).await?))
}

async fn made<T, F>(operation: impl Fn() -> F) -> Made<T>
where
    F: Future<Output = Result<T, CoreError>>,
{
    Ok((StatusCode::CREATED, Json(retried(operation).await?)))
}

/// A list, or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Give this as `after` for the following part; null at the end.
    pub next: Option<u64>,
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T> From<Page<T>> for List<T> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.entries, next: page.next }
    }
}

fn listed<T, L: Into<List<T>>>(result: Result<L, CoreError>) -> Answer<List<T>> {
    Ok(Json(result?.into()))
}

/// A refusal (RFC 9457), as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:canvass:problem:state",
    "title": "It is not in a state in which this can be done",
    "status": 409,
    "detail": "the request is published, not draft",
    "remedy": "a signed request can't change; draft another one"
}))]
pub struct ProblemDocument {
    /// `urn:canvass:problem:` and a word that programs may compare.
    pub r#type: String,
    /// The kind in words, always the same.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The header, parameter or member at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// All that is wrong with the fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FieldProblem>,
}

/// What any route may answer instead.
pub(crate) struct Refusals;

fn problem_content() -> Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument"))).build()
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("400", "The request can't be understood."),
            ("401", "No token or session, or none that counts; or the session is locked."),
            ("403", "None of the sign-in's roles may do this, or a session must be confirmed by its passkey first."),
            ("404", "There is nothing under this id, or not for this member."),
            (
                "409",
                "It is not in a state in which this can be done, or somebody changed it at the same time.",
            ),
            ("413", "The body is too large."),
            ("415", "The body is not JSON."),
            ("422", "Some fields can't be accepted, or the purpose is missing."),
            ("429", "Too many tries or failures to sign in, or more reads of a camera than are taken."),
            ("500", "Something is wrong on this side."),
            ("503", "Too busy, or the store does not answer."),
            ("507", "The disk for plate reads is full."),
        ]
        .into_iter()
        .map(|(status, words)| {
            let response = ResponseBuilder::new()
                .description(words)
                .content("application/problem+json", problem_content())
                .build();
            (status.to_owned(), RefOr::T(response))
        })
        .collect()
    }
}

/// All routes that need a member, without the prefix.
fn members_routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new()
        .merge(members::routes())
        .merge(signin::routes())
        .merge(federated::routes())
        .merge(agencies::routes())
        .merge(requests::routes())
        .merge(keys::routes())
        .merge(portals::routes())
        .merge(offers::routes())
        .merge(triage::routes())
        .merge(cases::routes())
        .merge(breakglass::routes())
        .merge(disclosures::routes())
        .merge(export::routes())
        .merge(items::routes())
        .merge(holds::routes())
        .merge(asked::routes())
        .merge(governance::routes())
        .merge(proposals::routes())
        .merge(sharing::routes())
        .merge(findings::routes())
        .merge(texts::routes())
        .merge(cameras::routes())
        .merge(reads::routes())
        .merge(makers::routes())
        .merge(plates::routes())
        .merge(footage::routes())
        .merge(approvals::routes())
        .merge(hotlists::routes())
        .merge(alerts::routes())
        .merge(webhooks::routes())
        .merge(push::routes())
        .merge(safelist::routes())
}

/// The whole API with its documentation.
pub fn api() -> OpenApiRouter<Desk> {
    OpenApiRouter::with_openapi(frame()).merge(open::routes()).nest(PREFIX, members_routes())
}

fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Canvass agency desk")
        .version("1")
        .description(Some(
            "What members of agencies, moderators, overseers and operators do. Every refusal is problem+json (RFC 9457) \
             and says what to do next. Uploads of sealed clips follow tus 1.0 at /api/v1/uploads. Reading evidence needs \
             the header Canvass-Purpose, and leaves a mark in the oversight ledger before the first byte.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// The API's description (OpenAPI 3.1), as `/api/v1/openapi.json` and `docs/ref/openapi.json` hold it.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut api = api().split_for_parts().1;
    let components = api.components.get_or_insert_default();
    components.schemas.insert("ProblemDocument".into(), <ProblemDocument as utoipa::PartialSchema>::schema());
    components.schemas.insert("FieldProblem".into(), <FieldProblem as utoipa::PartialSchema>::schema());
    // Named by query parameters alone, which bring no schema along.
    components.schemas.insert("CaseState".into(), <cases::CaseState as utoipa::PartialSchema>::schema());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token `cvt_…`; administrators and operators issue them."))
        .build();
    components.security_schemes.insert("bearer".into(), RefOr::T(SecurityScheme::Http(bearer)));
    let password = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "A camera's token as the password, under any name: for readers that know an address alone.",
        ))
        .build();
    components.security_schemes.insert("password".into(), RefOr::T(SecurityScheme::Http(password)));
    let session = ApiKeyValue::with_description(
        "__Host-canvass",
        "A session that a passkey or a federated account opened; it takes the header Canvass-Desk as well. Without TLS, on this machine, the cookie \
         is `canvass`.",
    );
    components
        .security_schemes
        .insert("session".into(), RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(session))));
    api.security =
        Some(["bearer", "session"].map(|name| SecurityRequirement::new(name, Vec::<String>::new())).to_vec());
    for (path, item) in &mut api.paths.paths {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for (method, operation) in ["GET", "PUT", "POST", "DELETE", "PATCH"].iter().zip(operations) {
            let Some(operation) = operation else { continue };
            // Each module has its `list` and `show`; the document's names must be unique (OpenAPI 3.1, section 4.8.10).
            if let (Some(name), Some(tag)) = (&operation.operation_id, operation.tags.iter().flatten().next())
            {
                operation.operation_id = Some(format!("{tag}_{name}"));
            }
            if open::PATHS.contains(&path.as_str()) {
                operation.security = Some(Vec::new());
            }
            if makers::PATHS.contains(&path.as_str()) {
                let either =
                    ["bearer", "password"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
                operation.security = Some(either.to_vec());
            }
            let example = examples().remove(&format!("{method} {path}"));
            if let (Some(RefOr::T(body)), Some(example)) = (&mut operation.request_body, example)
                && let Some(RefOr::T(content)) = body.content.get_mut("application/json")
            {
                content.example = Some(example);
            }
        }
    }
    api
}

/// An example body for each route that takes one, by method and path.
pub(crate) fn examples() -> BTreeMap<String, serde_json::Value> {
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
}
