//! Hotlists, their versions, and what becomes of a read that met one.

use canvass_plates::{Confidence, MatchLabel, PlateText, ReadId, Region};
use canvass_types::{
    AgencyId, AlertId, CameraId, Digest, HotlistId, HotlistVersionId, MemberId, ProposalId, Purpose, Time,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// What a hotlist stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LegalBasis {
    /// A judge ordered it: warrants, court orders.
    Judicial,
    /// An authority made it without a judge.
    Administrative,
    /// The agency itself made it.
    Agency,
}

impl LegalBasis {
    /// The basis as the policies have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Judicial => "judicial",
            Self::Administrative => "administrative",
            Self::Agency => "agency",
        }
    }
}

/// The version of a hotlist that alerts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InForce {
    /// Which.
    pub version: HotlistVersionId,
    /// How many entries it has.
    pub entries: u32,
    /// Since when.
    pub since: Time,
}

/// Plates that alert, with where they come from and on which legal basis. What it holds is in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hotlist {
    /// Its id.
    pub id: HotlistId,
    /// Whose it is; only this agency is alerted.
    pub agency: AgencyId,
    /// What the agency calls it.
    pub name: String,
    /// Where its plates come from, in words that the public reads.
    pub source: String,
    /// What it stands on.
    pub basis: LegalBasis,
    /// What it is for, and why.
    pub purpose: Purpose,
    /// Who made it.
    pub by: MemberId,
    /// When.
    pub made: Time,
    /// The version that alerts now; none before the first is approved.
    pub in_force: Option<InForce>,
    /// When it was retired.
    pub retired: Option<Time>,
}
record!(
    Hotlist,
    Hotlist,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.retired.is_some() { "retired" } else { "active" })]
);

/// Where a version of a hotlist stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// It waits for a second person.
    Proposed,
    /// It alerts.
    InForce,
    /// It was replaced, retired, refused or withdrawn, and its entries are there for a moment yet.
    Over,
    /// Its entries are gone.
    Forgotten,
}

impl VersionState {
    /// The state as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::InForce => "in-force",
            Self::Over => "over",
            Self::Forgotten => "forgotten",
        }
    }
}

/// One version of a hotlist: what was imported, and how it differs from the version that was in force then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotlistVersion {
    /// Its id.
    pub id: HotlistVersionId,
    /// Of which list.
    pub list: HotlistId,
    /// Whose list.
    pub agency: AgencyId,
    /// The version in force when it was proposed.
    pub base: Option<HotlistVersionId>,
    /// The proposal by which a second person decides on it.
    pub proposal: ProposalId,
    /// How many parts its entries are kept in.
    pub parts: u32,
    /// How many entries.
    pub entries: u32,
    /// Entries that the base has not.
    pub added: u32,
    /// Entries that only the base has.
    pub removed: u32,
    /// Entries of both that differ.
    pub changed: u32,
    /// SHA-256 of what its entries say.
    pub digest: Digest,
    /// Who imported it.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Where it stands.
    pub state: VersionState,
    /// When it ceased to be proposed or in force.
    pub ended: Option<Time>,
}
record!(HotlistVersion, HotlistVersion, |it| it.id.to_string(), [text(&it.list), text(it.state.as_str())]);

/// A plate on a hotlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistEntry {
    /// The plate.
    pub plate: PlateText,
    /// Who issued it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Why it is on the list, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first moment at which it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Who entered it.
    pub by: MemberId,
    /// When it was entered, or changed last.
    pub since: Time,
}

/// A part of a version's entries: they are more than one record holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotlistPart {
    /// Of which version.
    pub version: HotlistVersionId,
    /// Its number, from 0.
    pub number: u32,
    /// When it was written.
    pub made: Time,
    /// Its entries, in the order of plates.
    pub entries: Vec<HotlistEntry>,
}

impl HotlistPart {
    /// The key of a part.
    #[must_use]
    pub fn key_of(version: &HotlistVersionId, number: u32) -> String {
        format!("{version}/{number:04}")
    }
}
record!(HotlistPart, HotlistPart, |it| Self::key_of(&it.version, it.number), [text(&it.version)]);

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// Nobody compared plate and picture yet: it is no cause for anything.
    Unconfirmed,
    /// A person saw this very plate, and it is on the list.
    Confirmed,
    /// A person saw another plate.
    Misread,
    /// The list was out of date.
    Stale,
}

impl AlertState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unconfirmed, Self::Confirmed, Self::Misread, Self::Stale];

    /// The state as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Confirmed => "confirmed",
            Self::Misread => "misread",
            Self::Stale => "stale",
        }
    }
}

/// A read that met a hotlist, as the alert keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertRead {
    /// The read.
    pub id: ReadId,
    /// When, by the camera's clock.
    pub seen: Time,
    /// When it came.
    pub received: Time,
    /// What was read.
    pub plate: PlateText,
    /// Who issued the plate, as the reader says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// How sure the reader was, in percent.
    pub confidence: Confidence,
    /// How near it is to the entry.
    pub label: MatchLabel,
    /// Whether a picture came with it.
    #[serde(default)]
    pub picture: bool,
}

/// Who compared plate and picture, and what they saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// The member.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// The plate that they typed from the picture.
    pub typed: PlateText,
    /// Whether they confirmed by other means that the plate is still on its list.
    pub listed: bool,
    /// What became of it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// That a camera read a plate of a hotlist; repeated reads within minutes are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Which list.
    pub list: HotlistId,
    /// Which version of it.
    pub version: HotlistVersionId,
    /// Whose list: who is alerted.
    pub agency: AgencyId,
    /// Which camera.
    pub camera: CameraId,
    /// Whose camera.
    pub owner: AgencyId,
    /// What the list stands on.
    pub basis: LegalBasis,
    /// The entry as it was.
    pub entry: HotlistEntry,
    /// The newest reads.
    pub reads: Vec<AlertRead>,
    /// How many there were in all.
    pub count: u32,
    /// When the first was seen.
    pub first: Time,
    /// When the last was seen.
    pub last: Time,
    /// When it was raised.
    pub raised: Time,
    /// Where it stands.
    pub state: AlertState,
    /// Who compared plate and picture.
    pub compared: Option<Compared>,
    /// By what repeated reads find it: a digest of list, entry and camera.
    pub same: Digest,
    /// When it is forgotten: with the last of its reads.
    pub ends: Time,
}

impl Alert {
    /// The value by which alerts are counted: list, camera and state.
    #[must_use]
    pub fn tally(&self) -> String {
        format!("{}|{}|{}", self.list, self.camera, self.state.as_str())
    }
}
record!(
    Alert,
    Alert,
    |it| it.id.to_string(),
    [text(&it.agency), text(it.state.as_str()), text(it.same), text(it.ends), text(it.tally())]
);
