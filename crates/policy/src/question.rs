//! What is asked of the policies: who wants to do what, to whose data, and the facts that bear on it.

use std::fmt;

use canvass_types::{AgencyClass, AgencyState, Role};
use serde::{Deserialize, Serialize};

use crate::{profile::DEFAULT, sharing::SharingFacts};

/// An agency, as the policies see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id; equal ids are one agency.
    pub id: String,
    /// Its class.
    pub class: AgencyClass,
    /// ISO 3166-2 code of its state, for example `US-NH`.
    pub subdivision: String,
    /// The profile of law that it works under.
    pub profile: String,
    /// Where it stands with the operator.
    pub standing: AgencyState,
}

impl Party {
    /// A verified agency.
    pub fn new(
        id: impl Into<String>,
        class: AgencyClass,
        subdivision: impl Into<String>,
        profile: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            class,
            subdivision: subdivision.into(),
            profile: profile.into(),
            standing: AgencyState::Verified,
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The member's id.
    pub id: String,
    /// The roles that they act in.
    pub roles: Vec<Role>,
    /// Their agency; operators, moderators and overseers have none.
    pub agency: Option<Party>,
}

/// How something is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A whole plate.
    Plate,
    /// A part of a plate.
    Partial,
    /// A kind of vehicle.
    Vehicle,
    /// A vehicle that looks like a given one.
    LookAlike,
    /// A person's clothes and things.
    Description,
    /// A face: always refused.
    Face,
    /// A person's name: always refused.
    Name,
    /// A protected characteristic: always refused.
    Protected,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Plate,
        Self::Partial,
        Self::Vehicle,
        Self::LookAlike,
        Self::Description,
        Self::Face,
        Self::Name,
        Self::Protected,
    ];

    /// The word in a policy's `context.method`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plate => "plate",
            Self::Partial => "partial",
            Self::Vehicle => "vehicle",
            Self::LookAlike => "look-alike",
            Self::Description => "description",
            Self::Face => "face",
            Self::Name => "name",
            Self::Protected => "protected",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The facts of a question. The caller vouches for each; the default claims nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// A purpose of `purposes.toml`, or `none`.
    pub purpose: String,
    /// An offence class of `purposes.toml`, or `none`.
    pub offence: String,
    /// Whether it is for an open case that the member works on.
    pub case_open: bool,
    /// Whether a warrant or court order is named, with its number.
    pub warrant: bool,
    /// Other people who approved exactly this.
    pub approvals: u32,
    /// Whether somebody else proposed what the member now approves.
    pub others_proposal: bool,
    /// Cameras in scope.
    pub cameras: u32,
    /// How far back the scope reaches, begun days.
    pub days: u32,
    /// Agencies in scope.
    pub agencies: u32,
    /// How it is searched.
    pub method: Method,
    /// Whether only reads that met a hotlist are in scope.
    pub hits_only: bool,
    /// Whether a person compared plate and picture.
    pub compared: bool,
    /// Whether a person confirmed by other means that the plate is still on its list.
    pub listed: bool,
    /// Whether the agency that asks has signed the owner's declaration of lawful use.
    pub declared: bool,
    /// What a hotlist stands on: `judicial`, `administrative` or `agency`; `none` where there is no list.
    pub basis: String,
    /// Whether the agency has nobody of its own to do it yet, or break-glass is open for it.
    pub break_glass: bool,
    /// The moment, seconds since 1970.
    pub now: i64,
    /// The owner's sharing rule that covers the target, as it bears on the agency that asks.
    pub sharing: Option<SharingFacts>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            purpose: "none".into(),
            offence: "none".into(),
            case_open: false,
            warrant: false,
            approvals: 0,
            others_proposal: false,
            cameras: 0,
            days: 0,
            agencies: 0,
            method: Method::Plate,
            hits_only: false,
            compared: false,
            listed: false,
            declared: false,
            basis: "none".into(),
            break_glass: false,
            now: 0,
            sharing: None,
        }
    }
}

/// May this member do this, to what belongs to this owner? A search over several agencies' cameras is one question for
/// each owner, with the whole scope in each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Who acts.
    pub subject: Subject,
    /// The action, as in the tables of roles: `plate.search`.
    pub action: String,
    /// Whose the target is; none for what belongs to no agency.
    pub owner: Option<Party>,
    /// What bears on it.
    pub facts: Facts,
}

impl Question {
    /// The profile of law that decides: the owner's; without an owner, that of the member's agency.
    pub fn profile(&self) -> &str {
        let party = self.owner.as_ref().or(self.subject.agency.as_ref());
        party.map_or(DEFAULT, |party| party.profile.as_str())
    }

    pub(crate) fn is_foreign(&self) -> bool {
        let own = self.subject.agency.as_ref().map(|party| &party.id);
        self.owner.as_ref().is_some_and(|owner| own != Some(&owner.id))
    }
}
