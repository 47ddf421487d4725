//! What the public files still lack, and the marks that they have it.

use canvass_types::{CaseId, MemberId, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::{Page, load::page},
    ports::{Query, Record, Records, RecordsExt, StoreError, Versioned},
    records::{Agency, AuditRecord, ClipState, Offer, Portal, Request},
};

/// A record with a public side.
pub trait Publishable: Record {
    /// Says whether the public files lag behind.
    fn set_unpublished(&mut self, unpublished: bool);
}

macro_rules! publishable {
    ($($type:ty),*) => {$(
        impl Publishable for $type {
            fn set_unpublished(&mut self, unpublished: bool) {
                self.unpublished = unpublished;
            }
        }
    )*};
}
publishable!(Agency, Request, Portal, Offer);

/// What a resident reads of one clip: its state alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClipStatus {
    /// From 1.
    pub number: u32,
    /// `pending`, `accepted` or `declined`.
    pub state: String,
}

/// A question to the resident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuestionStatus {
    /// Its id.
    pub id: String,
    /// Armoured age text for the mailbox.
    pub sealed: String,
    /// When it was asked.
    pub asked: Time,
    /// When an answer came.
    pub answered: Option<Time>,
}

/// What the agency says to a wish to withdraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalStatus {
    /// When it was asked.
    pub at: Time,
    /// Whether the agency destroys the offer; none while it has not answered.
    pub granted: Option<bool>,
    /// Its reason.
    pub reason: Option<String>,
    /// When it answered.
    pub answered: Option<Time>,
}

/// What the resident reads at `/offers/<lookup>.json`. It names no agency, no case and no member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OfferStatus {
    /// Version of this form: 1.
    pub v: u32,
    /// Name of the file, derived from the offer key.
    pub lookup: String,
    /// `received`, `opened`, `triaged`, `withdrawn`, `destroyed`, or `refused` for an upload that can't be taken.
    pub state: String,
    /// When this was written.
    pub updated: Time,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether a withdrawal is still possible.
    pub can_withdraw: bool,
    /// The clips, known once the agency opened the offer.
    pub clips: Vec<ClipStatus>,
    /// Questions to the resident.
    pub questions: Vec<QuestionStatus>,
    /// A wish to withdraw, and the answer.
    pub withdrawal: Option<WithdrawalStatus>,
    /// The signed receipt, once its entry is in the ledger.
    pub receipt: Option<Value>,
}

impl OfferStatus {
    /// The status of an offer.
    pub fn of(offer: &Offer, updated: Time, receipt: Option<Value>) -> Self {
        let ended = matches!(offer.state.as_str(), "withdrawn" | "destroyed");
        let clip = |clip: &crate::records::Clip| ClipStatus {
            number: clip.number,
            state: match clip.state {
                ClipState::Pending => "pending",
                ClipState::Accepted { .. } => "accepted",
                ClipState::Declined { .. } => "declined",
            }
            .to_owned(),
        };
        let question = |asked: &crate::records::Question| QuestionStatus {
            id: asked.id.to_string(),
            sealed: asked.sealed.clone(),
            asked: asked.asked,
            answered: asked.answered,
        };
        Self {
            v: 1,
            lookup: offer.lookup.clone(),
            state: offer.state.as_str().to_owned(),
            updated,
            reason: None,
            can_withdraw: !ended && offer.withdrawal.is_none(),
            clips: offer.clips.iter().map(clip).collect(),
            questions: offer.questions.iter().map(question).collect(),
            withdrawal: offer.withdrawal.as_ref().map(|wish| WithdrawalStatus {
                at: wish.at,
                granted: wish.granted,
                reason: wish.reason.clone(),
                answered: wish.answered,
            }),
            receipt,
        }
    }

    /// The status of an upload that can never be taken.
    pub fn refused(lookup: &str, reason: String, updated: Time) -> Self {
        Self {
            v: 1,
            lookup: lookup.to_owned(),
            state: "refused".to_owned(),
            updated,
            reason: Some(reason),
            can_withdraw: false,
            clips: Vec::new(),
            questions: Vec::new(),
            withdrawal: None,
            receipt: None,
        }
    }
}

/// Which records of actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditFilter {
    /// Done to this.
    pub subject: Option<String>,
    /// Of this name.
    pub action: Option<String>,
    /// From behind this place on.
    pub after: Option<u64>,
    /// At most so many, up to 200.
    pub limit: Option<u32>,
    /// For this case.
    pub case: Option<CaseId>,
    /// Done by this member.
    pub actor: Option<MemberId>,
}

impl<R: Records> App<R> {
    /// Records of a kind whose public files lag behind, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn unpublished<P: Publishable>(
        &self,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Versioned<P>>, CoreError> {
        let query = Query::<P>::new().with("unpublished", "yes").after(after).limit(limit);
        Ok(self.records().list(query).await?)
    }

    /// Marks a record as shown in the public files, in the version that they show; `false` when it changed meanwhile
    /// and must be written again.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn published<P: Publishable>(&self, shown: &Versioned<P>) -> Result<bool, CoreError> {
        self.mark(shown, false).await
    }

    /// Marks a record as not shown in the public files, so that they are written anew; `false` when it changed
    /// meanwhile.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn publish_again<P: Publishable>(&self, found: &Versioned<P>) -> Result<bool, CoreError> {
        self.mark(found, true).await
    }

    async fn mark<P: Publishable>(&self, shown: &Versioned<P>, unpublished: bool) -> Result<bool, CoreError> {
        let mut record = shown.record.clone();
        record.set_unpublished(unpublished);
        let intent = self.system(Job::Housekeeping, Target::shared(record.key()));
        match intent.with(|changes| changes.update(shown, &record)).commit(self.records()).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Canonical JSON of an agency's ledger entries, oldest first. They are public.
    ///
    /// # Errors
    /// When there is no such agency.
    pub async fn agency_leaves(&self, id: &canvass_types::AgencyId) -> Result<Vec<String>, CoreError> {
        Ok(self.agency(id).await?.record.leaves)
    }

    /// Records of actions, newest first: of the actor's agency, or all for an overseer. Reading them leaves a record.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn audit(
        &self,
        actor: &crate::access::Actor,
        filter: &AuditFilter,
    ) -> Result<Page<AuditRecord>, CoreError> {
        let agency = actor.agency.clone();
        let subject = filter.subject.clone().unwrap_or_else(|| "audit".to_owned());
        let target = Target::maybe(agency.as_ref(), subject).in_case(filter.case.clone());
        let intent = self.allow::<crate::access::AuditRead>(actor, target, None).await?;
        let mut query = Query::<AuditRecord>::new();
        if let Some(agency) = &agency {
            query = query.with("agency", agency);
        }
        if let Some(subject) = &filter.subject {
            query = query.with("subject", subject);
        }
        if let Some(action) = &filter.action {
            query = query.with("action", action);
        }
        let keep = |each: &AuditRecord| {
            (filter.case.is_none() || each.body.case == filter.case)
                && (filter.actor.is_none() || each.body.actor == filter.actor)
        };
        let found = page(self.records(), query, (filter.after, filter.limit), keep).await?;
        intent.detail(serde_json::json!({ "records": found.entries.len() })).commit(self.records()).await?;
        Ok(found)
    }
}
