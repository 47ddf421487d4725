//! Members' uploads at `/api/v1/uploads` (tus 1.0): clips sealed anew, before they are accepted into a case.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, http::StatusCode, middleware::from_fn_with_state};
use canvass_core::access::Actor;

use crate::{
    auth,
    desk::Desk,
    problem::Problem,
    public::{
        MAX_CLIP_BYTES,
        tus::{self, Admission, Announced, TusConfig},
    },
};

/// Under which note an upload keeps whose it is.
pub(crate) const AGENCY: &str = "agency";
/// Bytes of the largest sealed clip: a clip, and room for the seal around it.
const MOST: u64 = MAX_CLIP_BYTES / 1000 * 1001 + 16 * 1024 * 1024;

struct Members;

impl Admission for Members {
    fn admit(&self, announced: &Announced<'_>) -> Result<BTreeMap<String, String>, Problem> {
        let actor = announced.extensions.get::<Actor>();
        let agency = actor.and_then(|actor| actor.agency.clone()).ok_or_else(|| {
            Problem::new(StatusCode::FORBIDDEN, "role", "Only members of agencies upload evidence")
                .detail("the token belongs to no agency")
                .remedy("sign in as a member of the agency")
        })?;
        if let Some(key) = announced.metadata.keys().find(|key| key.as_str() != "filename") {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "bad-metadata",
                "The upload's metadata is not known",
            )
            .field(format!("Upload-Metadata {key}"))
            .detail("the key is not known")
            .remedy("send no metadata"));
        }
        if announced.length == 0 || announced.length > MOST {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "clip-too-large",
                "The clip is empty or too large",
            )
            .field("Upload-Length")
            .detail(format!("the limit is {MOST} bytes"))
            .remedy("seal one clip at a time"));
        }
        Ok(BTreeMap::from([(AGENCY.to_owned(), agency.to_string())]))
    }
}

/// The routes, behind the sign-in.
pub(crate) fn router(desk: &Desk) -> Router {
    let prefix = format!("{}/uploads", crate::routes::PREFIX);
    let config =
        TusConfig::new(desk.agency_spool.clone(), prefix, MOST, Arc::new(Members), Arc::clone(&desk.clock));
    tus::router(config).layer(from_fn_with_state(desk.clone(), auth::members_only))
}
