//! Agencies, the people who work with Canvass, and what they may do.

use serde::{Deserialize, Serialize};

use crate::{AgencyId, Area, MemberId, PublicKey, SignatureText, Time};

/// What kind of body an agency is. Rules speak of classes, never of single agencies.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AgencyClass {
    /// Of a city or town.
    Municipal,
    /// Of a county: a sheriff, for example.
    County,
    /// Of a state.
    State,
    /// Of a nation.
    Federal,
    /// Of a school or university.
    Campus,
    /// Of a tribal nation.
    Tribal,
    /// Any other.
    Other,
}

impl AgencyClass {
    /// The class as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Municipal => "municipal",
            Self::County => "county",
            Self::State => "state",
            Self::Federal => "federal",
            Self::Campus => "campus",
            Self::Tribal => "tribal",
            Self::Other => "other",
        }
    }
}

/// What a member is trusted with.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs this Canvass; belongs to no agency.
    Operator,
    /// Decides on requests; belongs to no agency.
    Moderator,
    /// Watches over all of it; belongs to no agency.
    Overseer,
    /// Publishes requests and works cases.
    Investigator,
    /// An investigator who also closes cases and destroys keys.
    Supervisor,
    /// Keeps the evidence: holds, exports, retention.
    Custodian,
    /// Looks after the agency's members and keys.
    Administrator,
}

impl Role {
    /// All of them, in the order of the columns of `policies/roles.txt`.
    pub const ALL: [Self; 7] = [
        Self::Operator,
        Self::Moderator,
        Self::Overseer,
        Self::Investigator,
        Self::Supervisor,
        Self::Custodian,
        Self::Administrator,
    ];

    /// The role as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Moderator => "moderator",
            Self::Overseer => "overseer",
            Self::Investigator => "investigator",
            Self::Supervisor => "supervisor",
            Self::Custodian => "custodian",
            Self::Administrator => "administrator",
        }
    }

    /// Whether such a member belongs to an agency.
    pub fn of_agency(self) -> bool {
        !matches!(self, Self::Operator | Self::Moderator | Self::Overseer)
    }
}

/// One Ed25519 key with which an agency signs its requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AgencyKey {
    /// Short name: the first 16 hexadecimal digits of the key's SHA-256.
    pub id: String,
    /// The public key.
    pub public: PublicKey,
    /// Since when it counts.
    pub added: Time,
    /// From when on it no longer signs anything new.
    pub revoked: Option<Time>,
    /// The key that vouched for it; none for the first, which the operator verified.
    pub endorsed_by: Option<String>,
    /// That key's signature over `canvass/agency-key/v1` and [`KeyEndorsement`].
    pub endorsement: Option<SignatureText>,
}

/// What an agency's present key signs to bring in its next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyEndorsement {
    /// Whose key it is.
    pub agency: AgencyId,
    /// The new public key.
    pub public: PublicKey,
}

impl KeyEndorsement {
    /// The signing context.
    pub const CONTEXT: &'static str = "canvass/agency-key/v1";
}

/// Where an agency stands with the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AgencyState {
    /// Registered; it can't ask for anything yet.
    Registered,
    /// The operator has checked who it is.
    Verified,
    /// The operator has stopped it.
    Suspended,
}

/// What everyone may know of an agency; published at `/agencies/<id>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PublicAgency {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
    /// ISO 3166-2 code of its state, for example `US-NH`.
    pub subdivision: String,
    /// Where it may ask.
    pub jurisdiction: Area,
    /// Where it stands.
    pub state: AgencyState,
    /// All keys it ever had.
    pub keys: Vec<AgencyKey>,
}

/// A member, as colleagues see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MemberView {
    /// Their id.
    pub id: MemberId,
    /// Their agency, when they have one.
    pub agency: Option<AgencyId>,
    /// Their name.
    pub name: String,
    /// What they are trusted with.
    pub roles: Vec<Role>,
    /// Their age recipient (`age1…`), to which request keys are wrapped.
    pub recipient: Option<String>,
    /// Whether they may act.
    pub active: bool,
}
