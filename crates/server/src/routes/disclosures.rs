//! Disclosures of records to auditors.

use axum::{Json, extract::State, http::StatusCode};
use canvass_core::disclosure::NewDisclosure;
use canvass_package::{DisclosureFile, MADE_WITH};
use canvass_types::{canonical, leaf::Log};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Made, Refusals, export::prove, retried};
use crate::{auth::Authenticated, desk::Desk, extract::Input, keysfile};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(disclose))
}

/// Opens chosen fields of chosen records to somebody, with proofs that they stand in the oversight ledger.
#[utoipa::path(post, path = "/disclosures", tag = "governance", request_body = NewDisclosure,
    responses((status = 201, body = DisclosureFile), Refusals))]
pub async fn disclose(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    Input(wish): Input<NewDisclosure>,
) -> Made<DisclosureFile> {
    let disclosure = retried(|| desk.app.disclose(&actor, &wish)).await?;
    let texts = disclosure.records.iter().filter_map(|record| canonical(&record.leaf).ok());
    let mut leaves: Vec<String> = texts.filter_map(|bytes| String::from_utf8(bytes).ok()).collect();
    leaves.sort_unstable();
    leaves.dedup();
    let mut proofs = Vec::new();
    prove(&desk, Log::Oversight, &leaves, &mut proofs).await?;
    let (keys, made_with) = (keysfile::of(&desk), MADE_WITH.to_owned());
    Ok((StatusCode::CREATED, Json(DisclosureFile { v: 1, made_with, disclosure, proofs, keys })))
}
