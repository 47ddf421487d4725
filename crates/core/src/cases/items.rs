//! Items: single pieces of evidence.

use canvass_types::{AgencyId, CaseId, Digest, ItemId, OfferId, Purpose, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::load::{Page, page};
use crate::{
    App, CoreError,
    access::{Actor, Grant, ItemAnnotate, ItemList, ItemRead, Job, Target},
    custody::{Change, Kept, anchor},
    inbox::{Annotate, WorkFilter, own_target},
    ports::{Query, Records, RecordsExt},
    records::{Alteration, Annotations, CustodyEvent, CustodyHead, Hold, Item},
};

/// An item, as the agency sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
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
    /// SHA-256 of the sealed bag with this clip.
    pub sealed_sha256: Digest,
    /// Its length.
    pub sealed_bytes: u64,
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
    /// The item that it is an altered copy of; null for an original.
    #[serde(default)]
    pub copy_of: Option<ItemId>,
    /// How it was altered; null for an original.
    #[serde(default)]
    pub alteration: Option<Alteration>,
}

impl From<&Item> for ItemView {
    fn from(item: &Item) -> Self {
        Self {
            id: item.id.clone(),
            agency: item.agency.clone(),
            case: item.case.clone(),
            offer: item.offer.clone(),
            clip: item.clip,
            name: item.name.clone(),
            bytes: item.bytes,
            sha256: item.sha256,
            sealed_sha256: item.sealed.sha256,
            sealed_bytes: item.sealed.bytes,
            destination: item.destination.clone(),
            added: item.added,
            due: item.due,
            destroyed: item.destroyed,
            annotations: item.annotations.clone(),
            custody: item.custody,
            copy_of: item.copy_of.clone(),
            alteration: item.alteration.clone(),
        }
    }
}

/// An item with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemDetail {
    /// The item.
    #[serde(flatten)]
    pub item: ItemView,
    /// Holds in force on it, its case or its offer.
    pub holds: Vec<Hold>,
    /// Altered copies that were made of it.
    pub copies: Vec<ItemView>,
    /// The item that it was made from; null for an original.
    pub original: Option<ItemView>,
}

/// Which items to list; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ItemFilter {
    /// Of this case.
    pub case: Option<CaseId>,
    /// From this offer.
    pub offer: Option<OfferId>,
    /// Altered copies of this item.
    pub copy_of: Option<ItemId>,
    /// Who works on it, tags, notes, reminders.
    pub work: WorkFilter,
    /// From behind this place, as the part before said.
    pub after: Option<u64>,
    /// At most so many, 1 to 200; 50 when not given.
    pub limit: Option<u32>,
}

impl<R: Records> App<R> {
    /// Items of the actor's agency, newest first.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn items(&self, actor: &Actor, filter: &ItemFilter) -> Result<Page<ItemView>, CoreError> {
        let target = own_target(actor, "items");
        self.gate().check::<ItemList>(actor, &target)?;
        let mut query = Query::<Item>::new().with("agency", target.agency.ok_or(CoreError::Hidden("items"))?);
        if let Some(case) = &filter.case {
            query = query.with("case_id", case);
        }
        if let Some(offer) = &filter.offer {
            query = query.with("offer", offer);
        }
        let now = self.now();
        let keep = |item: &Item| {
            (filter.copy_of.is_none() || item.copy_of == filter.copy_of)
                && filter.work.meets(&item.annotations, &actor.member, now)
        };
        let found = page(self.records(), query, (filter.after, filter.limit), keep).await?;
        Ok(Page { entries: found.entries.iter().map(ItemView::from).collect(), next: found.next })
    }

    /// One item.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn item(&self, actor: &Actor, id: &ItemId) -> Result<ItemView, CoreError> {
        let item = self.load_item(id).await?.record;
        self.gate().check::<ItemList>(actor, &Target::of(&item.agency, id))?;
        Ok(ItemView::from(&item))
    }

    /// One item with its holds, its altered copies, and what it was made from.
    ///
    /// # Errors
    /// When there is none for the actor.
    pub async fn item_detail(&self, actor: &Actor, id: &ItemId) -> Result<ItemDetail, CoreError> {
        let item = self.load_item(id).await?.record;
        self.gate().check::<ItemList>(actor, &Target::of(&item.agency, id))?;
        let mut holds = Vec::new();
        for subject in [id.as_str(), item.case.as_str(), item.offer.as_str()] {
            holds.extend(self.holds_on(subject).await?.into_iter().filter(|hold| hold.released.is_none()));
        }
        let related = self.items_of_offer(&item.offer).await?;
        let copies = related.iter().filter(|each| each.record.copy_of.as_ref() == Some(id));
        let original = related.iter().find(|each| Some(&each.record.id) == item.copy_of.as_ref());
        Ok(ItemDetail {
            holds,
            copies: copies.map(|each| ItemView::from(&each.record)).collect(),
            original: original.map(|each| ItemView::from(&each.record)),
            item: ItemView::from(&item),
        })
    }

    /// Gives an item's sealed bytes out, once the reading is on record.
    ///
    /// # Errors
    /// When there is none for the actor, the purpose is missing, or the item is destroyed or about to be.
    pub async fn read_item(
        &self,
        actor: &Actor,
        id: &ItemId,
        purpose: &Purpose,
    ) -> Result<Grant<ItemRead>, CoreError> {
        let before = self.load_item(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(before.record.case.clone()));
        let purpose = self.for_case(purpose, Some(&before.record.case)).await?;
        let intent = self.allow::<ItemRead>(actor, target, Some(&purpose)).await?;
        if before.record.destroyed.is_some() {
            return Err(CoreError::state("the item is destroyed", "look at its custody for when and why"));
        }
        self.not_ordered(&before.record.sealed, || self.item_hold(&before.record)).await?;
        let sealed = before.record.sealed.clone();
        let mut change = Change::of(before);
        let particulars = json!({ "sealed_sha256": sealed.sha256 });
        change.event("read", Some(&actor.member), self.now(), particulars);
        let detail = json!({ "sealed_sha256": sealed.sha256, "custody": anchor(&change.now.custody) });
        let intent = intent.for_blob(&sealed).detail(detail).keep(&change);
        Ok(intent.commit(self.records()).await?)
    }

    /// Changes notes, tags, assignment and reminder of an item.
    ///
    /// # Errors
    /// When there is none for the actor, or the change is out of limits.
    pub async fn annotate_item(
        &self,
        actor: &Actor,
        id: &ItemId,
        wish: &Annotate,
    ) -> Result<ItemView, CoreError> {
        let before = self.load_item(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(before.record.case.clone()));
        let intent = self.allow::<ItemAnnotate>(actor, target, None).await?;
        let item = &before.record;
        let (after, mut detail) = self.annotated(actor, &item.agency, &item.annotations, wish).await?;
        let mut change = Change::of(before);
        change.now.annotations = after;
        change.event("annotated", Some(&actor.member), self.now(), json!({}));
        if let Some(fields) = detail.as_object_mut() {
            fields.insert("custody".into(), anchor(&change.now.custody));
        }
        intent.detail(detail).keep(&change).commit(self.records()).await?;
        Ok(ItemView::from(&change.now))
    }

    /// Puts on record that sealed bytes of an offer or item differ from their digest. The same finding twice in a row is
    /// noted once.
    ///
    /// # Errors
    /// When there is no such offer or item.
    pub async fn integrity_failed(&self, subject: &str, found: &Digest) -> Result<(), CoreError> {
        if let Ok(id) = subject.parse::<OfferId>() {
            let offer = self.load_offer(&id).await?;
            let (expected, case) = (offer.record.envelope.sha256, offer.record.case.clone());
            let target = Target::of(&offer.record.agency, &id).in_case(case);
            return self.broken(Change::of(offer), target, expected, *found).await;
        }
        let id: ItemId = subject.parse().map_err(|_| CoreError::Hidden("offer or item"))?;
        let item = self.load_item(&id).await?;
        let (expected, case) = (item.record.sealed.sha256, Some(item.record.case.clone()));
        let target = Target::of(&item.record.agency, &id).in_case(case);
        self.broken(Change::of(item), target, expected, *found).await
    }

    async fn broken<T: Kept>(
        &self,
        mut change: Change<T>,
        target: Target,
        expected: Digest,
        found: Digest,
    ) -> Result<(), CoreError> {
        let last = change.now.head().length.saturating_sub(1);
        let key = format!("{}/{last:010}", target.subject);
        let detail = json!({ "expected": expected, "found": found });
        let known: Option<_> = self.records().get::<CustodyEvent>(&key).await?;
        if known.is_some_and(|it| it.record.event == "integrity-failed" && it.record.detail == detail) {
            return Ok(());
        }
        change.event("integrity-failed", None, self.now(), detail);
        let head = anchor(change.now.head());
        self.system(Job::IntegrityFailed, target)
            .detail(json!({ "expected": expected, "found": found, "custody": head }))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(())
    }
}
