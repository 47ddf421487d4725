//! Searches that take a second person, and what of searches is kept in cases.

use canvass_types::{AgencyId, ApprovalId, AuditId, CaseId, Digest, KeptReadsId, MemberId, Purpose, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CustodyHead, Decided, text};
use crate::{
    plates::Question,
    ports::{Kind, Record},
};

/// Where a search that takes a second person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalState {
    /// It waits for a second person.
    Open,
    /// A second person approved it.
    Approved,
    /// A second person refused it.
    Refused,
    /// Whoever asked took it back.
    Withdrawn,
    /// Nobody decided in time, or the time of the approval is over.
    Expired,
}

impl ApprovalState {
    /// The state as it is stored.
    #[must_use]
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

/// A search that one member asks for and another approves. The question never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchApproval {
    /// Its id.
    pub id: ApprovalId,
    /// Whose member asks.
    pub agency: AgencyId,
    /// What is asked of the reads, with fixed moments.
    pub question: Question,
    /// SHA-256 of the question's canonical JSON.
    pub digest: Digest,
    /// Why.
    pub purpose: Purpose,
    /// For which case.
    pub case: Option<CaseId>,
    /// Who asks.
    pub by: MemberId,
    /// When they asked.
    pub at: Time,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided, and when.
    pub decided: Option<Decided>,
    /// While it is open: until when it waits. Once approved: until when it can be run.
    pub ends: Time,
}
record!(
    SearchApproval,
    SearchApproval,
    |it| it.id.to_string(),
    [text(&it.agency), text(it.state.as_str()), text(it.ends)]
);

/// Plate reads that a search found and that are kept in its case: a file of the server's making, that never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptReads {
    /// Its id.
    pub id: KeptReadsId,
    /// Whose.
    pub agency: AgencyId,
    /// In which case.
    pub case: CaseId,
    /// File name.
    pub name: String,
    /// How many reads.
    pub reads: u32,
    /// First entry of the search that found them.
    pub search: AuditId,
    /// The approval that the search had, where it took one.
    pub approval: Option<ApprovalId>,
    /// What a member noted.
    pub note: Option<String>,
    /// The JSON text; none once it is destroyed.
    pub content: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of the text.
    pub sha256: Digest,
    /// Who kept them.
    pub by: MemberId,
    /// When.
    pub added: Time,
    /// When it is to be destroyed, unless a hold forbids it; none while the case is open.
    pub due: Option<Time>,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
    /// Its chain of custody.
    pub custody: CustodyHead,
}
record!(
    KeptReads,
    KeptReads,
    |it| it.id.to_string(),
    [text(&it.agency), text(&it.case), it.due.map(|time| time.to_string())]
);
