//! What was seen in evidence. The server has no key that opens a clip and never sees what is in it: what an agency's device
//! found in an item comes sealed to whom the item is sealed, and is kept with it.

use canvass_types::{Digest, ItemId, MemberId, Time};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    App, CoreError,
    access::{Actor, FootageIndex, ItemList, Target},
    custody::{Change, anchor},
    error::{accept, check_text, problem},
    ports::{Expect, Records, RecordsExt, Versioned},
    records::SealedSightings,
};

/// Most bytes of the sealed sightings of one item.
pub const MOST_SEALED: usize = 1024 * 1024;
/// How an age file begins: what is not sealed is not taken.
const SEALED: &[u8] = b"age-encryption.org/v1\n";
/// Lengths of a model's name and version, in characters.
const NAME: std::ops::RangeInclusive<usize> = 1..=64;

/// What was seen in an item, sealed on the agency's device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSightings {
    /// Name of the model that looked, 1 to 64 characters.
    pub model: String,
    /// Version of that model, 1 to 64 characters.
    pub version: String,
    /// Base64 of an age file of at most 1 MiB, sealed to whom the item is sealed: lines of JSON, one for each person or vehicle.
    pub sealed: String,
}

/// Bytes of what was seen would fill any log.
impl std::fmt::Debug for PutSightings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PutSightings({} {}, {} characters)", self.model, self.version, self.sealed.len())
    }
}

/// That somebody looked through an item, and with which model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedSightingsView {
    /// Which item.
    pub item: ItemId,
    /// Name of the model that looked.
    pub model: String,
    /// Version of that model.
    pub version: String,
    /// How many sealed bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// Who made it.
    pub by: MemberId,
    /// When.
    pub at: Time,
}

impl From<SealedSightings> for SealedSightingsView {
    fn from(it: SealedSightings) -> Self {
        Self {
            item: it.item,
            model: it.model,
            version: it.version,
            bytes: it.bytes,
            sha256: it.sha256,
            by: it.by,
            at: it.at,
        }
    }
}

impl PutSightings {
    fn check(&self) -> Result<Vec<u8>, CoreError> {
        let mut problems = Vec::new();
        check_text(&mut problems, "model", &self.model, NAME);
        check_text(&mut problems, "version", &self.version, NAME);
        let long = self.sealed.len() > MOST_SEALED.div_ceil(3) * 4;
        let bytes = if long { None } else { BASE64.decode(self.sealed.as_bytes()).ok() };
        let bytes = bytes.filter(|bytes| bytes.len() <= MOST_SEALED);
        match &bytes {
            None => {
                let message = format!("this is no Base64 of at most {} KiB", MOST_SEALED / 1_024);
                let remedy = "encode it by RFC 4648, with padding; leave out what was seen least surely";
                problems.push(problem("sealed", "form", &message, remedy));
            }
            Some(bytes) if !bytes.starts_with(SEALED) => {
                let message = "what was seen in evidence must be sealed, and this is no age file";
                problems.push(problem("sealed", "sealed", message, "seal it to whom the item is sealed"));
            }
            Some(_) => {}
        }
        accept(problems)?;
        Ok(bytes.unwrap_or_default())
    }
}

impl<R: Records> App<R> {
    /// Stores what was seen in an item, sealed, in place of what another look found; the item's chain of custody names it.
    ///
    /// # Errors
    /// When there is none for the actor, it is destroyed or about to be, or the bytes are not sealed or too many.
    pub async fn put_sightings(
        &self,
        actor: &Actor,
        id: &ItemId,
        wish: &PutSightings,
    ) -> Result<SealedSightingsView, CoreError> {
        let before = self.load_item(id).await?;
        let target = Target::of(&before.record.agency, id).in_case(Some(before.record.case.clone()));
        let intent = self.allow::<FootageIndex>(actor, target, None).await?;
        if before.record.destroyed.is_some() {
            return Err(CoreError::state("the item is destroyed", "look at its custody for when and why"));
        }
        self.not_ordered(&before.record.sealed, || self.item_hold(&before.record)).await?;
        let bytes = wish.check()?;
        let stored: Option<Versioned<SealedSightings>> = self.records().get(id.as_str()).await?;
        let now = self.now();
        let sealed = SealedSightings {
            item: id.clone(),
            agency: before.record.agency.clone(),
            case: before.record.case.clone(),
            model: wish.model.trim().to_owned(),
            version: wish.version.trim().to_owned(),
            sealed: wish.sealed.clone(),
            bytes: bytes.len() as u64,
            sha256: Digest::of(&bytes),
            by: actor.member.clone(),
            at: now,
        };
        let mut change = Change::of(before);
        let particulars = json!({
            "model": sealed.model, "version": sealed.version,
            "sightings_sha256": sealed.sha256, "sightings_bytes": sealed.bytes,
        });
        change.event("indexed", Some(&actor.member), now, particulars);
        let expect = stored.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
        intent
            .detail(json!({
                "model": sealed.model, "version": sealed.version, "sightings_sha256": sealed.sha256,
                "custody": anchor(&change.now.custody),
            }))
            .with(|changes| changes.put(&sealed, expect))
            .keep(&change)
            .commit(self.records())
            .await?;
        Ok(sealed.into())
    }

    /// Who looked through an item, when and with which model.
    ///
    /// # Errors
    /// When there is no such item for the actor, or nobody looked through it.
    pub async fn sightings_of(&self, actor: &Actor, id: &ItemId) -> Result<SealedSightingsView, CoreError> {
        let item = self.load_item(id).await?.record;
        self.gate().check::<ItemList>(actor, &Target::of(&item.agency, id))?;
        let found: Option<Versioned<SealedSightings>> = self.records().get(id.as_str()).await?;
        Ok(found.ok_or(CoreError::Hidden("sightings"))?.record.into())
    }
}
