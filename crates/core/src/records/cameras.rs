//! Cameras and plate readers of agencies.

use canvass_types::{AgencyId, CameraId, Position, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// What a camera is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CameraUse {
    /// It reads number plates.
    Plates,
    /// It films, and reads no plates.
    Footage,
    /// It reads number plates, and what it films can be searched by description.
    PlatesAndFootage,
}

impl CameraUse {
    /// Whether its reads of plates are taken and searched.
    #[must_use]
    pub fn reads_plates(self) -> bool {
        matches!(self, Self::Plates | Self::PlatesAndFootage)
    }

    /// Whether its sightings of people and vehicles are taken and searched.
    #[must_use]
    pub fn films(self) -> bool {
        matches!(self, Self::Footage | Self::PlatesAndFootage)
    }

    /// The use as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plates => "plates",
            Self::Footage => "footage",
            Self::PlatesAndFootage => "plates-and-footage",
        }
    }
}

/// A camera or plate reader of an agency. One that is retired stays on record: what it read names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Its id.
    pub id: CameraId,
    /// Whose it is.
    pub agency: AgencyId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub of: CameraUse,
    /// Where it stands.
    pub position: Position,
    /// Which way it looks or which lane it reads, in words.
    pub direction: Option<String>,
    /// When it was registered.
    pub added: Time,
    /// When it was retired.
    pub retired: Option<Time>,
}
record!(
    Camera,
    Camera,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.retired.is_some() { "retired" } else { "active" })]
);
