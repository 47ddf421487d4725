//! Records of what binds and what is kept of acts: holds, erasures, records of actions, settings.

use canvass_types::{
    AgencyId, AuditId, CaseId, ErasureId, HoldId, MemberId, Purpose, Time, commitment::commitment,
    leaf::OversightLeaf,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{SealedBlob, flag, text};
use crate::ports::{Kind, Record};

/// A legal hold on an offer, item or case: nothing under it is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// Whose.
    pub agency: AgencyId,
    /// Id of the offer, item or case.
    pub subject: String,
    /// The legal basis, in words.
    pub basis: String,
    /// Who placed it.
    pub by: MemberId,
    /// When.
    pub placed: Time,
    /// When it was released.
    pub released: Option<Time>,
}
record!(
    Hold,
    Hold,
    |it| it.id.to_string(),
    [text(&it.agency), text(&it.subject), flag(it.released.is_none()),]
);

/// A blob that must go, or is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasure {
    /// Its id.
    pub id: ErasureId,
    /// Whose.
    pub agency: AgencyId,
    /// Id of the offer or item whose bytes they were.
    pub subject: String,
    /// Which blob.
    pub blob: SealedBlob,
    /// Why: `withdrawn`, `declined`, `untriaged`, `closed-case`, `withdrawal-granted`.
    pub reason: String,
    /// When it was decided.
    pub ordered: Time,
    /// When the bytes were gone.
    pub done: Option<Time>,
}
record!(
    Erasure,
    Erasure,
    |it| it.id.to_string(),
    [text(&it.agency), text(if it.done.is_some() { "done" } else { "due" }), text(&it.blob.blob),]
);

/// What the oversight ledger commits to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditBody {
    /// Version of this form: 2.
    pub v: u32,
    /// Its id.
    pub id: AuditId,
    /// The action's name.
    pub action: String,
    /// Whose evidence or matter it is.
    pub agency: Option<AgencyId>,
    /// Id of what it was done to.
    pub subject: String,
    /// Who did it; none for a resident or a job of the server.
    pub actor: Option<MemberId>,
    /// Their agency.
    pub actor_agency: Option<AgencyId>,
    /// For which case.
    pub case: Option<CaseId>,
    /// Why.
    pub purpose: Option<Purpose>,
    /// Particulars: digests, custody heads.
    pub detail: Value,
    /// When.
    pub at: Time,
}

/// A record of an action, with the salt of its commitment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// The record.
    pub body: AuditBody,
    /// Salt, 32 bytes of base64.
    pub salt: String,
    /// The entry of the oversight ledger that commits to it, if there is one.
    pub leaf: Option<OversightLeaf>,
}

impl AuditRecord {
    /// The salt, if it is 32 bytes of base64.
    pub fn salted(&self) -> Option<[u8; 32]> {
        data_encoding::BASE64.decode(self.salt.as_bytes()).ok()?.try_into().ok()
    }

    /// Whether its ledger entry commits to exactly this record. One without an entry has nothing to agree with.
    pub fn is_whole(&self) -> bool {
        let Some(leaf) = &self.leaf else { return true };
        let record = serde_json::to_value(&self.body).unwrap_or_default();
        self.salted().is_some_and(|salt| commitment(&salt, &record) == leaf.commitment)
    }
}

record!(
    AuditRecord,
    Audit,
    |it| it.body.id.to_string(),
    [
        it.body.agency.as_ref().map(ToString::to_string),
        text(&it.body.subject),
        text(&it.body.action),
        text(it.body.at),
        it.body.actor_agency.as_ref().map(ToString::to_string),
    ]
);

/// A single value: the policy in force, the heads of the ledgers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}
record!(Setting, Setting, |it| it.name.clone(), []);
