//! Triage: each clip of an opened offer is accepted into a case or declined.

use axum::{extract::State, http::StatusCode};
use canvass_core::{
    CoreError,
    access::Actor,
    cases::ItemView,
    inbox::{AcceptClip, OfferView},
    ports::StoreError,
    records::SealedBlob,
};
use canvass_types::{CaseId, Digest, OfferId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Made, Refusals, answer, retried};
use crate::{
    auth::Authenticated,
    desk::Desk,
    extract::{AtTwo, Input},
    problem::Problem,
    public::spool::{DoneUpload, UploadId},
    refusal,
    uploads::AGENCY,
};

pub(super) fn routes() -> OpenApiRouter<Desk> {
    OpenApiRouter::new().routes(routes!(accept)).routes(routes!(decline)).routes(routes!(undo))
}

/// A clip that is taken into a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// Into which case.
    pub case: CaseId,
    /// The finished upload at `/api/v1/uploads` that holds the bag with this clip alone, sealed: the last part of the
    /// address that the upload was given.
    pub upload: String,
    /// SHA-256 of the original.
    pub sha256: Digest,
    /// Length of the original.
    pub bytes: u64,
}

/// Why a clip is declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Why, in words.
    pub reason: String,
}

/// Takes a clip into a case as an item.
#[utoipa::path(post, path = "/offers/{offer}/clips/{number}/accept", tag = "triage",
    params(("offer" = OfferId, Path), ("number" = u32, Path, description = "The clip, from 1")), request_body = Accept,
    responses((status = 201, body = ItemView), Refusals))]
pub async fn accept(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(offer, number): AtTwo<OfferId, u32>,
    Input(wish): Input<Accept>,
) -> Made<ItemView> {
    // Who may not see the offer learns nothing of uploads either.
    desk.app.offer(&actor, &offer).await?;
    let Accept { case, upload, sha256, bytes } = wish;
    adopted(&desk, &actor, &upload, |sealed| async {
        let clip = AcceptClip { case, sealed, sha256, bytes };
        retried(|| desk.app.accept_clip(&actor, &offer, number, &clip)).await
    })
    .await
}

/// Takes a finished upload's bytes over and makes an item of them; when that is refused, the bytes are cleared away and
/// the upload can be used again.
pub(super) async fn adopted<F>(
    desk: &Desk,
    actor: &Actor,
    upload: &str,
    make: impl FnOnce(SealedBlob) -> F + Send,
) -> Made<ItemView>
where
    F: Future<Output = Result<ItemView, CoreError>> + Send,
{
    let upload = finished(desk, actor, upload).await?;
    // A name of its own for each try: a try that fails can be cleared away without touching another's bytes.
    let id = data_encoding::HEXLOWER.encode(&canvass_types::env::random::<16>(desk.entropy.as_ref()));
    let sealed = desk.blobs.adopt_file(&upload.path, &id).await?;
    let blob = sealed.blob.clone();
    match make(sealed).await {
        Ok(item) => {
            let spool = desk.agency_spool.clone();
            // What stays in the spool is swept later.
            let _ = tokio::task::spawn_blocking(move || spool.take(&upload.id)).await;
            Ok((StatusCode::CREATED, axum::Json(item)))
        }
        Err(error) => {
            // A store that did not answer may have stored it.
            if !matches!(error, CoreError::Store(StoreError::Unavailable(_) | StoreError::Corrupt { .. })) {
                desk.blobs.delete(&blob).await?;
            }
            Err(error.into())
        }
    }
}

async fn finished(desk: &Desk, actor: &Actor, upload: &str) -> Result<DoneUpload, Problem> {
    let id = UploadId::parse(upload).ok_or_else(refusal::unknown_upload)?;
    let spool = desk.agency_spool.clone();
    let done = tokio::task::spawn_blocking(move || spool.done(10_000));
    let done = done.await.map_err(|_| refusal::broken("a disk task was stopped"))??;
    let agency = actor.agency.as_ref().map(ToString::to_string);
    done.into_iter()
        .find(|each| each.id == id && agency.is_some() && each.info.notes.get(AGENCY) == agency.as_ref())
        .ok_or_else(refusal::unknown_upload)
}

/// Declines a clip; it goes with its envelope, and can be taken up again until then.
#[utoipa::path(post, path = "/offers/{offer}/clips/{number}/decline", tag = "triage",
    params(("offer" = OfferId, Path), ("number" = u32, Path, description = "The clip, from 1")), request_body = Decline,
    responses((status = 200, body = OfferView), Refusals))]
pub async fn decline(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(offer, number): AtTwo<OfferId, u32>,
    Input(wish): Input<Decline>,
) -> Answer<OfferView> {
    answer(|| desk.app.decline_clip(&actor, &offer, number, &wish.reason)).await
}

/// Takes a decision to decline back.
#[utoipa::path(post, path = "/offers/{offer}/clips/{number}/undo", tag = "triage",
    params(("offer" = OfferId, Path), ("number" = u32, Path, description = "The clip, from 1")),
    responses((status = 200, body = OfferView), Refusals))]
pub async fn undo(
    State(desk): State<Desk>,
    Authenticated(actor): Authenticated,
    AtTwo(offer, number): AtTwo<OfferId, u32>,
) -> Answer<OfferView> {
    answer(|| desk.app.reconsider_clip(&actor, &offer, number)).await
}
