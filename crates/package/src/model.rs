//! What the files of a bundle hold.

use canvass_core::{
    custody::CustodyView,
    records::{Alteration, AuditRecord, CustodyHead, Hold, OfferState},
};
use canvass_types::{
    AuditId, CaseId, Decision, Digest, ItemId, KeptReadsId, MemberId, OfferId, Policy, PortalBody,
    PublicAgency, Purpose, RequestBody, Signed, Time, leaf::Log,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Why a file of a bundle can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not the JSON expected.
    #[error("{file}: {reason}; export the case again")]
    Json {
        /// Which file.
        file: String,
        /// What the reader said.
        reason: String,
    },
    /// A draft.
    #[error(
        "{id}: the case joins a request that is not signed yet; part with it by `canvass case change --remove`"
    )]
    Unsigned {
        /// The request.
        id: String,
    },
}

/// The table of contents: `data/case.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Version of this form: 1.
    pub v: u32,
    /// Program and version that made the bundle.
    pub made_with: String,
    /// The case.
    pub case: CaseId,
    /// The agency's number or name for it.
    pub title: String,
    /// Investigation code, when it has requests.
    pub code: Option<String>,
    /// When it was opened.
    pub opened: Time,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Whose case it is.
    pub agency: PublicAgency,
    /// Why it was exported.
    pub purpose: Purpose,
    /// When.
    pub exported: Time,
    /// By whom.
    pub exported_by: MemberId,
    /// Every item.
    pub items: Vec<ItemFile>,
    /// Plate reads that are kept in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<ReadsFile>,
    /// Every offer that belongs to it, also those of which nothing was accepted.
    pub offers: Vec<OfferFile>,
    /// Ids of the requests and portals that were answered.
    pub destinations: Vec<String>,
    /// Legal holds, also released ones.
    pub holds: Vec<Hold>,
    /// Names of the members who appear, as the agency's list has them.
    pub people: Vec<Person>,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFile {
    /// Its id.
    pub id: ItemId,
    /// From which offer.
    pub offer: OfferId,
    /// Which clip of it, from 1.
    pub clip: u32,
    /// File name.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256 of the original.
    pub sha256: Digest,
    /// SHA-256 of the sealed bytes in which it was kept.
    pub sealed_sha256: Digest,
    /// The request or portal that it answers.
    pub destination: String,
    /// When it was accepted.
    pub added: Time,
    /// When it was destroyed; its original isn't in the bundle then.
    pub destroyed: Option<Time>,
    /// Head of its chain of custody.
    pub custody: CustodyHead,
    /// The item that it is an altered copy of; none for an original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<ItemId>,
    /// How it was altered; none for an original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alteration: Option<Alteration>,
}

/// Plate reads that are kept in the case: `data/reads/<id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadsFile {
    /// Its id.
    pub id: KeptReadsId,
    /// File name.
    pub name: String,
    /// How many reads.
    pub reads: u32,
    /// First entry of the search that found them.
    pub search: AuditId,
    /// Length.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Who kept them.
    pub by: MemberId,
    /// When.
    pub added: Time,
    /// When it was destroyed; the file isn't in the bundle then.
    pub destroyed: Option<Time>,
    /// Head of its chain of custody.
    pub custody: CustodyHead,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferFile {
    /// Its id.
    pub id: OfferId,
    /// The request or portal that it answers.
    pub destination: String,
    /// Where it stands.
    pub state: OfferState,
    /// When it came.
    pub received: Time,
    /// SHA-256 of the envelope.
    pub envelope_sha256: Digest,
    /// Length of the envelope.
    pub envelope_bytes: u64,
    /// Head of its chain of custody.
    pub custody: CustodyHead,
}

/// A member who appears in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their id.
    pub id: MemberId,
    /// Their name.
    pub name: String,
}

/// A signed request or portal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignedBody {
    /// A request.
    Request(Signed<RequestBody>),
    /// A portal.
    Portal(Signed<PortalBody>),
}

/// A request or portal with what the ledger says of it: `data/requests/<id>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationFile {
    /// What the agency signed.
    pub signed: SignedBody,
    /// What the moderator decided; none for a portal.
    pub decision: Option<Decision>,
    /// Canonical JSON of its ledger entries, oldest first.
    pub leaves: Vec<String>,
}

impl DestinationFile {
    /// Its id.
    pub fn id(&self) -> &str {
        match &self.signed {
            SignedBody::Request(signed) => signed.body.id.as_str(),
            SignedBody::Portal(signed) => signed.body.id.as_str(),
        }
    }
}

/// What the resident's receipt opens: `data/receipts/<offer>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptFile {
    /// Which offer.
    pub offer: OfferId,
    /// The record.
    pub record: Value,
    /// 32 bytes of salt, base64.
    pub salt: String,
    /// Canonical JSON of the ledger entry.
    pub leaf: String,
}

/// A ledger entry with the proof that it stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerProof {
    /// Which ledger.
    pub log: Log,
    /// Its place.
    pub index: u64,
    /// The entry's canonical JSON.
    pub leaf: String,
    /// C2SP `tlog-proof@v1` text.
    pub proof: String,
}

/// The key of one ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogKey {
    /// The ledger's name.
    pub origin: String,
    /// Its verifier key (C2SP signed-note).
    pub vkey: String,
}

/// The keys of both ledgers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogKeys {
    /// Of the requests ledger.
    pub requests: LogKey,
    /// Of the oversight ledger.
    pub oversight: LogKey,
}

/// `/ledger/keys.json` as far as it is needed to check a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerKeys {
    /// Keys of the ledgers.
    pub logs: LogKeys,
    /// Witnesses' verifier keys.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned.
    #[serde(default)]
    pub quorum: usize,
}

impl LedgerKeys {
    /// Reads `keys.json`.
    ///
    /// # Errors
    /// [`ModelError`], naming the file.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        serde_json::from_slice(bytes)
            .map_err(|error| ModelError::Json { file: file.into(), reason: error.to_string() })
    }
}

/// Everything of the ledgers that a bundle holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerFiles {
    /// Signed head of the requests ledger.
    pub requests_checkpoint: String,
    /// Signed head of the oversight ledger.
    pub oversight_checkpoint: String,
    /// Proofs under these two heads.
    pub proofs: Vec<LedgerProof>,
    /// `keys.json` as the server publishes it.
    pub keys: Value,
}

/// Everything of a bundle but the originals.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The table of contents.
    pub case: CaseFile,
    /// Requests and portals.
    pub destinations: Vec<DestinationFile>,
    /// Consents, byte for byte.
    pub consents: Vec<(OfferId, Vec<u8>)>,
    /// Kept plate reads, byte for byte.
    pub reads: Vec<(KeptReadsId, Vec<u8>)>,
    /// Chains of custody of all items, offers and kept reads.
    pub custody: Vec<CustodyView>,
    /// Records that receipts open.
    pub receipts: Vec<ReceiptFile>,
    /// Records of actions.
    pub audit: Vec<AuditRecord>,
    /// The policy in force.
    pub policy: Policy,
    /// The ledgers.
    pub ledger: LedgerFiles,
}

impl Contents {
    /// The chain of an item or offer.
    pub(super) fn chain(&self, subject: &str) -> Option<&CustodyView> {
        self.custody.iter().find(|chain| chain.subject == subject)
    }

    /// All chains in the order of the table of contents.
    pub(super) fn chains(&self) -> impl Iterator<Item = &CustodyView> {
        let items = self.case.items.iter().map(|item| item.id.as_str());
        let offers = self.case.offers.iter().map(|offer| offer.id.as_str());
        let reads = self.case.reads.iter().map(|kept| kept.id.as_str());
        items.chain(offers).chain(reads).filter_map(|subject| self.chain(subject))
    }
}

impl CaseFile {
    /// A member's name and id; the server for none.
    pub(super) fn who(&self, member: Option<&MemberId>) -> String {
        let Some(member) = member else { return "resident or server".to_owned() };
        match self.people.iter().find(|person| person.id == *member) {
            Some(person) => format!("{} ({member})", person.name),
            None => member.to_string(),
        }
    }
}
