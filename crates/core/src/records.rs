//! The records of the domain, as they are stored. What of them others may see is in `views`.

use canvass_types::{
    AgencyClass, AgencyId, AgencyKey, AgencyState, Area, CaseId, Contact, Decision, Digest, InvitationId,
    ItemId, MemberId, NoteId, OfferId, PortalBody, PortalId, PublicKey, QuestionId, RequestBody,
    RequestDraft, RequestId, RequestState, Role, Signed, Time, TokenId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::ports::{Kind, Record};

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn flag(set: bool) -> Option<String> {
    set.then(|| "yes".to_owned())
}

macro_rules! record {
    ($type:ty, $kind:ident, |$it:ident| $key:expr, [$($column:expr),* $(,)?]) => {
        impl Record for $type {
            const KIND: Kind = Kind::$kind;
            fn key(&self) -> String {
                let $it = self;
                $key
            }
            fn index(&self) -> Vec<Option<String>> {
                let $it = self;
                let _ = $it;
                vec![$($column),*]
            }
        }
    };
}

mod approvals;
mod asked;
mod breakglass;
mod cameras;
mod govern;
mod hotlists;
mod misuse;
mod safelist;
mod sightings;
mod signin;
mod told;
mod transparency;
mod upkeep;

pub use approvals::{ApprovalState, KeptReads, SearchApproval};
pub use asked::{AskedMark, CourtSeal, CourtSealState, MarkState};
pub use breakglass::BreakGlass;
pub use cameras::{Camera, CameraUse};
pub use govern::{
    Acceptance, ChangedFile, Decided, Ended, OversightNotice, Proposal, ProposalBody, ProposalKind,
    ProposalState, Shared, SharingRule,
};
pub use hotlists::{
    Alert, AlertRead, AlertState, Compared, Hotlist, HotlistEntry, HotlistPart, HotlistVersion, InForce,
    LegalBasis, VersionState,
};
pub use misuse::{Finding, FindingState, Handling, OwnVehicle, OwnVehicles};
pub use safelist::{SafelistEntry, SafelistMode};
pub use sightings::{CameraSighting, SealedSightings, SightingPicture};
pub use signin::{Enrolment, FederatedAccount, Lockout, Opener, Passkey, Session};
pub use told::{
    AlertPush, Attempt, MessageState, PushAddress, Webhook, WebhookEvent, WebhookMessage, WebhookOff,
    WebhookSecret, WhyOff,
};
pub use transparency::{Claim, Contradiction, Language, PolicyText};
pub use upkeep::{AuditBody, AuditRecord, Erasure, Hold, Setting};

/// An agency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agency {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
    /// ISO 3166-2 code of its state.
    pub subdivision: String,
    /// Where it may ask.
    pub jurisdiction: Area,
    /// Where it stands with the operator.
    pub state: AgencyState,
    /// All signing keys it ever had.
    pub keys: Vec<AgencyKey>,
    /// age recipient of its recovery identity, kept off line.
    pub recovery: Option<String>,
    /// When the recovery was last rehearsed.
    pub rehearsed: Option<Time>,
    /// When it was registered.
    pub registered: Time,
    /// Canonical JSON of its ledger entries, oldest first.
    pub leaves: Vec<String>,
    /// Whether the public files lag behind.
    pub unpublished: bool,
}
record!(
    Agency,
    Agency,
    |it| it.id.to_string(),
    [
        text(match it.state {
            AgencyState::Registered => "registered",
            AgencyState::Verified => "verified",
            AgencyState::Suspended => "suspended",
        }),
        flag(it.unpublished),
    ]
);

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their id.
    pub id: MemberId,
    /// Their agency; none for operators, moderators and overseers.
    pub agency: Option<AgencyId>,
    /// Their name.
    pub name: String,
    /// What they are trusted with.
    pub roles: Vec<Role>,
    /// age recipient of their identity.
    pub recipient: Option<String>,
    /// Whether they may act.
    pub active: bool,
    /// When they came.
    pub added: Time,
    /// When they were stopped; none while they may act.
    #[serde(default)]
    pub stopped: Option<Time>,
}

impl Member {
    /// The name of a member who was stopped long ago.
    pub const FORMER: &'static str = "former member";
}
record!(
    Member,
    Member,
    |it| it.id.to_string(),
    [
        it.agency.as_ref().map(ToString::to_string),
        it.stopped.filter(|_| it.name != Member::FORMER).map(|time| time.to_string()),
    ]
);

/// An API token. Only the SHA-256 of its secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub member: MemberId,
    /// What it is for, in the issuer's words.
    pub label: String,
    /// SHA-256 of the secret.
    pub secret_hash: Digest,
    /// Roles it may use; never more than the member has.
    pub roles: Vec<Role>,
    /// When it was issued.
    pub issued: Time,
    /// Until when it counts.
    pub expires: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// The one thing that it acts for, such as a camera or feed; none for a person's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}
record!(
    Token,
    Token,
    |it| it.id.to_string(),
    [text(&it.member), text(it.secret_hash), text(it.revoked.map_or(it.expires, |at| at.min(it.expires)))]
);

/// An investigation of an agency: its code, and the requests that it has used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Investigation {
    /// Whose.
    pub agency: AgencyId,
    /// The agency's own code, in capitals.
    pub code: String,
    /// Its requests that were submitted and not refused.
    pub requests: Vec<RequestId>,
}

impl Investigation {
    /// The key of an investigation.
    pub fn key_of(agency: &AgencyId, code: &str) -> String {
        format!("{agency}/{code}")
    }
}
record!(Investigation, Investigation, |it| Self::key_of(&it.agency, &it.code), [text(&it.agency)]);

/// A request, from draft to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Whose.
    pub agency: AgencyId,
    /// Who wrote it.
    pub author: MemberId,
    /// What was written; it can be changed until it is signed.
    pub draft: RequestDraft,
    /// What was signed.
    pub signed: Option<Signed<RequestBody>>,
    /// Where it stands.
    pub state: RequestState,
    /// What the moderator decided.
    pub decision: Option<Decision>,
    /// Who decided; not public.
    pub moderator: Option<MemberId>,
    /// When it was drafted.
    pub created: Time,
    /// When it was published or refused.
    pub decided: Option<Time>,
    /// Until when offers are taken.
    pub closes: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// Public words on the end: the legal basis of a withheld one.
    pub end_note: Option<String>,
    /// Canonical JSON of its ledger entries, oldest first.
    pub leaves: Vec<String>,
    /// Whether the public files lag behind.
    pub unpublished: bool,
}

impl Request {
    /// When something is to happen by itself: a published one expires, a forgotten draft is dropped, the text of a
    /// refused or withheld one goes.
    pub fn due(&self, draft_days: u32) -> Option<Time> {
        match self.state {
            RequestState::Published => self.closes,
            _ => self.idle_since().map(|at| at.plus_days(draft_days)),
        }
    }

    /// Since when nobody needs the text: of a draft, or of a refused or withheld request that still has it.
    pub fn idle_since(&self) -> Option<Time> {
        match self.state {
            RequestState::Draft => Some(self.created),
            RequestState::Refused => self.decided.filter(|_| self.signed.is_some()),
            RequestState::Withheld => self.ended.filter(|_| self.signed.is_some()),
            _ => None,
        }
    }

    /// Removes what was written: the signed body, and of the draft the details, contact, place and times. Id, agency,
    /// code, state, decision and ledger entries stay.
    pub fn forget_text(&mut self) {
        self.signed = None;
        let draft = &mut self.draft;
        draft.details.clear();
        draft.contact = Contact { name: String::new(), phone: None, email: None };
        draft.start.clear();
        draft.end.clear();
        // An area always has corners; these are nobody's.
        if let Ok(nowhere) = Area::new(vec![[0.0, 0.0]; 4]) {
            draft.area = nowhere;
        }
    }
}
record!(
    Request,
    Request,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(it.state.as_str()),
        match it.state {
            RequestState::Published => it.closes.map(|time| time.to_string()),
            _ => it.idle_since().map(|time| time.to_string()),
        },
        flag(it.unpublished),
    ]
);

/// An agency's standing portal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Portal {
    /// Its id.
    pub id: PortalId,
    /// Whose.
    pub agency: AgencyId,
    /// What was signed.
    pub signed: Signed<PortalBody>,
    /// Whether it takes offers.
    pub open: bool,
    /// Canonical JSON of its ledger entries, oldest first.
    pub leaves: Vec<String>,
    /// Whether the public files lag behind.
    pub unpublished: bool,
}
record!(
    Portal,
    Portal,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.open { "open" } else { "closed" }), flag(it.unpublished),]
);

/// The private key of one request or portal, wrapped to a group; the server can't open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    /// Id of the request or portal.
    pub destination: String,
    /// Whose.
    pub agency: AgencyId,
    /// Its age recipient.
    pub recipient: String,
    /// Armoured age file that holds the identity; gone once destroyed.
    pub wrapped: Option<String>,
    /// Members to whom it is wrapped.
    pub group: Vec<MemberId>,
    /// Whether the recovery identity is among the recipients.
    pub recovery: bool,
    /// When it was made.
    pub made: Time,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
}
record!(RequestKey, RequestKey, |it| it.destination.clone(), [text(&it.agency)]);

/// A private invitation for one person to give to a published request or an open portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Whose.
    pub agency: AgencyId,
    /// Id of the request or portal that it leads to.
    pub destination: String,
    /// SHA-256 of the secret in the link.
    pub secret_hash: Digest,
    /// A case that what comes belongs to.
    pub case: Option<CaseId>,
    /// Who invited.
    pub by: MemberId,
    /// When.
    pub made: Time,
    /// Until when it counts.
    pub expires: Time,
    /// The offer that used it.
    pub used: Option<OfferId>,
    /// When it was taken back.
    pub revoked: Option<Time>,
}
record!(
    Invitation,
    Invitation,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.destination),
        text(it.secret_hash),
        text(it.revoked.map_or(it.expires, |at| at.min(it.expires))),
    ]
);

/// Sealed bytes in the store of blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedBlob {
    /// Key in the store of blobs.
    pub blob: String,
    /// SHA-256 of the sealed bytes.
    pub sha256: Digest,
    /// Length of the sealed bytes.
    pub bytes: u64,
}

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
    /// Sealed, unopened.
    Received,
    /// Opened on the agency's side; clips wait for triage.
    Opened,
    /// Every clip is accepted or declined.
    Triaged,
    /// The resident took it back before it was opened.
    Withdrawn,
    /// The envelope is destroyed.
    Destroyed,
}

impl OfferState {
    /// The state as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Opened => "opened",
            Self::Triaged => "triaged",
            Self::Withdrawn => "withdrawn",
            Self::Destroyed => "destroyed",
        }
    }
}

/// What became of one clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ClipState {
    /// Not decided yet.
    Pending,
    /// Taken into a case.
    Accepted {
        /// As which item.
        item: ItemId,
    },
    /// Not wanted; destroyed with its envelope.
    Declined {
        /// When it was declined.
        at: Time,
    },
}

/// One clip of an opened offer, as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clip {
    /// From 1.
    pub number: u32,
    /// File name in the envelope.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: Digest,
    /// What became of it.
    #[serde(flatten)]
    pub state: ClipState,
}

/// A question to the resident, sealed to their mailbox, and the answer, sealed to the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// Its id.
    pub id: QuestionId,
    /// Armoured age text for the resident.
    pub sealed: String,
    /// Who asked; not shown to the resident.
    pub by: MemberId,
    /// When.
    pub asked: Time,
    /// Armoured age text for the agency.
    pub answer: Option<String>,
    /// When the answer came.
    pub answered: Option<Time>,
}

/// A wish to take back what was already opened, and what the agency says to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalRequest {
    /// When the resident asked.
    pub at: Time,
    /// Whether the agency destroys it.
    pub granted: Option<bool>,
    /// The agency's reason, which the resident reads.
    pub reason: Option<String>,
    /// When it answered.
    pub answered: Option<Time>,
}

/// A note of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// Whose.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Plain text.
    pub text: String,
}

/// What members attach to an offer, a case or an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Annotations {
    /// Notes, oldest first.
    pub notes: Vec<Note>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Who works on it.
    pub assignee: Option<MemberId>,
    /// When to look at it again.
    pub remind: Option<Time>,
}

/// The end of a chain of custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodyHead {
    /// How many events the chain has.
    pub length: u64,
    /// Hash of the last one.
    pub hash: Digest,
}

/// What a resident sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// To whom.
    pub agency: AgencyId,
    /// Id of the request or portal that it answers.
    pub destination: String,
    /// Name of its public status file, derived from the offer key.
    pub lookup: String,
    /// The resident's key for messages about it.
    pub offer_key: PublicKey,
    /// The upload that brought it, so that none is taken twice.
    pub upload: String,
    /// The invitation that it used.
    pub invitation: Option<InvitationId>,
    /// Where it stands.
    pub state: OfferState,
    /// The envelope.
    pub envelope: SealedBlob,
    /// When it came.
    pub received: Time,
    /// When the agency first opened it.
    pub opened: Option<Time>,
    /// Its clips, known once it was opened.
    pub clips: Vec<Clip>,
    /// The mailbox's age recipient, known once it was opened.
    pub mailbox: Option<String>,
    /// Questions and answers.
    pub questions: Vec<Question>,
    /// A wish to take it back after it was opened.
    pub withdrawal: Option<WithdrawalRequest>,
    /// The case it belongs to.
    pub case: Option<CaseId>,
    /// Members' notes, tags and so on.
    pub annotations: Annotations,
    /// Its chain of custody.
    pub custody: CustodyHead,
    /// When the envelope is to be destroyed, unless a hold forbids it.
    pub due: Option<Time>,
    /// When the envelope was destroyed.
    pub destroyed: Option<Time>,
    /// When the status file and mailbox are dropped.
    pub mailbox_due: Option<Time>,
    /// Salt of the receipt's commitment, base64.
    pub receipt_salt: String,
    /// The record that the receipt opens.
    pub receipt_record: Value,
    /// Canonical JSON of the receipt's ledger entry.
    pub receipt_leaf: String,
    /// Whether the public status file lags behind.
    pub unpublished: bool,
}
record!(
    Offer,
    Offer,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.destination),
        text(it.state.as_str()),
        text(&it.lookup),
        it.due.map(|time| time.to_string()),
        text(&it.upload),
        it.mailbox_due.map(|time| time.to_string()),
        flag(it.unpublished),
        it.over().map(|time| time.to_string()),
    ]
);

impl Offer {
    /// When an offer that belongs to no case was over: destroyed, its mailbox dropped, its status file removed.
    fn over(&self) -> Option<Time> {
        let over = self.case.is_none() && self.mailbox_due.is_none() && !self.unpublished;
        self.destroyed.filter(|_| over)
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Whose.
    pub agency: AgencyId,
    /// The agency's number or name for it.
    pub title: String,
    /// Investigation code, when it has requests.
    pub code: Option<String>,
    /// Requests and portals that it joins.
    pub destinations: Vec<String>,
    /// Whether it is worked on.
    pub open: bool,
    /// Who opened it.
    pub by: MemberId,
    /// When.
    pub opened: Time,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Members' notes, tags and so on.
    pub annotations: Annotations,
}
record!(
    Case,
    Case,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.open { "open" } else { "closed" }), it.closed.map(|time| time.to_string()),]
);

/// Why an altered copy of an item was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlterationKind {
    /// Something was made unrecognisable: faces, plates, a voice.
    Redaction,
    /// The same pictures in a form that more players show.
    Transcode,
}

impl AlterationKind {
    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redaction => "redaction",
            Self::Transcode => "transcode",
        }
    }
}

/// How a copy differs from the item that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alteration {
    /// Why it was made.
    pub kind: AlterationKind,
    /// What was altered, and why, in the maker's words.
    pub note: String,
    /// Who made it.
    pub by: MemberId,
    /// When.
    pub at: Time,
    /// Program and version that made it, as the maker says.
    pub tool: String,
}

/// One piece of evidence: a clip that was accepted into a case, or an altered copy of one, sealed by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Whose.
    pub agency: AgencyId,
    /// In which case.
    pub case: CaseId,
    /// From which offer.
    pub offer: OfferId,
    /// Which clip of it.
    pub clip: u32,
    /// File name.
    pub name: String,
    /// Length of the original.
    pub bytes: u64,
    /// SHA-256 of the original.
    pub sha256: Digest,
    /// The bag with this clip alone, sealed to the same recipient.
    pub sealed: SealedBlob,
    /// The request or portal whose key opens it.
    pub destination: String,
    /// When it was accepted.
    pub added: Time,
    /// When it is to be destroyed, unless a hold forbids it.
    pub due: Option<Time>,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
    /// Members' notes, tags and so on.
    pub annotations: Annotations,
    /// Its chain of custody.
    pub custody: CustodyHead,
    /// The item that it is an altered copy of; none for an original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<ItemId>,
    /// How it was altered; none for an original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alteration: Option<Alteration>,
}
record!(
    Item,
    Item,
    |it| it.id.to_string(),
    [
        text(&it.agency),
        text(&it.case),
        text(&it.offer),
        it.due.map(|time| time.to_string()),
        text(&it.sealed.blob),
    ]
);

/// One event in the life of an offer or item. Each holds the hash of the one before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustodyEvent {
    /// Id of the offer or item.
    pub subject: String,
    /// From 0.
    pub number: u64,
    /// Hash of the event before; 64 zeros for the first.
    pub previous: Digest,
    /// What happened: `received`, `opened`, `read`, `accepted`, `declined`, `exported`, `destroyed`, …
    pub event: String,
    /// Who did it; none for a resident or a job of the server.
    pub by: Option<MemberId>,
    /// When.
    pub at: Time,
    /// Particulars: digests, lengths, ids.
    pub detail: Value,
    /// SHA-256 of `canvass/custody/v1`, a line end, and the canonical JSON of all fields above.
    pub hash: Digest,
}
record!(CustodyEvent, CustodyEvent, |it| format!("{}/{:010}", it.subject, it.number), [text(&it.subject)]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_column_for_each_index_value() {
        let hold = Hold {
            id: "hld_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            agency: "agy_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            subject: "cas_aaaaaaaaaaaaaaaaaaaaaaaaaa".into(),
            basis: "court order".into(),
            by: "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            placed: Time::from_second(0),
            released: None,
        };
        assert_eq!(hold.index().len(), Kind::Hold.columns().len());
        assert_eq!(
            Setting { name: "a".into(), value: Value::Null }.index().len(),
            Kind::Setting.columns().len()
        );
    }
}
