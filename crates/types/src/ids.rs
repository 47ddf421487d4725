//! Identifiers: a three-letter word for the kind, then 128 random bits in lower-case base32.
//!
//! They are random, never ordered by time, so that an id tells nothing about when a thing came to be.

use crate::env::{Entropy, random};

/// Why a text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id: it must be `{prefix}_` and 26 characters of a-z, 2-7; copy it again whole")]
pub struct IdError {
    /// The kind that was asked for, as in the glossary.
    pub kind: &'static str,
    /// The three letters that such an id begins with.
    pub prefix: &'static str,
}

const CHARACTERS: usize = 26;

fn encode(prefix: &str, bytes: &[u8; 16]) -> String {
    let mut text = data_encoding::BASE32_NOPAD.encode(bytes);
    text.make_ascii_lowercase();
    format!("{prefix}_{text}")
}

fn is_id(prefix: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')) else { return false };
    rest.len() == CHARACTERS
        && !rest.bytes().any(|byte| byte.is_ascii_uppercase())
        && data_encoding::BASE32_NOPAD.decode(rest.to_ascii_uppercase().as_bytes()).is_ok()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, pattern = "^[a-z]{3}_[a-z2-7]{26}$")]
        pub struct $name(String);

        impl $name {
            /// The three letters that begin such an id.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from chance alone.
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(encode($prefix, &random(entropy)))
            }

            /// An id of bits that follow from something, for what must have the same id whenever it comes.
            pub fn from_bytes(bytes: &[u8; 16]) -> Self {
                Self(encode($prefix, bytes))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                if is_id($prefix, &text) { Ok(Self(text)) } else { Err(IdError { kind: stringify!($name), prefix: $prefix }) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An agency: a police department or a like body.
    AgencyId = "agy";
    /// A person who works with Canvass: of an agency, or a moderator, overseer or operator.
    MemberId = "mbr";
    /// An API token.
    TokenId = "tok";
    /// A community request.
    RequestId = "req";
    /// An agency's standing public portal.
    PortalId = "por";
    /// A private invitation for one person.
    InvitationId = "inv";
    /// What a resident sent.
    OfferId = "off";
    /// A question put to a resident through the mailbox, and its answer.
    QuestionId = "qst";
    /// A case of an agency.
    CaseId = "cas";
    /// One piece of evidence in a case.
    ItemId = "itm";
    /// A legal hold.
    HoldId = "hld";
    /// A destruction, due or done.
    ErasureId = "ers";
    /// A record of an action.
    AuditId = "aud";
    /// A finding of misuse detection.
    FindingId = "fnd";
    /// A note on an offer, a case or an item.
    NoteId = "nte";
    /// A member's passkey.
    PasskeyId = "psk";
    /// A session that a passkey or a federated account opened.
    SessionId = "ses";
    /// A member's account at a provider, bound to them.
    AccountId = "acc";
    /// A one-use invitation to register a passkey or bind an account.
    EnrolmentId = "enr";
    /// A time in which the operator may change an agency's people.
    BreakGlassId = "bgl";
    /// A change that one person proposes and another approves.
    ProposalId = "prp";
    /// An owner's rule of sharing.
    SharingId = "shr";
    /// A notice to the overseers.
    NoticeId = "ntc";
    /// A camera that reads plates.
    CameraId = "cam";
    /// A court's order that keeps a search from the plate's owner for a time.
    CourtSealId = "csl";
    /// Plates that alert, with where they come from.
    HotlistId = "htl";
    /// One version of a hotlist.
    HotlistVersionId = "hlv";
    /// That a camera read a plate of a hotlist.
    AlertId = "alr";
    /// A search that waits for a second person, or has one's approval.
    ApprovalId = "apv";
    /// Plate reads that are kept in a case.
    KeptReadsId = "krd";
    /// An address to which an agency's alerts are told.
    WebhookId = "whk";
    /// One message to a webhook; the same at each try.
    MessageId = "msg";
    /// A member's browser that is told of alerts.
    PushId = "psh";
    /// A plate on an agency's safelist.
    SafelistId = "sfl";
    /// A person or vehicle that a camera saw.
    SightingId = "sgt";
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn an_id_reads_back_and_others_are_refused() {
        let id = RequestId::random(&Fixed(7));
        assert_eq!(id.as_str().parse::<RequestId>().unwrap(), id);
        for wrong in [
            "",
            "req_",
            "req_abc",
            "off_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "req_AAAAAAAAAAAAAAAAAAAAAAAAAA",
            "req_aaaaaaaaaaaaaaaaaaaaaaaaa1",
        ] {
            assert!(wrong.parse::<RequestId>().is_err(), "{wrong}");
        }
        assert!(format!("{}", id.as_str().parse::<OfferId>().unwrap_err()).contains("off_"));
    }
}
