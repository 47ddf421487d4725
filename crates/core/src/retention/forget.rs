//! What is on record after the bytes are gone: it ends too. Rows of a chain of custody go with what they are about; the
//! head of the chain stays committed to in the oversight ledger.

use canvass_types::{AgencyId, RequestState, Time};
use serde_json::json;

use super::sweep::Outcome;
use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::load::every,
    custody::{Change, Kept, MOST_EVENTS, anchor},
    ports::{Changeset, Query, Record, Records, RecordsExt, Versioned},
    records::{
        Case, CustodyEvent, Finding, Hold, Invitation, Item, KeptReads, Member, Offer, OfferState,
        OwnVehicles, Request, RequestKey,
    },
};

/// Most holds on one thing that are read.
const MOST_HOLDS: usize = 1_000;

/// When an offer was over: its envelope destroyed, its mailbox and status file gone.
fn over(offer: &Offer) -> Option<Time> {
    let closed = offer.state == OfferState::Destroyed && offer.mailbox_due.is_none() && !offer.unpublished;
    offer.destroyed.filter(|_| closed)
}

/// A case with what goes with it.
pub(super) struct Gone {
    items: Vec<Versioned<Item>>,
    offers: Vec<Versioned<Offer>>,
    reads: Vec<Versioned<KeptReads>>,
    /// When the case was closed or the last of its bytes were destroyed, whichever is later.
    pub since: Time,
    /// A hold that keeps it.
    pub hold: Option<Hold>,
}

impl<R: Records> App<R> {
    /// What goes with a closed case; none while it is open, or bytes or a mailbox of it are left.
    pub(super) async fn gone(&self, case: &Case) -> Result<Option<Gone>, CoreError> {
        let Some(mut since) = case.closed else { return Ok(None) };
        let items = self.items_of_case(&case.id).await?;
        for item in &items {
            let Some(at) = item.record.destroyed else { return Ok(None) };
            since = since.max(at);
        }
        let reads = self.kept_of_case(&case.id).await?;
        for kept in &reads {
            let Some(at) = kept.record.destroyed else { return Ok(None) };
            since = since.max(at);
        }
        let offers = self.offers_of_case(case, &items).await?;
        for offer in &offers {
            let Some(at) = over(&offer.record) else { return Ok(None) };
            since = since.max(at);
        }
        let mut hold = self.active_hold(case.id.as_str()).await?;
        let items_and_offers = items.iter().map(|item| item.record.id.to_string());
        for subject in items_and_offers.chain(offers.iter().map(|offer| offer.record.id.to_string())) {
            if hold.is_none() {
                hold = self.active_hold(&subject).await?;
            }
        }
        Ok(Some(Gone { items, offers, reads, since, hold }))
    }

    /// Removes a case whose bytes were all gone by then: items first, then offers, the case last. Each goes by itself, so
    /// that the next pass can go on where this one ended.
    pub(super) async fn forget_case(&self, before: Versioned<Case>, by: Time) -> Result<Outcome, CoreError> {
        let case = &before.record;
        if self.active_hold(case.id.as_str()).await?.is_some() {
            return Ok(Outcome::Held);
        }
        let Some(gone) = self.gone(case).await?.filter(|gone| gone.since <= by) else {
            return Ok(Outcome::Left);
        };
        if gone.hold.is_some() {
            return Ok(Outcome::Held);
        }
        let (items, offers) = (gone.items.len(), gone.offers.len());
        for item in gone.items {
            let target = Target::of(&case.agency, &item.record.id).in_case(Some(case.id.clone()));
            let offer = gone.offers.iter().find(|offer| offer.record.id == item.record.offer);
            let guard = |changes: Changeset| {
                offer.iter().fold(changes.depends_on(&before), |all, it| all.depends_on(it))
            };
            self.forget_row(item, target, guard).await?;
        }
        for kept in gone.reads {
            let target = Target::of(&case.agency, &kept.record.id).in_case(Some(case.id.clone()));
            self.forget_row(kept, target, |changes| changes.depends_on(&before)).await?;
        }
        for offer in gone.offers {
            self.leave_case(offer, &before).await?;
        }
        let holds = self.past_holds(case.id.as_str()).await?;
        self.system(Job::RecordForgotten, Target::of(&case.agency, &case.id).in_case(Some(case.id.clone())))
            .detail(json!({ "items": items, "offers": offers, "holds": holds.len() }))
            .with(|changes| holds.iter().fold(changes.delete(&before), Changeset::delete))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    /// Removes an offer of a case that goes; one that items of other cases came from, or that belongs to another case,
    /// stays with them.
    async fn leave_case(&self, offer: Versioned<Offer>, case: &Versioned<Case>) -> Result<(), CoreError> {
        let id = &case.record.id;
        let ours = offer.record.case.as_ref() == Some(id);
        if offer.record.case.is_some() && !ours {
            return Ok(());
        }
        let target = Target::of(&case.record.agency, &offer.record.id).in_case(Some(id.clone()));
        if self.items_of_offer(&offer.record.id).await?.is_empty() {
            return self.forget_row(offer, target, |changes| changes.depends_on(case)).await;
        }
        if !ours {
            return Ok(());
        }
        let mut change = Change::of(offer);
        change.now.case = None;
        change.event("case-forgotten", None, self.now(), json!({ "case": id }));
        let head = anchor(change.now.head());
        self.system(Job::RecordForgotten, target)
            .detail(json!({ "case": id, "custody": head }))
            .with(|changes| changes.depends_on(case))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Removes an offer that belonged to no case.
    pub(super) async fn forget_offer(&self, before: Versioned<Offer>) -> Result<Outcome, CoreError> {
        let offer = &before.record;
        if self.active_hold(offer.id.as_str()).await?.is_some() {
            return Ok(Outcome::Held);
        }
        if offer.case.is_some() || over(offer).is_none() || !self.items_of_offer(&offer.id).await?.is_empty()
        {
            return Ok(Outcome::Left);
        }
        let target = Target::of(&offer.agency, &offer.id);
        self.forget_row(before, target, |changes| changes).await?;
        Ok(Outcome::Done)
    }

    /// Removes one offer or item with its custody and the holds that it had. The record of it names the head of its chain.
    async fn forget_row<T: Kept>(
        &self,
        before: Versioned<T>,
        target: Target,
        guard: impl FnOnce(Changeset) -> Changeset + Send,
    ) -> Result<(), CoreError> {
        let key = before.record.key();
        let query = Query::<CustodyEvent>::new().with("subject", &key);
        let events = every(self.records(), query, MOST_EVENTS).await?;
        let holds = self.past_holds(&key).await?;
        let head = anchor(before.record.clone().head());
        self.system(Job::RecordForgotten, target)
            .detail(json!({ "custody": head, "holds": holds.len() }))
            .with(|changes| {
                let changes = events.iter().fold(changes.delete(&before), Changeset::delete);
                guard(holds.iter().fold(changes, Changeset::delete))
            })
            .commit(self.records())
            .await?;
        Ok(())
    }

    /// Holds on something that goes. All are released: one placed meanwhile changes what it is on, which the change that
    /// removes it meets as a conflict.
    async fn past_holds(&self, subject: &str) -> Result<Vec<Versioned<Hold>>, CoreError> {
        let mut holds =
            every(self.records(), Query::<Hold>::new().with("subject", subject), MOST_HOLDS).await?;
        holds.retain(|hold| hold.record.released.is_some());
        Ok(holds)
    }

    /// Removes the text of a refused or withheld request, and the key of a refused one, which no offer was sealed to.
    pub(super) async fn forget_text(&self, before: Versioned<Request>) -> Result<Outcome, CoreError> {
        let request = &before.record;
        if request.unpublished || self.text_needed(request).await? {
            return Ok(Outcome::Left);
        }
        let key: Option<Versioned<RequestKey>> = match request.state {
            RequestState::Refused => self.records().get(request.id.as_str()).await?,
            _ => None,
        };
        let mut after = request.clone();
        after.forget_text();
        self.system(Job::Housekeeping, Target::of(&request.agency, &request.id))
            .with(|changes| key.iter().fold(changes.update(&before, &after), |all, key| all.delete(key)))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }

    /// Whether receipts or bundles for court may need the signed text: an offer to the request, or a case that joins it,
    /// is on record.
    async fn text_needed(&self, request: &Request) -> Result<bool, CoreError> {
        let offers = Query::<Offer>::new().with("destination", &request.id);
        if self.records().first(offers).await?.is_some() {
            return Ok(true);
        }
        self.in_a_case(&request.agency, request.id.as_str()).await
    }

    async fn in_a_case(&self, agency: &AgencyId, destination: &str) -> Result<bool, CoreError> {
        let mut after = None;
        loop {
            let part = self.records().list(Query::<Case>::new().with("agency", agency).after(after)).await?;
            let Some(last) = part.last() else { return Ok(false) };
            after = Some(last.sequence);
            if part.iter().any(|case| case.record.destinations.iter().any(|each| each == destination)) {
                return Ok(true);
            }
        }
    }

    /// Drops a row of signing in: a token, passkey, federated account, session, enrolment or lock-out.
    pub(super) async fn drop_shared<T: Record>(&self, before: Versioned<T>) -> Result<Outcome, CoreError> {
        self.drop_row(&before, Target::shared(before.record.key())).await
    }

    pub(super) async fn drop_invitation(&self, before: Versioned<Invitation>) -> Result<Outcome, CoreError> {
        self.drop_row(&before, Target::of(&before.record.agency, &before.record.id)).await
    }

    async fn drop_row<T: Record>(&self, before: &Versioned<T>, target: Target) -> Result<Outcome, CoreError> {
        let housekeeping = self.system(Job::Housekeeping, target);
        housekeeping.with(|changes| changes.delete(before)).commit(self.records()).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn drop_finding(&self, before: Versioned<Finding>) -> Result<Outcome, CoreError> {
        self.drop_row(&before, Target::of(&before.record.agency, &before.record.id)).await
    }

    /// Takes the name, recipient and vehicles from a member who was stopped; the id stays, for records name it.
    pub(super) async fn forget_name(&self, before: Versioned<Member>) -> Result<Outcome, CoreError> {
        let mut member = before.record.clone();
        if member.active {
            return Ok(Outcome::Left);
        }
        Member::FORMER.clone_into(&mut member.name);
        member.recipient = None;
        let vehicles = self.records().get::<OwnVehicles>(member.id.as_str()).await?;
        self.system(Job::Housekeeping, Target::shared(&member.id))
            .with(|changes| vehicles.iter().fold(changes.update(&before, &member), Changeset::delete))
            .commit(self.records())
            .await?;
        Ok(Outcome::Done)
    }
}
