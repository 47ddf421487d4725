//! Community requests: what is drafted, what an agency signs, what the public reads.

use serde::{Deserialize, Serialize};

use crate::{AgencyClass, AgencyId, Area, Digest, PortalId, RequestId, SignatureText, Time, TimeFrame};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentType {
    /// Someone was killed.
    Homicide,
    /// Someone was attacked.
    Assault,
    /// Robbery.
    Robbery,
    /// Breaking in.
    Burglary,
    /// Theft, of a parcel or anything else.
    Theft,
    /// A vehicle was stolen.
    VehicleTheft,
    /// A crash, or someone left the place of one.
    Collision,
    /// Damage to property.
    Vandalism,
    /// Fire set on purpose.
    Arson,
    /// Shots were fired.
    Shooting,
    /// Someone is missing.
    MissingPerson,
    /// Someone was taken.
    Abduction,
    /// Something else; the details say what.
    Other,
}

/// Whom to ask about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name, with rank if they like.
    pub name: String,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A request as an investigator writes it; nothing is checked yet.
///
/// Times are RFC 3339 with an offset, or local to `zone` (`2026-11-01T01:30`); a local time that a clock change
/// skips or repeats is refused with both readings named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestDraft {
    /// The agency's own code for the investigation.
    pub code: String,
    /// What happened.
    pub incident: IncidentType,
    /// What people should know, plain text.
    pub details: String,
    /// Whom to ask.
    pub contact: Contact,
    /// Where footage is asked for.
    pub area: Area,
    /// From when.
    pub start: String,
    /// Until when.
    pub end: String,
    /// IANA time zone of the place.
    pub zone: String,
    /// Languages of the details, BCP 47, the first one is theirs.
    #[serde(default = "english")]
    pub languages: Vec<String>,
    /// For how many days after publication offers are taken.
    #[serde(default = "fortnight")]
    pub active_days: u32,
    /// Confirms that this is the agency's own case and not asked for another body.
    #[serde(default)]
    pub own_case: bool,
}

fn english() -> Vec<String> {
    vec!["en".into()]
}

fn fortnight() -> u32 {
    14
}

/// The agency as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asker {
    /// Its id.
    pub id: AgencyId,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: AgencyClass,
}

/// What an agency signs: the whole request, unchangeable from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// Version of this form: 1.
    pub v: u32,
    /// Its id.
    pub id: RequestId,
    /// Who asks.
    pub agency: Asker,
    /// Investigation code.
    pub code: String,
    /// What happened.
    pub incident: IncidentType,
    /// What people should know.
    pub details: String,
    /// Whom to ask.
    pub contact: Contact,
    /// Where.
    pub area: Area,
    /// When.
    pub time_frame: TimeFrame,
    /// The age recipient (`age1…`) of this request alone.
    pub recipient: String,
    /// Languages, BCP 47.
    pub languages: Vec<String>,
    /// For how many days after publication offers are taken.
    pub active_days: u32,
    /// When it was drawn up.
    pub created: Time,
}

impl RequestBody {
    /// The signing context.
    pub const CONTEXT: &'static str = "canvass/request/v1";
}

/// What an agency signs for its standing portal: a place to send footage that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PortalBody {
    /// Version of this form: 1.
    pub v: u32,
    /// Its id.
    pub id: PortalId,
    /// Whose it is.
    pub agency: Asker,
    /// What it is for, plain text.
    pub details: String,
    /// Whom to ask.
    pub contact: Contact,
    /// The age recipient of this portal alone.
    pub recipient: String,
    /// When it was drawn up.
    pub created: Time,
}

impl PortalBody {
    /// The signing context.
    pub const CONTEXT: &'static str = "canvass/portal/v1";
}

/// A body with the agency's signature over its context and its canonical JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is signed.
    pub body: T,
    /// SHA-256 of the body's canonical JSON; stands in the ledger.
    pub digest: Digest,
    /// Which key signed.
    pub key: String,
    /// The signature.
    pub signature: SignatureText,
}

/// Where a request stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// Being written.
    Draft,
    /// Signed, and waiting for a moderator.
    InModeration,
    /// Public; offers are taken.
    Published,
    /// The agency has what it needs.
    Resolved,
    /// Its active time is over.
    Expired,
    /// Its body is withheld by law; that it existed stays.
    Withheld,
    /// A moderator refused it, naming the rule.
    Refused,
}

impl RequestState {
    /// The state as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::InModeration => "in-moderation",
            Self::Published => "published",
            Self::Resolved => "resolved",
            Self::Expired => "expired",
            Self::Withheld => "withheld",
            Self::Refused => "refused",
        }
    }
}

/// What a moderator decided, public beside the ledger entry that holds its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Which request.
    pub request: RequestId,
    /// Whether it may be published.
    pub approved: bool,
    /// The rule that it was refused under (`assembly`, `race-only`, …), or that was weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why, in public words.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// One ledger entry with the proof that it stands there, all that a stranger needs to check it offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The entry's canonical JSON, as text.
    pub leaf: String,
    /// Its place in the ledger.
    pub index: u64,
    /// C2SP `tlog-proof@v1` text.
    pub proof: String,
}

/// A request as the public reads it: `/requests/<id>.json`, and in the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicRequest {
    /// Its id.
    pub id: RequestId,
    /// Where it stands.
    pub state: RequestState,
    /// The signed body; absent once withheld, and for a refused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Signed<RequestBody>>,
    /// What the moderator decided.
    pub decision: Decision,
    /// When it was published or refused.
    pub at: Time,
    /// Until when offers are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<Time>,
    /// Proofs of its ledger entries, oldest first.
    pub proofs: Vec<Proof>,
}

/// A portal as the public reads it: `/portals/<id>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicPortal {
    /// Its id.
    pub id: PortalId,
    /// `open` or `closed`.
    pub state: String,
    /// The signed body.
    pub portal: Signed<PortalBody>,
    /// Proofs of its ledger entries, oldest first.
    pub proofs: Vec<Proof>,
}

/// Something wrong with what was given, beside the field it is wrong in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// The field, as in the input.
    pub field: String,
    /// A word for the rule, stable for programs.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// The words of the text that the rule met, when it is a rule about content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
    /// Where these words stand in the field as it was written: begin and end (not included) in UTF-16 code units, as
    /// JavaScript counts them, in order; the first 50 places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<(u32, u32)>,
}
