//! Altered copies of items: redaction and transcoding always make a new item, and leave the original as it is.
//!
//! Original and copy name each other in their chains of custody: the original's event `copied` names the copy, and the
//! copy's first event holds the head that the original's chain had then.

use canvass_types::{Digest, ItemId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::ItemView;
use crate::{
    App, CoreError,
    access::{Actor, ItemCopy, Target},
    custody::{self, Change, anchor, anchors},
    error::{accept, check_text, problem},
    ports::Records,
    records::{Alteration, AlterationKind, Annotations, Item, SealedBlob},
};

const NAME: std::ops::RangeInclusive<usize> = 1..=200;
const NOTE: std::ops::RangeInclusive<usize> = 3..=500;
const TOOL: std::ops::RangeInclusive<usize> = 1..=100;

/// An altered copy of an item that is to be added, sealed by itself on the agency's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCopy {
    /// The bag with the copy alone, already in the store of blobs.
    pub sealed: SealedBlob,
    /// Why it was made.
    pub kind: AlterationKind,
    /// What was altered, and why, 3 to 500 characters.
    pub note: String,
    /// Program and version that made it, 1 to 100 characters.
    pub tool: String,
    /// File name in the bag; another one than the original's.
    pub name: String,
    /// SHA-256 of the copy.
    pub sha256: Digest,
    /// Length of the copy.
    pub bytes: u64,
}

fn check(wish: &NewCopy, original: &Item) -> Result<(), CoreError> {
    let mut problems = Vec::new();
    check_text(&mut problems, "note", &wish.note, NOTE);
    check_text(&mut problems, "tool", &wish.tool, TOOL);
    check_text(&mut problems, "name", &wish.name, NAME);
    let same_name = wish.name.to_lowercase() == original.name.to_lowercase();
    for (field, rule, wrong, message, remedy) in [
        ("name", "same", same_name, "the original has this file name", "add a word, such as -redacted"),
        (
            "name",
            "separator",
            wish.name.contains(['/', '\\']),
            "it is a path and no file name",
            "leave the folders out",
        ),
        (
            "sha256",
            "same",
            wish.sha256 == original.sha256,
            "the copy is the original, byte for byte",
            "add only what was altered",
        ),
        ("bytes", "empty", wish.bytes == 0, "the copy is empty", "make it again"),
        (
            "sealed",
            "blob",
            wish.sealed.blob.is_empty() || wish.sealed.bytes == 0 || wish.sealed.blob == original.sealed.blob,
            "it is no bag of its own",
            "seal the copy by itself and upload it",
        ),
    ] {
        if wrong {
            problems.push(problem(field, rule, message, remedy));
        }
    }
    accept(problems)
}

impl<R: Records> App<R> {
    /// Adds an altered copy of an item to its case, as an item of its own. The original stays as it is.
    ///
    /// # Errors
    /// When there is none for the actor, it is destroyed or about to be, the case is closed or full, or the copy is not
    /// told apart from the original.
    pub async fn copy_item(&self, actor: &Actor, id: &ItemId, wish: &NewCopy) -> Result<ItemView, CoreError> {
        let before = self.load_item(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(before.record.case.clone()));
        let intent = self.allow::<ItemCopy>(actor, target, None).await?;
        if before.record.destroyed.is_some() {
            return Err(CoreError::state("the item is destroyed", "look at its custody for when and why"));
        }
        self.not_ordered(&before.record.sealed, || self.item_hold(&before.record)).await?;
        // A withdrawal that is granted meanwhile takes all items of the offer; one that waits is answered first.
        let offer = self.load_offer(&before.record.offer).await?;
        offer.record.not_wanted_back()?;
        check(wish, &before.record)?;
        let case = self.open_case_of(&before.record.agency, &before.record.case).await?;
        self.room_for(&case, &wish.sealed).await?;
        let now = self.now();
        let copy = ItemId::random(self.entropy());
        let mut change = Change::of(before);
        let particulars =
            json!({ "copy": copy, "kind": wish.kind, "sha256": wish.sha256, "bytes": wish.bytes });
        change.event("copied", Some(&actor.member), now, particulars);
        let original = &change.now;
        let (note, tool) = (wish.note.trim().to_owned(), wish.tool.trim().to_owned());
        let particulars = json!({
            "copy_of": original.id, "kind": wish.kind, "note": note, "tool": tool,
            "offer": original.offer, "clip": original.clip, "case": original.case,
            "sha256": wish.sha256, "bytes": wish.bytes,
            "sealed_sha256": wish.sealed.sha256, "sealed_bytes": wish.sealed.bytes,
            "original_sha256": original.sha256, "original_custody": anchor(&original.custody),
        });
        let (first, custody) =
            custody::next(None, copy.as_str(), "copy-made", Some(&actor.member), now, particulars);
        let item = Item {
            id: copy,
            name: wish.name.clone(),
            bytes: wish.bytes,
            sha256: wish.sha256,
            sealed: wish.sealed.clone(),
            added: now,
            due: None,
            destroyed: None,
            annotations: Annotations::default(),
            custody,
            copy_of: Some(original.id.clone()),
            alteration: Some(Alteration { kind: wish.kind, note, by: actor.member.clone(), at: now, tool }),
            ..original.clone()
        };
        let detail = json!({
            "copy": item.id, "kind": wish.kind, "sha256": item.sha256, "custody": anchor(&original.custody),
            "others": anchors([(item.id.to_string(), &item.custody)]),
        });
        intent
            .detail(detail)
            .with(|changes| changes.insert(&item).insert(&first).depends_on(&case).depends_on(&offer))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(ItemView::from(&item))
    }
}
