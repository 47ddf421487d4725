//! Forgetting: what is past its time is destroyed, unless a hold keeps it. Each class of data has its time in the policy.
//!
//! ```text
//! due ── sweep: erasure ordered ──► erasures_due ── the server deletes the bytes ──► erased
//!  │ held: stays as it is               │ held meanwhile: left out
//! ```
//!
//! Once the bytes are gone, what is on record of them has its time too; then the same pass removes it.

mod erasure;
mod forget;
mod sweep;

use canvass_types::{AgencyId, OfferId, Policy, RequestState, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use sweep::Swept;
use sweep::days_ago;

use crate::{
    App, CoreError,
    access::{Actor, RetentionRead, Target},
    cases::load::up_to,
    ports::{Query, Record, Records, Versioned},
    records::{Case, Erasure, Item, Offer, OfferState, Request},
};

/// Most entries of a schedule.
const MOST_DUE: usize = 1_000;
/// Most records of one class that a schedule is drawn up from.
const MOST_READ: usize = 5_000;

/// Something that will be destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Due {
    /// Id of the offer, item, case or request.
    pub subject: String,
    /// What of it: `envelope`, `item`, `mailbox`, `text`, `record` (of a case with its items and offers, or of an offer),
    /// or `erasure` (ordered, not done yet).
    pub what: String,
    /// When.
    pub due: Time,
    /// Whether a hold keeps it.
    pub held: bool,
    /// Why: `untriaged`, `declined`, `closed-case`, `ended`, `refused`, `withheld`, or the reason of the order.
    pub reason: String,
}

/// Which part of the schedule to see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleFilter {
    /// Of this agency; the actor's own when not given.
    pub agency: Option<AgencyId>,
    /// What is due by then; everything when not given.
    pub by: Option<Time>,
    /// At most so many, 1 to 1,000, soonest first.
    pub limit: Option<u32>,
}

/// Why an offer's envelope goes.
pub(crate) fn envelope_reason(offer: &Offer) -> &'static str {
    if offer.state == OfferState::Triaged { "declined" } else { "untriaged" }
}

/// Sets when the mailbox of an offer that ended is dropped.
pub(crate) fn end_mailbox(offer: &mut Offer, now: Time, policy: &Policy) {
    if offer.mailbox_due.is_none() {
        offer.mailbox_due = Some(now.plus_days(policy.retention.mailbox_days));
    }
}

/// Whether the public status file of an offer is over: the offer has ended and its mailbox is dropped.
pub fn status_over(offer: &Offer) -> bool {
    matches!(offer.state, OfferState::Withdrawn | OfferState::Destroyed) && offer.mailbox_due.is_none()
}

fn of_agency<T: Record>(agency: Option<&AgencyId>) -> Query<T> {
    match agency {
        Some(agency) => Query::new().with("agency", agency),
        None => Query::new(),
    }
}

impl<R: Records> App<R> {
    /// What will be destroyed when, soonest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn schedule(&self, actor: &Actor, filter: &ScheduleFilter) -> Result<Vec<Due>, CoreError> {
        let agency = filter.agency.clone().or_else(|| actor.agency.clone());
        let target = Target { agency: agency.clone(), subject: "retention".into(), case: None };
        self.gate().check::<RetentionRead>(actor, &target)?;
        let agency = agency.as_ref();
        // The last second that RFC 3339 can write.
        let by = filter.by.unwrap_or(Time::from_second(253_402_300_799));
        let mut found = Vec::new();
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("due", by)).await? {
            let held = self.offer_hold(&record).await?.is_some();
            let due = record.due.unwrap_or(by);
            found.push(entry(&record.id, "envelope", due, held, envelope_reason(&record)));
        }
        for Versioned { record, .. } in self.most(of_agency::<Item>(agency).due("due", by)).await? {
            let held = self.item_hold(&record).await?.is_some();
            found.push(entry(&record.id, "item", record.due.unwrap_or(by), held, "closed-case"));
        }
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("mailbox_due", by)).await? {
            let held = self.offer_hold(&record).await?.is_some();
            found.push(entry(&record.id, "mailbox", record.mailbox_due.unwrap_or(by), held, "ended"));
        }
        for Versioned { record, .. } in self.most(of_agency::<Erasure>(agency).with("state", "due")).await? {
            let held = self.erasure_hold(&record).await?.is_some();
            found.push(entry(&record.subject, "erasure", record.ordered, held, &record.reason));
        }
        self.rows_due(agency, by, &mut found).await?;
        found.sort_by(|one, two| (one.due, &one.subject).cmp(&(two.due, &two.subject)));
        found.truncate(filter.limit.map_or(MOST_DUE, |limit| (limit as usize).clamp(1, MOST_DUE)));
        Ok(found)
    }

    /// What is on record of things long gone.
    async fn rows_due(
        &self,
        agency: Option<&AgencyId>,
        by: Time,
        found: &mut Vec<Due>,
    ) -> Result<(), CoreError> {
        let retention = &self.policy().retention;
        let texts = days_ago(by, retention.draft_days);
        for state in [RequestState::Refused, RequestState::Withheld] {
            let query = of_agency::<Request>(agency).with("state", state.as_str()).due("due", texts);
            for Versioned { record, .. } in self.most(query).await? {
                let due = record.due(retention.draft_days).unwrap_or(by);
                found.push(entry(&record.id, "text", due, false, state.as_str()));
            }
        }
        let rows = days_ago(by, retention.record_days);
        let cases = of_agency::<Case>(agency).due("closed", rows);
        for Versioned { record, .. } in up_to(self.records(), cases, MOST_DUE).await? {
            let Some(gone) = self.gone(&record).await? else { continue };
            let due = gone.since.plus_days(retention.record_days);
            if due <= by {
                found.push(entry(&record.id, "record", due, gone.held, "closed-case"));
            }
        }
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("ended", rows)).await? {
            let held = self.offer_hold(&record).await?.is_some();
            let due = record.destroyed.map_or(by, |at| at.plus_days(retention.record_days));
            found.push(entry(&record.id, "record", due, held, "ended"));
        }
        Ok(())
    }

    async fn most<T: Record>(&self, query: Query<T>) -> Result<Vec<Versioned<T>>, CoreError> {
        up_to(self.records(), query, MOST_READ).await
    }

    /// The offer of an id, as text.
    pub(crate) async fn offer_of(&self, subject: &str) -> Result<Option<Versioned<Offer>>, CoreError> {
        match subject.parse::<OfferId>() {
            Ok(id) => Ok(Some(self.load_offer(&id).await?)),
            Err(_) => Ok(None),
        }
    }
}

fn entry(subject: impl ToString, what: &str, due: Time, held: bool, reason: &str) -> Due {
    Due { subject: subject.to_string(), what: what.into(), due, held, reason: reason.into() }
}
