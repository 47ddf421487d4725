//! What cameras saw, and what was seen in evidence.

use canvass_footage::Sighting;
use canvass_types::{AgencyId, CameraId, CaseId, Digest, ItemId, MemberId, SightingId, Time};
use serde::{Deserialize, Serialize};

use super::text;
use crate::ports::{Kind, Record};

/// A person or vehicle that a camera saw, from when it came to when it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraSighting {
    /// Its id, which follows from the camera and the id that the source gave it.
    pub id: SightingId,
    /// Which camera.
    pub camera: CameraId,
    /// The profile of law that says how long it is kept.
    pub law: String,
    /// When it was last seen, by the camera's clock.
    pub seen: Time,
    /// When it came.
    pub received: Time,
    /// What was seen; its moments are seconds since 1970.
    pub sighting: Sighting,
    /// Name of the model that saw it.
    pub model: String,
    /// Version of that model.
    pub version: String,
    /// Whether it has a picture.
    pub pictured: bool,
}
record!(
    CameraSighting,
    CameraSighting,
    |it| it.id.to_string(),
    [text(&it.camera), text(&it.law), text(it.seen)]
);

/// The small cut of a picture that came with a sighting. It goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingPicture {
    /// Of which sighting.
    pub sighting: SightingId,
    /// Of which camera.
    pub camera: CameraId,
    /// A JPEG, Base64.
    pub jpeg: String,
}
record!(SightingPicture, SightingPicture, |it| it.sighting.to_string(), [text(&it.camera)]);

/// What was seen in an item of a case, sealed on an agency's device to whom the item is sealed. It goes with the item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSightings {
    /// Of which item.
    pub item: ItemId,
    /// Whose.
    pub agency: AgencyId,
    /// In which case.
    pub case: CaseId,
    /// Name of the model that looked.
    pub model: String,
    /// Version of that model.
    pub version: String,
    /// The sealed bytes, Base64.
    pub sealed: String,
    /// How many.
    pub bytes: u64,
    /// SHA-256 of the sealed bytes.
    pub sha256: Digest,
    /// Who made it.
    pub by: MemberId,
    /// When.
    pub at: Time,
}
record!(SealedSightings, SealedSightings, |it| it.item.to_string(), [text(&it.agency), text(&it.case)]);
