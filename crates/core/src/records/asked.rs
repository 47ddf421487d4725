//! Records of the private check for a plate's owner.

use canvass_types::{AgencyId, AuditId, CourtSealId, MemberId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// Where a mark stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkState {
    /// It is not public yet.
    Waiting,
    /// A court's order keeps it.
    Sealed,
    /// It goes into the day's public file, and can't be sealed any more.
    Publishing,
    /// It is in the day's public file.
    Public,
}

impl MarkState {
    /// The state as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sealed => "sealed",
            Self::Publishing => "publishing",
            Self::Public => "public",
        }
    }
}

/// What a search left for the owner of a plate that it named. It holds no plate, nor anything that two searches of one
/// plate share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedMark {
    /// Its tag, base64url.
    pub tag: String,
    /// Tag and sealed details, as they will be public.
    pub mark: String,
    /// The record of the search.
    pub search: AuditId,
    /// The day of the search in UTC, `2026-11-24`.
    pub day: String,
    /// Where it stands.
    pub state: MarkState,
}
record!(
    AskedMark,
    AskedMark,
    |it| it.tag.clone(),
    [text(&it.search), text(&it.day), text(it.state.as_str())]
);

/// Where a court's seal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CourtSealState {
    /// A second member has to confirm it; it holds nothing back yet.
    Proposed,
    /// It holds back.
    InForce,
    /// It is over.
    Ended,
}

impl CourtSealState {
    /// The state as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InForce => "in-force",
            Self::Ended => "ended",
        }
    }
}

/// A court's order that keeps one search from the owners of the plates that it named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourtSeal {
    /// Its id.
    pub id: CourtSealId,
    /// The agency that searched.
    pub agency: AgencyId,
    /// The record of the search.
    pub search: AuditId,
    /// Which court.
    pub court: String,
    /// The order's number.
    pub order: String,
    /// Until when it holds.
    pub until: Time,
    /// Who proposed it.
    pub by: MemberId,
    /// When.
    pub proposed: Time,
    /// Who confirmed it.
    pub confirmed_by: Option<MemberId>,
    /// When.
    pub confirmed: Option<Time>,
    /// When it ended, or lapsed unconfirmed.
    pub ended: Option<Time>,
    /// Where it stands.
    pub state: CourtSealState,
}
record!(
    CourtSeal,
    CourtSeal,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.search),
        text(it.state.as_str()),
        it.ended.is_none().then(|| it.until.to_string()),
        it.ended.map(|at| at.to_string()),
    ]
);
