//! Orders of destruction, and the record that they were carried out.

use canvass_types::{AgencyId, ErasureId, ItemId, Time};
use serde_json::json;

use super::end_mailbox;
use crate::{
    App, CoreError,
    access::{Job, Target},
    custody::{Change, Kept, anchor},
    ports::{Query, Records, RecordsExt, Versioned},
    records::{Erasure, Hold, OfferState, SealedBlob, SealedSightings},
};

/// Orders read at a time.
const STEP: u32 = 200;

impl<R: Records> App<R> {
    pub(crate) fn new_erasure(
        &self,
        agency: &AgencyId,
        subject: &str,
        blob: &SealedBlob,
        reason: &str,
        now: Time,
    ) -> Erasure {
        Erasure {
            id: ErasureId::random(self.entropy()),
            agency: agency.clone(),
            subject: subject.to_owned(),
            blob: blob.clone(),
            reason: reason.to_owned(),
            ordered: now,
            done: None,
        }
    }

    /// The order to destroy these bytes, done or not.
    pub(crate) async fn ordered(&self, blob: &SealedBlob) -> Result<Option<Versioned<Erasure>>, CoreError> {
        Ok(self.records().first(Query::<Erasure>::new().with("blob", &blob.blob)).await?)
    }

    pub(crate) async fn erasure_hold(&self, erasure: &Erasure) -> Result<Option<Hold>, CoreError> {
        match self.offer_of(&erasure.subject).await? {
            Some(offer) => self.offer_hold(&offer.record).await,
            None => {
                let id: ItemId = erasure.subject.parse().map_err(|_| CoreError::Hidden("offer or item"))?;
                self.item_hold(&self.load_item(&id).await?.record).await
            }
        }
    }

    /// Orders whose bytes may go now, oldest first. What a hold came over since the order is left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn erasures_due(&self, limit: u32) -> Result<Vec<Erasure>, CoreError> {
        let mut free = Vec::new();
        let mut after = None;
        loop {
            let query = Query::<Erasure>::new().with("state", "due").after(after).limit(STEP);
            let part = self.records().list(query).await?;
            let end = part.len() < STEP as usize;
            for Versioned { sequence, record, .. } in part {
                after = Some(sequence);
                if free.len() >= limit as usize {
                    return Ok(free);
                }
                if self.erasure_hold(&record).await?.is_none() {
                    free.push(record);
                }
            }
            if end {
                return Ok(free);
            }
        }
    }

    /// Puts on record that the bytes of an order are gone; call it once they are. Again, it changes nothing.
    ///
    /// # Errors
    /// When there is no such order.
    pub async fn erased(&self, id: &ErasureId) -> Result<(), CoreError> {
        let before = self.records().get::<Erasure>(id.as_str()).await?.ok_or(CoreError::Hidden("erasure"))?;
        if before.record.done.is_some() {
            return Ok(());
        }
        let now = self.now();
        if let Some(offer) = self.offer_of(&before.record.subject).await? {
            let target =
                Target::of(&before.record.agency, &offer.record.id).in_case(offer.record.case.clone());
            let mut change = Change::of(offer);
            let offer = &mut change.now;
            // A withdrawn offer began to end when it was withdrawn.
            if offer.state != OfferState::Withdrawn {
                end_mailbox(offer, now, self.policy());
            }
            offer.state = OfferState::Destroyed;
            offer.destroyed = Some(now);
            offer.due = None;
            return self.destroyed(before, change, target, now, None).await;
        }
        let item: ItemId = before.record.subject.parse().map_err(|_| CoreError::Hidden("offer or item"))?;
        let item = self.load_item(&item).await?;
        let target =
            Target::of(&before.record.agency, &item.record.id).in_case(Some(item.record.case.clone()));
        let mut change = Change::of(item);
        change.now.destroyed = Some(now);
        change.now.due = None;
        // What was seen in it goes with it.
        let seen: Option<Versioned<SealedSightings>> = self.records().get(change.now.id.as_str()).await?;
        self.destroyed(before, change, target, now, seen).await
    }

    async fn destroyed<T: Kept>(
        &self,
        before: Versioned<Erasure>,
        mut change: Change<T>,
        target: Target,
        now: Time,
        seen: Option<Versioned<SealedSightings>>,
    ) -> Result<(), CoreError> {
        let mut erasure = before.record.clone();
        erasure.done = Some(now);
        let particulars = json!({
            "erasure": erasure.id, "reason": erasure.reason,
            "sealed_sha256": erasure.blob.sha256, "sealed_bytes": erasure.blob.bytes,
        });
        change.event("destroyed", None, now, particulars);
        let head = anchor(change.now.head());
        self.system(Job::ErasureDone, target)
            .detail(json!({
                "erasure": erasure.id, "reason": erasure.reason, "sealed_sha256": erasure.blob.sha256,
                "custody": head,
            }))
            .with(|changes| seen.iter().fold(changes.update(&before, &erasure), |all, it| all.delete(it)))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(())
    }
}
