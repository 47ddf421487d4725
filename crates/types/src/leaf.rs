//! What stands in the two ledgers. Entries are canonical JSON; a ledger can't forget, so no name, plate or place of a
//! person is in any of them: agencies, random ids, digests, times.

use serde::{Deserialize, Serialize};

use crate::{
    AgencyClass, AgencyId, AgencyState, Digest, PortalId, PublicKey, RequestId, SignatureText, Time,
};

/// Which of the two ledgers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Log {
    /// What the public is asked, by whom, with which keys, under which policy.
    Requests,
    /// What was done with what people gave.
    Oversight,
}

impl Log {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Requests, Self::Oversight];

    /// The ledger as it is written, also its folder under `/ledger/`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Oversight => "oversight",
        }
    }
}

impl std::str::FromStr for Log {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "requests" => Ok(Self::Requests),
            "oversight" => Ok(Self::Oversight),
            _ => Err("not a ledger: write `requests` or `oversight`".into()),
        }
    }
}

/// An entry of the requests ledger.
#[expect(
    clippy::large_enum_variant,
    reason = "entries are written one at a time; a box would only hide their form"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum RequestsLeaf {
    /// The limits and retentions in force changed; the body is `/policy.json`.
    #[serde(rename = "policy.set")]
    PolicySet {
        /// SHA-256 of the policy's canonical JSON.
        digest: Digest,
        /// When.
        at: Time,
    },
    /// An agency came, or its standing changed.
    #[serde(rename = "agency.state")]
    AgencyState {
        /// Which.
        agency: AgencyId,
        /// Its class.
        class: AgencyClass,
        /// Where it stands now.
        state: AgencyState,
        /// SHA-256 of the canonical JSON of id, name, class, subdivision and jurisdiction.
        digest: Digest,
        /// When.
        at: Time,
    },
    /// A signing key counts from now on.
    #[serde(rename = "agency.key.added")]
    AgencyKeyAdded {
        /// Whose.
        agency: AgencyId,
        /// Its short name.
        key: String,
        /// The key.
        public: PublicKey,
        /// Which earlier key vouched for it; none for the first.
        endorsed_by: Option<String>,
        /// That key's signature.
        endorsement: Option<SignatureText>,
        /// When.
        at: Time,
    },
    /// A signing key signs nothing new from now on.
    #[serde(rename = "agency.key.revoked")]
    AgencyKeyRevoked {
        /// Whose.
        agency: AgencyId,
        /// Its short name.
        key: String,
        /// When.
        at: Time,
    },
    /// A moderator decided.
    #[serde(rename = "request.decided")]
    RequestDecided {
        /// Which request.
        request: RequestId,
        /// Who asked.
        agency: AgencyId,
        /// Approved or not.
        approved: bool,
        /// SHA-256 of the canonical JSON of the decision.
        digest: Digest,
        /// When.
        at: Time,
    },
    /// A request is public.
    #[serde(rename = "request.published")]
    RequestPublished {
        /// Which.
        request: RequestId,
        /// Who asks.
        agency: AgencyId,
        /// SHA-256 of the canonical JSON of the signed body.
        digest: Digest,
        /// Which key signed it.
        key: String,
        /// When.
        at: Time,
        /// Until when offers are taken.
        closes: Time,
    },
    /// A published request ended: resolved, expired or withheld.
    #[serde(rename = "request.state")]
    RequestState {
        /// Which.
        request: RequestId,
        /// Whose.
        agency: AgencyId,
        /// Its new state.
        state: crate::RequestState,
        /// SHA-256 of the legal basis, for a withheld one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<Digest>,
        /// When.
        at: Time,
    },
    /// A standing portal opened or closed.
    #[serde(rename = "portal.state")]
    PortalState {
        /// Which.
        portal: PortalId,
        /// Whose.
        agency: AgencyId,
        /// `open` or `closed`.
        state: String,
        /// SHA-256 of the canonical JSON of the signed body.
        digest: Digest,
        /// Which key signed it.
        key: String,
        /// When.
        at: Time,
    },
}

/// An entry of the oversight ledger: that something was done, by which agency, roughly when, and a salted commitment
/// to the full record, which stays outside and may be opened to an auditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OversightLeaf {
    /// What was done: the action's name (`offer.open`, `erasure.done`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose evidence it was done to, or who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
    /// Random id of what it was done to.
    pub subject: String,
    /// The hour, `2026-11-24T06Z`.
    pub hour: String,
    /// SHA-256 over a salt and the canonical JSON of the full record (`canvass/commitment/v1`).
    pub commitment: Digest,
}

/// The salted commitment that an [`OversightLeaf`] holds: SHA-256 of `canvass/commitment/v1`, a line end, the 32 bytes
/// of salt, and the canonical JSON of the record.
pub fn commitment(salt: &[u8; 32], canonical: &[u8]) -> Digest {
    let mut bytes = b"canvass/commitment/v1\n".to_vec();
    bytes.extend_from_slice(salt);
    bytes.extend_from_slice(canonical);
    Digest::of(&bytes)
}
