//! Records of what two people decide: proposals, rules of sharing between agencies, and notices of them to overseers.

use std::collections::{BTreeMap, BTreeSet};

use canvass_policy::SharingScope;
use canvass_types::{
    AgencyId, CaseId, Digest, HotlistId, HotlistVersionId, MemberId, NoticeId, Policy, ProposalId, SharingId,
    Time,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{flag, text};
use crate::ports::{Kind, Record};

/// What a proposal would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProposalKind {
    /// Limits and retentions.
    Limits,
    /// The rules of who may do what.
    Rules,
    /// That the agency shares cameras or a case.
    SharingOffer,
    /// That the agency accepts what another shares.
    SharingAcceptance,
    /// What is on a hotlist.
    Hotlist,
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProposalState {
    /// It waits for a second person.
    Open,
    /// A second person approved it, and it is in force.
    Approved,
    /// A second person refused it.
    Refused,
    /// Whoever proposed it took it back.
    Withdrawn,
    /// Nobody decided within 14 days.
    Expired,
}

impl ProposalState {
    /// The state as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// A file of the rules before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedFile {
    /// Its text before; none when it is new.
    pub before: Option<String>,
    /// Its text after; none when it goes.
    pub after: Option<String>,
}

/// What a proposal would change, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProposalBody {
    /// Limits and retentions.
    Limits {
        /// Those in force when it was proposed.
        before: Box<Policy>,
        /// Those proposed.
        after: Box<Policy>,
    },
    /// The rules of who may do what.
    Rules {
        /// Digest of the set in force when it was proposed.
        base: Digest,
        /// The files that change, by path below `policies/`.
        files: BTreeMap<String, ChangedFile>,
    },
    /// That the agency shares.
    SharingOffer {
        /// The rule as it will be.
        rule: Box<SharingRule>,
    },
    /// That the agency accepts what another shares.
    SharingAcceptance {
        /// Which rule.
        rule: SharingId,
    },
    /// What is on a hotlist.
    Hotlist {
        /// Which list.
        list: HotlistId,
        /// The version that would be in force.
        version: HotlistVersionId,
        /// The version that was in force when it was proposed.
        base: Option<HotlistVersionId>,
    },
}

impl ProposalBody {
    /// Its kind.
    pub fn kind(&self) -> ProposalKind {
        match self {
            Self::Limits { .. } => ProposalKind::Limits,
            Self::Rules { .. } => ProposalKind::Rules,
            Self::SharingOffer { .. } => ProposalKind::SharingOffer,
            Self::SharingAcceptance { .. } => ProposalKind::SharingAcceptance,
            Self::Hotlist { .. } => ProposalKind::Hotlist,
        }
    }
}

/// Who decided on a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    /// The member; none when it expired.
    pub by: Option<MemberId>,
    /// When.
    pub at: Time,
    /// Why, for a refusal.
    pub reason: Option<String>,
}

/// A change that one person proposes and another approves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Whose matter; none for the whole deployment's.
    pub agency: Option<AgencyId>,
    /// What it would change.
    pub body: ProposalBody,
    /// SHA-256 of the canonical JSON of what would be in force.
    pub digest: Digest,
    /// Who proposed it.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Until when it can be approved.
    pub expires: Time,
    /// Why, in words.
    pub reason: String,
    /// Where it stands.
    pub state: ProposalState,
    /// Who decided, and when.
    pub decided: Option<Decided>,
}
record!(
    Proposal,
    Proposal,
    |it| it.id.to_string(),
    [
        it.agency.as_ref().map(ToString::to_string),
        text(it.state.as_str()),
        text(it.decided.as_ref().map_or(it.expires, |decided| decided.at)),
    ]
);

/// What is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Shared {
    /// Cameras of the owner.
    Cameras {
        /// Their ids; none for all that the owner has.
        #[serde(default)]
        ids: Option<BTreeSet<String>>,
    },
    /// One case of the owner: that it is there and what is in it, never its content.
    Case {
        /// Which.
        case: CaseId,
    },
}

/// That an agency accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acceptance {
    /// Which.
    pub agency: AgencyId,
    /// Its second person.
    pub by: MemberId,
    /// When.
    pub at: Time,
}

/// The end of a rule before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// Who ended it.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Why.
    pub reason: String,
}

/// An owner's rule of sharing: what it lets which agencies reach, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharingRule {
    /// Its id.
    pub id: SharingId,
    /// Whose data.
    pub owner: AgencyId,
    /// What is shared.
    pub what: Shared,
    /// With whom: `named`, `state`, `distance`, `compatible` or `all`.
    #[schema(value_type = String)]
    pub scope: SharingScope,
    /// Agencies named. A federal agency is reached only here, however wide the scope.
    pub named: BTreeSet<AgencyId>,
    /// How far the scope `distance` reaches, km.
    pub within_km: u32,
    /// First moment in force.
    pub from: Time,
    /// First moment no longer in force.
    pub until: Time,
    /// When the owner's second person approved it.
    pub offered: Time,
    /// Agencies that accepted.
    pub accepted: Vec<Acceptance>,
    /// Its end before its time.
    pub ended: Option<Ended>,
}

impl SharingRule {
    /// The agency that a case is shared with.
    fn partner(&self) -> Option<&AgencyId> {
        self.named.first().filter(|_| matches!(self.what, Shared::Case { .. }))
    }
}
record!(
    SharingRule,
    SharingRule,
    |it| it.id.to_string(),
    [
        text(&it.owner),
        text(if it.ended.is_some() { "ended" } else { "active" }),
        match &it.what {
            Shared::Case { case } => text(case),
            Shared::Cameras { .. } => None,
        },
        it.partner().map(ToString::to_string),
        text(it.ended.as_ref().map_or(it.until, |ended| ended.at)),
    ]
);

/// A notice to the overseers: that sharing or the policy changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OversightNotice {
    /// Its id.
    pub id: NoticeId,
    /// What happened: the action's name.
    pub what: String,
    /// Whose data; none for the whole deployment's.
    pub agency: Option<AgencyId>,
    /// The other agency, where there is one.
    pub other: Option<AgencyId>,
    /// Id of the rule of sharing or of the proposal.
    pub subject: String,
    /// When.
    pub at: Time,
    /// The overseer who marked it as seen.
    pub seen: Option<MemberId>,
}
record!(OversightNotice, OversightNotice, |it| it.id.to_string(), [flag(it.seen.is_none()), text(it.at)]);
