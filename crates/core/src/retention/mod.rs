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

use canvass_types::{AgencyId, CaseId, HoldId, ItemId, OfferId, Policy, RequestState, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use sweep::Outcome;
pub use sweep::Swept;
use sweep::days_ago;

use crate::{
    App, CoreError,
    access::{Actor, CaseRead, HoldList, ItemList, RequestRead, RetentionRead, Target},
    cases::load::up_to,
    ports::{Query, Record, Records, Versioned},
    records::{Case, Erasure, Hold, Item, Offer, OfferState, Request},
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
    /// File name of an item, title of a case, code of a request; null when it has none that the reader may see.
    #[serde(default)]
    pub name: Option<String>,
    /// The case that it belongs to.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// The retention of the policy that it follows; null for what was ordered for another reason.
    #[serde(default)]
    pub rule: Option<RetentionRule>,
    /// The hold that keeps it, for readers who may see holds.
    #[serde(default)]
    pub hold: Option<KeptBy>,
}

/// A retention of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetentionRule {
    /// Its field in the policy, for example `retention.declined_days`.
    pub field: String,
    /// Its days, as the policy has them now.
    pub days: u32,
}

/// A hold that keeps something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptBy {
    /// Its id.
    pub id: HoldId,
    /// What it is on: the thing itself, its offer or its case.
    pub subject: String,
    /// The legal basis, in words.
    pub basis: String,
}

/// Which part of the schedule to see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleFilter {
    /// Of this agency; the actor's own when not given.
    pub agency: Option<AgencyId>,
    /// What is due by then; everything when not given.
    pub by: Option<Time>,
    /// Only this kind: `envelope`, `item`, `mailbox`, `text`, `record` or `erasure`.
    pub what: Option<String>,
    /// Only what a hold keeps, or only what none does.
    pub held: Option<bool>,
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
        let target = Target::maybe(agency.as_ref(), "retention");
        self.look::<RetentionRead>(actor, &target).await?;
        let agency = agency.as_ref();
        // The last second that RFC 3339 can write.
        let by = filter.by.unwrap_or(Time::from_second(253_402_300_799));
        let mut found = Vec::new();
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("due", by)).await? {
            let hold = self.offer_hold(&record).await?;
            let entry =
                entry(&record.id, "envelope", record.due.unwrap_or(by), hold, envelope_reason(&record));
            found.push(Entry { case: record.case, ..entry });
        }
        for Versioned { record, .. } in self.most(of_agency::<Item>(agency).due("due", by)).await? {
            let hold = self.item_hold(&record).await?;
            let entry = entry(&record.id, "item", record.due.unwrap_or(by), hold, "closed-case");
            found.push(Entry { name: Name::Item(record.name), case: Some(record.case), ..entry });
        }
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("mailbox_due", by)).await? {
            let hold = self.offer_hold(&record).await?;
            let entry = entry(&record.id, "mailbox", record.mailbox_due.unwrap_or(by), hold, "ended");
            found.push(Entry { case: record.case, ..entry });
        }
        for Versioned { record, .. } in self.most(of_agency::<Erasure>(agency).with("state", "due")).await? {
            let hold = self.erasure_hold(&record).await?;
            found.push(self.ordered_entry(&record, hold).await?);
        }
        self.rows_due(agency, by, &mut found).await?;
        found.retain(|each| {
            filter.what.as_ref().is_none_or(|what| *what == each.what)
                && filter.held.is_none_or(|held| each.hold.is_some() == held)
        });
        found.sort_by(|one, two| (one.due, &one.subject).cmp(&(two.due, &two.subject)));
        found.truncate(filter.limit.map_or(MOST_DUE, |limit| (limit as usize).clamp(1, MOST_DUE)));
        Ok(found.into_iter().map(|each| self.due(actor, agency, each)).collect())
    }

    /// What is on record of things long gone.
    async fn rows_due(
        &self,
        agency: Option<&AgencyId>,
        by: Time,
        found: &mut Vec<Entry>,
    ) -> Result<(), CoreError> {
        let retention = &self.policy().retention;
        let texts = days_ago(by, retention.draft_days);
        for state in [RequestState::Refused, RequestState::Withheld] {
            let query = of_agency::<Request>(agency).with("state", state.as_str()).due("due", texts);
            for Versioned { record, .. } in self.most(query).await? {
                let due = record.due(retention.draft_days).unwrap_or(by);
                let entry = entry(&record.id, "text", due, None, state.as_str());
                found.push(Entry { name: Name::Request(record.draft.code), ..entry });
            }
        }
        let rows = days_ago(by, retention.record_days);
        let cases = of_agency::<Case>(agency).due("closed", rows);
        for Versioned { record, .. } in up_to(self.records(), cases, MOST_DUE).await? {
            let Some(gone) = self.gone(&record).await? else { continue };
            let due = gone.since.plus_days(retention.record_days);
            if due <= by {
                let entry = entry(&record.id, "record", due, gone.hold, "closed-case");
                found.push(Entry { case: Some(record.id), name: Name::Case(record.title), ..entry });
            }
        }
        for Versioned { record, .. } in self.most(of_agency::<Offer>(agency).due("ended", rows)).await? {
            let hold = self.offer_hold(&record).await?;
            let due = record.destroyed.map_or(by, |at| at.plus_days(retention.record_days));
            found.push(entry(&record.id, "record", due, hold, "ended"));
        }
        Ok(())
    }

    /// An order that is not carried out yet.
    async fn ordered_entry(&self, erasure: &Erasure, hold: Option<Hold>) -> Result<Entry, CoreError> {
        let entry = entry(&erasure.subject, "erasure", erasure.ordered, hold, &erasure.reason);
        if let Some(offer) = self.offer_of(&erasure.subject).await? {
            return Ok(Entry { case: offer.record.case, ..entry });
        }
        let id: ItemId = erasure.subject.parse().map_err(|_| CoreError::Hidden("offer or item"))?;
        let item = self.load_item(&id).await?.record;
        Ok(Entry { name: Name::Item(item.name), case: Some(item.case), ..entry })
    }

    /// An entry as this reader may see it.
    fn due(&self, actor: &Actor, agency: Option<&AgencyId>, entry: Entry) -> Due {
        let target = Target::maybe(agency, &entry.subject);
        let gate = self.gate();
        let name = match entry.name {
            Name::Item(name) => gate.check::<ItemList>(actor, &target).is_ok().then_some(name),
            Name::Case(title) => gate.check::<CaseRead>(actor, &target).is_ok().then_some(title),
            Name::Request(code) => gate.check::<RequestRead>(actor, &target).is_ok().then_some(code),
            Name::None => None,
        };
        let held = entry.hold.is_some();
        let hold = entry.hold.filter(|_| gate.check::<HoldList>(actor, &target).is_ok());
        Due {
            rule: self.rule(&entry.what, &entry.reason),
            subject: entry.subject,
            what: entry.what,
            due: entry.due,
            held,
            reason: entry.reason,
            name,
            case: entry.case,
            hold: hold.map(|hold| KeptBy { id: hold.id, subject: hold.subject, basis: hold.basis }),
        }
    }

    fn rule(&self, what: &str, reason: &str) -> Option<RetentionRule> {
        let retention = &self.policy().retention;
        let (field, days) = match (what, reason) {
            ("mailbox", _) => ("mailbox_days", retention.mailbox_days),
            ("text", _) => ("draft_days", retention.draft_days),
            ("record", _) => ("record_days", retention.record_days),
            (_, "untriaged") => ("untriaged_days", retention.untriaged_days),
            (_, "declined") => ("declined_days", retention.declined_days),
            (_, "closed-case") => ("closed_case_days", retention.closed_case_days),
            _ => return None,
        };
        Some(RetentionRule { field: format!("retention.{field}"), days })
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

/// What an entry of the schedule is called, and so by which right its name is seen.
enum Name {
    None,
    Item(String),
    Case(String),
    Request(String),
}

/// An entry of the schedule, before it is said who reads it.
struct Entry {
    subject: String,
    what: String,
    due: Time,
    reason: String,
    name: Name,
    case: Option<CaseId>,
    hold: Option<Hold>,
}

fn entry(subject: impl ToString, what: &str, due: Time, hold: Option<Hold>, reason: &str) -> Entry {
    Entry {
        subject: subject.to_string(),
        what: what.into(),
        due,
        reason: reason.into(),
        name: Name::None,
        case: None,
        hold,
    }
}
