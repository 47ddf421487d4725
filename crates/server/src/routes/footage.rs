//! Search of footage by description, and what may not be searched for.

use axum::Json;
use canvass_core::footage::{FootageRules, footage_rules};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Refusals};
use crate::desk::Desk;

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(rules))
}

/// Lists what footage may not be searched for, in English and Spanish; it needs no member, and the public role answers it too.
#[utoipa::path(get, path = "/footage/rules", tag = "footage", responses((status = 200, body = FootageRules), Refusals))]
pub async fn rules() -> Answer<FootageRules> {
    Ok(Json(footage_rules()?))
}
