//! Safelists: residents' own plates, kept as keyed hashes.

use canvass_types::{AgencyId, Digest, MemberId, SafelistId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// What becomes of a read whose plate is on the safelist and on no hotlist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SafelistMode {
    /// It is stored as any other.
    #[default]
    Off,
    /// It is stored, and marked.
    Tag,
    /// It is not stored.
    Drop,
}

/// A plate on an agency's safelist. The plate itself is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafelistEntry {
    /// Its id.
    pub id: SafelistId,
    /// Whose list.
    pub agency: AgencyId,
    /// The plate, hashed with the agency's key.
    pub plate: Digest,
    /// Who saw the vehicle's registration, at first or at the last renewal.
    pub by: MemberId,
    /// When it was entered.
    pub made: Time,
    /// When it was renewed last.
    pub renewed: Option<Time>,
    /// The first moment at which it counts no more.
    pub ends: Time,
}
record!(
    SafelistEntry,
    SafelistEntry,
    |it| it.id.to_string(),
    [text(&it.agency), text(it.plate), text(it.ends)]
);
