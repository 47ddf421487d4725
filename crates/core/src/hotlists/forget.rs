//! Forgetting what is on versions that count no more: replaced, retired, refused, withdrawn, or never proposed.

use std::collections::BTreeMap;

use canvass_types::{HotlistVersionId, Time};
use serde_json::json;

use super::ended;
use crate::{
    App, CoreError,
    access::{Job, Target},
    cases::load::up_to,
    ports::{Kind, Query, Records, RecordsExt, Versioned},
    records::{HotlistPart, HotlistVersion, Proposal, ProposalState, VersionState},
};

/// Seconds for which the entries of an ended version stay: reads that came just before may still ask for them.
pub(super) const STAYS: i64 = 600;
/// Seconds after which parts that no version names are leftovers of an import that broke off.
const LEFTOVER: i64 = 3_600;
/// Versions that one round looks at.
const MOST: usize = 200;

impl<R: Records> App<R> {
    /// Ends versions whose proposals were not approved, and forgets the entries of ended ones; says how many it forgot.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn forget_hotlists(&self) -> Result<u32, CoreError> {
        let (now, mut forgotten) = (self.now(), 0);
        let proposed = Query::<HotlistVersion>::new().with("state", VersionState::Proposed.as_str());
        for version in up_to(self.records(), proposed, MOST).await? {
            let proposal: Option<Versioned<Proposal>> =
                self.records().get(version.record.proposal.as_str()).await?;
            let waits = proposal.is_some_and(|found| {
                matches!(found.record.state, ProposalState::Open | ProposalState::Approved)
            });
            if !waits {
                let over = ended(&version.record, now);
                let intent = self.system(Job::Housekeeping, Target::shared(&over.id));
                intent.with(|changes| changes.update(&version, &over)).commit(self.records()).await?;
            }
        }
        let over = Query::<HotlistVersion>::new().with("state", VersionState::Over.as_str());
        for version in up_to(self.records(), over, MOST).await? {
            if version.record.ended.is_none_or(|at| at.plus_seconds(STAYS) <= now) {
                self.forget_version(&version).await?;
                forgotten += 1;
            }
        }
        self.sweep_parts(now).await?;
        Ok(forgotten)
    }

    async fn forget_version(&self, version: &Versioned<HotlistVersion>) -> Result<(), CoreError> {
        let of = &version.record;
        self.drop_parts(&of.id).await?;
        let after = HotlistVersion { state: VersionState::Forgotten, ..of.clone() };
        self.system(Job::HotlistErased, Target::of(&of.agency, &of.list))
            .detail(json!({ "version": of.id, "entries": of.entries, "digest": of.digest }))
            .with(|changes| changes.update(version, &after))
            .commit(self.records())
            .await?;
        Ok(())
    }

    async fn drop_parts(&self, id: &HotlistVersionId) -> Result<(), CoreError> {
        let query = Query::<HotlistPart>::new().with("version_id", id).limit(1);
        while let Some(part) = self.records().first(query.clone()).await? {
            let intent = self.system(Job::Housekeeping, Target::shared("hotlist.part"));
            intent.with(|changes| changes.delete(&part)).commit(self.records()).await?;
        }
        Ok(())
    }

    /// Removes what an import that broke off left.
    async fn sweep_parts(&self, now: Time) -> Result<(), CoreError> {
        let parts: BTreeMap<String, u64> = self.records().count_by(Kind::HotlistPart, "version_id").await?;
        for id in parts.keys().filter_map(|id| id.parse::<HotlistVersionId>().ok()) {
            let known: Option<Versioned<HotlistVersion>> = self.records().get(id.as_str()).await?;
            if known.is_some() {
                continue;
            }
            let first = Query::<HotlistPart>::new().with("version_id", &id);
            let old = match self.records().first(first).await? {
                Some(part) => part.record.made.plus_seconds(LEFTOVER) <= now,
                None => false,
            };
            if old {
                self.drop_parts(&id).await?;
            }
        }
        Ok(())
    }
}
