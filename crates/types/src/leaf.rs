//! What stands in the two ledgers. Entries are canonical JSON; a ledger can't forget, so no name, plate or place of a
//! person is in any of them: agencies, random ids, digests, times.

use serde::{Deserialize, Serialize};

use crate::{
    AgencyClass, AgencyId, AgencyState, Digest, PortalId, PublicKey, RequestId, SignatureText, Time,
    commitment::expand,
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
    /// The rules of who may do what for which purpose changed: the set of policies in force from now on.
    #[serde(rename = "rules.set")]
    RulesSet {
        /// SHA-256 of the canonical JSON of all files of the set, by path.
        digest: Digest,
        /// When.
        at: Time,
    },
    /// The key with which owners of plates check for searches in one quarter of a year: one for all who ask.
    #[serde(rename = "asked.key")]
    AskedKey {
        /// Which quarter, `2026-Q4`.
        epoch: String,
        /// The public half, 32 bytes of base64url: an element of ristretto255.
        public: String,
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
/// to the full record, which stays outside; chosen fields of it may be opened to an auditor ([`crate::commitment`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OversightLeaf {
    /// What was done: the action's name (`offer.open`, `erasure.done`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose evidence it was done to, or who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyId>,
    /// Random id of what it was done to; the [`Pseudonym`] of a member, plate or other thing that would tell who.
    pub subject: String,
    /// Pseudonym of the member who did it; none for a resident or a job of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Pseudonym>,
    /// The member's agency, where it is another than `agency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<AgencyId>,
    /// Class of the purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// For `access.refused`: the action that was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The hour, `2026-11-24T06Z`.
    pub hour: String,
    /// The commitment to the full record ([`crate::commitment::commitment`]).
    pub commitment: Digest,
}

/// Stands for a member or a target without naming it: the same one for the same, under the key of one agency. Without that
/// key nobody can tell whose it is, nor compare two agencies'.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^psn_[a-z2-7]{26}$")]
pub struct Pseudonym(String);

/// What a pseudonym stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Veiled {
    /// A member.
    Member,
    /// What something was done to: a plate.
    Target,
}

impl Pseudonym {
    /// The pseudonym under an agency's key: HKDF-Expand with SHA-256 (RFC 5869 section 2.3) of 128 bits, over
    /// `canvass/pseudonym/v1`, the kind and the text.
    pub fn of(key: &[u8; 32], kind: Veiled, text: &str) -> Self {
        let kind = match kind {
            Veiled::Member => "member",
            Veiled::Target => "target",
        };
        let mut half = [0; 16];
        expand(key, &format!("canvass/pseudonym/v1\n{kind}\n{text}"), &mut half);
        Self(format!("psn_{}", data_encoding::BASE32_NOPAD.encode(&half).to_ascii_lowercase()))
    }

    /// The pseudonym as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pseudonym {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
        match text.strip_prefix("psn_") {
            Some(rest) if rest.len() == 26 && rest.bytes().all(plain) => Ok(Self(text)),
            _ => Err("not a pseudonym: it must be `psn_` and 26 characters of a-z, 2-7".into()),
        }
    }
}

impl From<Pseudonym> for String {
    fn from(pseudonym: Pseudonym) -> Self {
        pseudonym.0
    }
}

impl std::fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_links_under_one_key_and_kind_alone() {
        let of = |key: u8, kind, text| Pseudonym::of(&[key; 32], kind, text);
        let one = of(1, Veiled::Member, "mbr_a");
        assert_eq!(one, of(1, Veiled::Member, "mbr_a"));
        assert!(one != of(2, Veiled::Member, "mbr_a") && one != of(1, Veiled::Target, "mbr_a"));
        assert_ne!(one, of(1, Veiled::Member, "mbr_b"));
        assert_eq!(Pseudonym::try_from(one.to_string()), Ok(one));
        for wrong in ["psn_", "psn_AAAAAAAAAAAAAAAAAAAAAAAAAA", "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert!(Pseudonym::try_from(wrong.to_owned()).is_err());
        }
    }
}
