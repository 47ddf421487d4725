//! Legal holds. A hold on a case covers its items and offers; on an offer, its envelope and the items from it; on an
//! item, that item.
//!
//! Placing a hold changes the record of what it is on, so that an order of destruction decided at the same moment meets a
//! conflict: [`Cover::guard`] makes such an order depend on every record that a hold could be on.

use canvass_types::{AgencyId, CaseId, HoldId, ItemId, OfferId, Purpose};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::load::{Page, every, page};
use crate::{
    App, CoreError,
    access::{Actor, HoldList, HoldPlace, HoldRelease, Intent, Target},
    custody::{Change, Kept, anchor},
    error::{accept, check_text},
    ports::{Changeset, Query, Records, RecordsExt, Versioned},
    records::{Case, Hold, Item, Offer},
};

const BASIS: std::ops::RangeInclusive<usize> = 10..=500;
const REASON: std::ops::RangeInclusive<usize> = 10..=500;
/// Most holds that one thing had.
const MOST_HOLDS: usize = 1_000;

/// A hold to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// Id of the offer, item or case.
    pub subject: String,
    /// The legal basis, 3 to 500 characters.
    pub basis: String,
}

/// Which holds to list; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HoldFilter {
    /// Of this agency; the actor's own when not given.
    pub agency: Option<AgencyId>,
    /// On this offer, item or case.
    pub subject: Option<String>,
    /// Only those that are not released.
    pub active: bool,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

/// All that a hold on something could be on, and a hold that covers it now.
pub(crate) struct Cover {
    cases: Vec<Versioned<Case>>,
    offer: Option<Versioned<Offer>>,
    /// The first hold found.
    pub hold: Option<Hold>,
}

impl Cover {
    /// Makes a change depend on it.
    pub fn guard(&self, changes: Changeset) -> Changeset {
        let changes = self.cases.iter().fold(changes, Changeset::depends_on);
        self.offer.iter().fold(changes, Changeset::depends_on)
    }
}

/// What a hold can be on.
enum Subject {
    Case(Box<Versioned<Case>>),
    Offer(Box<Versioned<Offer>>),
    Item(Box<Versioned<Item>>),
}

impl Subject {
    fn of(&self) -> (&AgencyId, Option<CaseId>, bool) {
        match self {
            Self::Case(it) => (&it.record.agency, Some(it.record.id.clone()), false),
            Self::Offer(it) => (&it.record.agency, it.record.case.clone(), it.record.destroyed.is_some()),
            Self::Item(it) => {
                (&it.record.agency, Some(it.record.case.clone()), it.record.destroyed.is_some())
            }
        }
    }
}

impl<R: Records> App<R> {
    pub(crate) async fn active_hold(&self, subject: &str) -> Result<Option<Hold>, CoreError> {
        let query = Query::<Hold>::new().with("subject", subject).with("active", "yes");
        Ok(self.records().first(query).await?.map(|hold| hold.record))
    }

    /// What covers an offer's envelope.
    pub(crate) async fn offer_cover(&self, offer: &Offer) -> Result<Cover, CoreError> {
        let mut ids: Vec<CaseId> = offer.case.iter().cloned().collect();
        ids.extend(self.items_of_offer(&offer.id).await?.into_iter().map(|item| item.record.case));
        ids.sort();
        ids.dedup();
        let mut cover =
            Cover { cases: Vec::new(), offer: None, hold: self.active_hold(offer.id.as_str()).await? };
        for id in ids {
            // Read the case before its holds: one placed in between changes the case, and the guard sees that.
            cover.cases.push(self.load_case(&id).await?);
            if cover.hold.is_none() {
                cover.hold = self.active_hold(id.as_str()).await?;
            }
        }
        Ok(cover)
    }

    /// What covers an item.
    pub(crate) async fn item_cover(&self, item: &Item) -> Result<Cover, CoreError> {
        let cases = vec![self.load_case(&item.case).await?];
        let offer = Some(self.load_offer(&item.offer).await?);
        let mut hold = None;
        for subject in [item.id.as_str(), item.case.as_str(), item.offer.as_str()] {
            if hold.is_none() {
                hold = self.active_hold(subject).await?;
            }
        }
        Ok(Cover { cases, offer, hold })
    }

    pub(crate) async fn offer_hold(&self, offer: &Offer) -> Result<Option<Hold>, CoreError> {
        Ok(self.offer_cover(offer).await?.hold)
    }

    pub(crate) async fn item_hold(&self, item: &Item) -> Result<Option<Hold>, CoreError> {
        Ok(self.item_cover(item).await?.hold)
    }

    pub(crate) async fn holds_on(&self, subject: &str) -> Result<Vec<Hold>, CoreError> {
        let found = every(self.records(), Query::<Hold>::new().with("subject", subject), MOST_HOLDS).await?;
        Ok(found.into_iter().map(|hold| hold.record).collect())
    }

    /// Holds on a case, its items and its offers.
    pub(crate) async fn holds_of_case(
        &self,
        case: &Case,
        items: &[Versioned<Item>],
        offers: &[Versioned<Offer>],
    ) -> Result<Vec<Hold>, CoreError> {
        let mut subjects = vec![case.id.as_str()];
        subjects.extend(items.iter().map(|item| item.record.id.as_str()));
        subjects.extend(offers.iter().map(|offer| offer.record.id.as_str()));
        let mut holds = Vec::new();
        for subject in subjects {
            holds.extend(self.holds_on(subject).await?);
        }
        Ok(holds)
    }

    async fn hold_subject(&self, id: &str) -> Result<Subject, CoreError> {
        if let Ok(id) = id.parse::<CaseId>() {
            return Ok(Subject::Case(Box::new(self.load_case(&id).await?)));
        }
        if let Ok(id) = id.parse::<OfferId>() {
            return Ok(Subject::Offer(Box::new(self.load_offer(&id).await?)));
        }
        let id: ItemId = id.parse().map_err(|_| CoreError::Hidden("offer, item or case"))?;
        Ok(Subject::Item(Box::new(self.load_item(&id).await?)))
    }

    /// Places a hold on an offer, item or case. What it covers stays until the hold is released.
    ///
    /// # Errors
    /// When there is none for the actor, it is destroyed, or the basis is missing.
    pub async fn place_hold(&self, actor: &Actor, wish: &NewHold) -> Result<Hold, CoreError> {
        let subject = self.hold_subject(&wish.subject).await?;
        let (agency, case, gone) = subject.of();
        let target = Target::of(agency, &wish.subject).in_case(case);
        let intent = self.allow::<HoldPlace>(actor, target, None).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "basis", &wish.basis, BASIS);
        accept(problems)?;
        if gone {
            return Err(CoreError::state("its bytes are destroyed", "look at its custody for when and why"));
        }
        let hold = Hold {
            id: HoldId::random(self.entropy()),
            agency: agency.clone(),
            subject: wish.subject.clone(),
            basis: wish.basis.trim().to_owned(),
            by: actor.member.clone(),
            placed: self.now(),
            released: None,
        };
        let intent = intent.with(|changes| changes.insert(&hold));
        self.commit_hold(actor, intent, subject, &hold, "held").await?;
        Ok(hold)
    }

    /// Releases a hold: what it covered goes when its time is over.
    ///
    /// # Errors
    /// When there is none for the actor, it is released, or the reason is missing.
    pub async fn release_hold(&self, actor: &Actor, id: &HoldId, reason: &str) -> Result<Hold, CoreError> {
        let before = self.records().get::<Hold>(id.as_str()).await?.ok_or(CoreError::Hidden("hold"))?;
        let subject = self.hold_subject(&before.record.subject).await?;
        let target = Target::of(&before.record.agency, &before.record.subject).in_case(subject.of().1);
        let intent = self.allow::<HoldRelease>(actor, target, Some(&Purpose::reason(reason.trim()))).await?;
        let mut problems = Vec::new();
        check_text(&mut problems, "reason", reason, REASON);
        accept(problems)?;
        if before.record.released.is_some() {
            return Err(CoreError::state("the hold is released already", "look at the list of holds"));
        }
        let mut hold = before.record.clone();
        hold.released = Some(self.now());
        let intent = intent.with(|changes| changes.update(&before, &hold));
        self.commit_hold(actor, intent, subject, &hold, "hold-released").await?;
        Ok(hold)
    }

    async fn commit_hold<A>(
        &self,
        actor: &Actor,
        intent: Intent<A>,
        subject: Subject,
        hold: &Hold,
        event: &str,
    ) -> Result<(), CoreError> {
        let intent = match subject {
            Subject::Case(case) => {
                intent.detail(json!({ "hold": hold.id })).with(|changes| changes.update(&case, &case.record))
            }
            Subject::Offer(offer) => self.with_event(actor, intent, Change::of(*offer), hold, event),
            Subject::Item(item) => self.with_event(actor, intent, Change::of(*item), hold, event),
        };
        intent.commit(self.records()).await?;
        Ok(())
    }

    fn with_event<A, T: Kept>(
        &self,
        actor: &Actor,
        intent: Intent<A>,
        mut change: Change<T>,
        hold: &Hold,
        event: &str,
    ) -> Intent<A> {
        change.event(event, Some(&actor.member), self.now(), json!({ "hold": hold.id }));
        let head = anchor(change.now.head());
        intent.detail(json!({ "hold": hold.id, "custody": head })).keep(&change)
    }

    /// Holds, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn holds(&self, actor: &Actor, filter: &HoldFilter) -> Result<Page<Hold>, CoreError> {
        let agency = filter.agency.clone().or_else(|| actor.agency.clone());
        let target = Target::maybe(agency.as_ref(), "holds");
        self.gate().check::<HoldList>(actor, &target)?;
        let mut query = Query::<Hold>::new();
        if let Some(agency) = agency {
            query = query.with("agency", agency);
        }
        if let Some(subject) = &filter.subject {
            query = query.with("subject", subject);
        }
        if filter.active {
            query = query.with("active", "yes");
        }
        page(self.records(), query, (filter.after, filter.limit), |_| true).await
    }
}
