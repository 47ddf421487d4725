//! Records of misuse detection.

use canvass_misuse::{Rule, Why};
use canvass_types::{AgencyId, AuditId, FindingId, MemberId, Time, leaf::Pseudonym};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text;
use crate::ports::{Kind, Record};

/// Where a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    /// Nobody has answered for it.
    Open,
    /// There was a good reason for the acts.
    Explained,
    /// It was misuse; what follows is the agency's matter.
    Confirmed,
}

impl FindingState {
    /// The state as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Explained => "explained",
            Self::Confirmed => "confirmed",
        }
    }
}

impl std::str::FromStr for FindingState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Open, Self::Explained, Self::Confirmed].into_iter().find(|it| it.as_str() == text);
        known.ok_or_else(|| "not a state: write open, explained or confirmed".into())
    }
}

/// Who answered for a finding, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Handling {
    /// Who.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// What they say, 10 to 500 characters.
    pub answer: String,
}

/// A pattern in a member's acts that somebody must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Its id, made of the pattern: looking again finds the same.
    pub id: FindingId,
    /// The member's agency.
    pub agency: AgencyId,
    /// Which pattern.
    pub rule: Rule,
    /// Whose acts they are.
    pub member: MemberId,
    /// Records of the acts, oldest first.
    pub audits: Vec<AuditId>,
    /// How strong the pattern is, 50 (at the limit) to 99.
    pub score: u8,
    /// Why it was raised.
    pub why: Why,
    /// When the first of the acts was.
    pub first: Time,
    /// When the last was.
    pub last: Time,
    /// When it was raised.
    pub raised: Time,
    /// Where it stands.
    pub state: FindingState,
    /// Who answered for it; none while it is open.
    pub handled: Option<Handling>,
}
record!(
    Finding,
    Finding,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.member),
        text(it.state.as_str()),
        text(format!("{}/{}", it.rule.as_str(), it.state.as_str())),
        text(it.handled.as_ref().map_or(it.raised, |handled| handled.at)),
    ]
);

/// A vehicle that is registered to a member. Its plate is not kept, only the pseudonym under the agency's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnVehicle {
    /// Stands for the plate.
    pub plate: Pseudonym,
    /// When it was registered.
    pub added: Time,
    /// By whom.
    pub by: MemberId,
}

/// The vehicles of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnVehicles {
    /// Whose.
    pub member: MemberId,
    /// Their agency.
    pub agency: AgencyId,
    /// The vehicles, oldest first.
    pub vehicles: Vec<OwnVehicle>,
}
record!(OwnVehicles, OwnVehicles, |it| it.member.to_string(), [text(&it.agency)]);
