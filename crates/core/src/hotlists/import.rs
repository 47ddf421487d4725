//! What is imported becomes a version, waits for a second person, and takes effect when they approve.

use canvass_types::{Digest, HotlistId, HotlistVersionId, ProposalId, canonical};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    HotlistVersionView, ended, facts_of,
    rows::{DiffLine, Differences, ImportHow, Imported, after_import, compare, digest_of},
};
use crate::{
    App, CoreError,
    access::{Actor, HotlistApprove, Intent, Job, Target},
    cases::load::every,
    hotlists::rows::BadRows,
    plates::RowProblem,
    ports::{Query, Records, RecordsExt, StoreError, Versioned},
    proposals::{decided, second, stale, still_open},
    records::{
        Hotlist, HotlistEntry, HotlistPart, HotlistVersion, InForce, Proposal, ProposalBody, ProposalState,
        VersionState,
    },
};

/// Entries of one part: with the longest reasons it stays far below what one record holds.
pub(super) const PART: usize = 5_000;
/// Most lines of a comparison that are shown.
const MOST_LINES: usize = 1_000;
/// Entries of a page.
const PAGE: usize = 500;

/// Leave to import into a list, before what is imported was looked at.
#[derive(Debug)]
pub struct Importing {
    list: Hotlist,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposedHotlist {
    /// The version, which waits for a second person.
    pub version: HotlistVersionView,
    /// How many rows there were.
    pub rows: u64,
    /// How many were bad and left out.
    pub refused: u64,
    /// Which, the first 100 of them.
    pub problems: Vec<RowProblem>,
}

/// How a version differs from the one that was in force when it was proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistDiff {
    /// The version.
    pub version: HotlistVersionView,
    /// The first 1,000 differences, in the order of plates.
    pub lines: Vec<DiffLine>,
    /// Whether there are more.
    pub more: bool,
    /// Why it can't be approved as things stand; null when it can, or is decided.
    pub stale: Option<String>,
}

/// A part of what is on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HotlistEntries {
    /// Entries, in the order of plates.
    pub items: Vec<HotlistEntry>,
    /// Give this as `after` for the following part; null at the end.
    pub next: Option<u64>,
}

fn gone() -> CoreError {
    CoreError::state("the entries of this version are gone", "import the list again")
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

impl<R: Records> App<R> {
    /// All entries of a version, in the order of plates.
    pub(super) async fn entries_of(
        &self,
        id: &HotlistVersionId,
        parts: u32,
    ) -> Result<Vec<HotlistEntry>, CoreError> {
        let mut entries = Vec::new();
        for number in 0..parts {
            entries.extend(self.part_of(id, number).await?.ok_or_else(gone)?.entries);
        }
        Ok(entries)
    }

    pub(crate) async fn part_of(
        &self,
        id: &HotlistVersionId,
        number: u32,
    ) -> Result<Option<HotlistPart>, CoreError> {
        let found = self.records().get::<HotlistPart>(&HotlistPart::key_of(id, number)).await?;
        Ok(found.map(|found| found.record))
    }

    pub(super) async fn load_version(
        &self,
        id: &HotlistVersionId,
    ) -> Result<Versioned<HotlistVersion>, CoreError> {
        self.records().get(id.as_str()).await?.ok_or(CoreError::Hidden("version of a hotlist"))
    }

    /// Begins an import, so that who may not is told so before they send a million rows.
    ///
    /// # Errors
    /// When the actor may not put anything on this list, it is retired, or nobody else could approve.
    pub async fn begin_import(&self, actor: &Actor, id: &HotlistId) -> Result<Importing, CoreError> {
        let list = self.load_hotlist(id).await?.record;
        // Not committed: the import itself is recorded when it is proposed.
        let _ = self.may_add(actor, &list).await?;
        if list.retired.is_some() {
            return Err(CoreError::state("the hotlist is retired", "make another one"));
        }
        self.needs_a_second::<HotlistApprove>(actor).await?;
        Ok(Importing { list })
    }

    /// Proposes what is to be on a hotlist. It alerts only once a second person of the agency approved it.
    ///
    /// # Errors
    /// When bad rows are not to be passed over, nothing would change, or the store does not answer.
    pub async fn propose_hotlist(
        &self,
        actor: &Actor,
        importing: &Importing,
        imported: Imported,
        (how, bad): (ImportHow, BadRows),
        reason: &str,
    ) -> Result<ProposedHotlist, CoreError> {
        let list = &importing.list;
        let (rows, refused) = (imported.rows, imported.refused);
        let (entries, problems) = imported.accept(bad)?;
        let base = self.version_in_force(list).await?;
        let before = match &base {
            Some(base) => self.entries_of(&base.record.id, base.record.parts).await?,
            None => Vec::new(),
        };
        let entries = after_import(&before, entries, how);
        let different = compare(&before, &entries, 0);
        if different.all() == 0 || entries.len() > super::MOST_ENTRIES {
            return Err(not_to_be_proposed(entries.len()));
        }
        let now = self.now();
        let mut version = HotlistVersion {
            id: HotlistVersionId::random(self.entropy()),
            list: list.id.clone(),
            agency: list.agency.clone(),
            base: base.map(|base| base.record.id),
            proposal: ProposalId::random(self.entropy()),
            parts: 0,
            entries: count(entries.len()),
            added: different.added,
            removed: different.removed,
            changed: different.changed,
            digest: digest_of(&entries),
            by: actor.member.clone(),
            at: now,
            state: VersionState::Proposed,
            ended: None,
        };
        let proposal = self.hotlist_proposal(actor, &version, reason)?;
        version.proposal = proposal.id.clone();
        version.parts = self.store_parts(&version.id, entries).await?;
        // Asked for a second time: reading a million rows takes a while.
        let intent = self.may_add(actor, list).await?;
        intent
            .detail(json!({
                "version": version.id, "digest": version.digest, "entries": version.entries,
                "added": version.added, "removed": version.removed, "changed": version.changed,
                "refused": refused, "proposal": proposal.id, "basis": list.basis,
            }))
            .with(|changes| changes.insert(&version).insert(&proposal))
            .commit(self.records())
            .await?;
        Ok(ProposedHotlist { version: (&version).into(), rows, refused, problems })
    }

    /// Lists in force whose entries are not those that were approved, for a check: each with what is wrong.
    ///
    /// # Errors
    /// The store's.
    pub async fn damaged_hotlists(&self) -> Result<Vec<(HotlistId, &'static str)>, CoreError> {
        let active = Query::<Hotlist>::new().with("state", "active");
        let mut damaged = Vec::new();
        for found in every(self.records(), active, usize::MAX).await? {
            let list = found.record;
            if list.in_force.is_none() {
                continue;
            }
            let Some(version) = self.version_in_force(&list).await? else {
                damaged.push((list.id, "the version in force is missing"));
                continue;
            };
            match self.entries_of(&version.record.id, version.record.parts).await {
                Ok(entries) if digest_of(&entries) == version.record.digest => {}
                Ok(_) => damaged.push((list.id, "its entries are not those that were approved")),
                Err(CoreError::State { .. }) => damaged.push((list.id, "a part of its entries is missing")),
                Err(other) => return Err(other),
            }
        }
        Ok(damaged)
    }

    fn hotlist_proposal(
        &self,
        actor: &Actor,
        version: &HotlistVersion,
        reason: &str,
    ) -> Result<Proposal, CoreError> {
        let what = json!({ "list": version.list, "version": version.id, "digest": version.digest });
        let digest = Digest::of(&canonical(&what).unwrap_or_default());
        let body = ProposalBody::Hotlist {
            list: version.list.clone(),
            version: version.id.clone(),
            base: version.base.clone(),
        };
        self.new_proposal(actor, Some(version.agency.clone()), body, digest, reason)
    }

    /// Writes entries in parts; says how many parts they are.
    async fn store_parts(&self, id: &HotlistVersionId, entries: Vec<HotlistEntry>) -> Result<u32, CoreError> {
        let (made, mut number) = (self.now(), 0);
        let mut rest = entries.into_iter().peekable();
        while rest.peek().is_some() {
            let entries: Vec<HotlistEntry> = rest.by_ref().take(PART).collect();
            let part = HotlistPart { version: id.clone(), number, made, entries };
            // No entry of the ledger: it counts nothing until a version names it.
            let intent: Intent<_> = self.system(Job::Housekeeping, Target::shared("hotlist.part"));
            intent.with(|changes| changes.insert(&part)).commit(self.records()).await?;
            number += 1;
        }
        Ok(number)
    }

    pub(crate) async fn approve_hotlist(
        &self,
        actor: &Actor,
        before: &Versioned<Proposal>,
        (id, version, base): (&HotlistId, &HotlistVersionId, Option<&HotlistVersionId>),
    ) -> Result<(), CoreError> {
        let list = self.load_hotlist(id).await?;
        let other = second(actor, &before.record);
        let facts = canvass_policy::Facts {
            others_proposal: other.others_proposal,
            approvals: other.approvals,
            ..facts_of(&list.record)
        };
        let target = Target::of(&list.record.agency, id).with(facts);
        let intent = self.allow::<HotlistApprove>(actor, target, None).await?;
        still_open(&before.record, self.now())?;
        self.not_stale(&list.record, base)?;
        let proposed = self.load_version(version).await?;
        let stored = self.entries_of(version, proposed.record.parts).await?;
        if digest_of(&stored) != proposed.record.digest {
            let reason = "the entries of a hotlist are not those that were proposed".to_owned();
            return Err(StoreError::Corrupt { table: "hotlist_parts", reason }.into());
        }
        let now = self.now();
        let in_force = InForce { version: version.clone(), entries: proposed.record.entries, since: now };
        let after = Hotlist { in_force: Some(in_force), ..list.record.clone() };
        let begun = HotlistVersion { state: VersionState::InForce, ..proposed.record.clone() };
        let approved = decided(&before.record, ProposalState::Approved, Some(&actor.member), now, None);
        let notice = self.notice::<HotlistApprove>(Some(&after.agency), None, id);
        let detail = json!({
            "proposal": approved.id, "kind": approved.body.kind(), "digest": approved.digest,
            "version": version, "entries": begun.entries,
        });
        let mut intent = intent.detail(detail).with(|changes| {
            changes.update(before, &approved).update(&list, &after).update(&proposed, &begun).insert(&notice)
        });
        if let Some(old) = self.version_in_force(&list.record).await? {
            let over = ended(&old.record, now);
            intent = intent.with(|changes| changes.update(&old, &over));
        }
        intent.commit(self.records()).await?;
        self.load_hotlists().await
    }

    pub(crate) fn not_stale(&self, list: &Hotlist, base: Option<&HotlistVersionId>) -> Result<(), CoreError> {
        if list.retired.is_some() {
            return Err(CoreError::state(
                "the hotlist is retired",
                "refuse the proposal, or make another list",
            ));
        }
        if list.in_force.as_ref().map(|it| &it.version) != base {
            return Err(stale("the hotlist"));
        }
        Ok(())
    }

    /// How a version differs from the one that was in force when it was proposed.
    ///
    /// # Errors
    /// When there is none for the actor, or its entries are gone.
    pub async fn hotlist_diff(
        &self,
        actor: &Actor,
        id: &HotlistId,
        version: &HotlistVersionId,
    ) -> Result<HotlistDiff, CoreError> {
        let list = self.readable(actor, id).await?.record;
        let version = self.load_version(version).await?.record;
        if version.list != *id {
            return Err(CoreError::Hidden("version of a hotlist"));
        }
        let lines = match self.differences(&version).await {
            Ok(found) => found.lines,
            // Of versions that count no more, only the numbers are left.
            Err(CoreError::State { .. }) => Vec::new(),
            Err(other) => return Err(other),
        };
        let all = version.added.saturating_add(version.removed).saturating_add(version.changed);
        let waits = version.state == VersionState::Proposed;
        let stale = if waits { self.not_stale(&list, version.base.as_ref()).err() } else { None };
        Ok(HotlistDiff {
            version: (&version).into(),
            more: all as usize > lines.len(),
            lines,
            stale: stale.map(|error| error.to_string()),
        })
    }

    async fn differences(&self, version: &HotlistVersion) -> Result<Differences, CoreError> {
        let before = match &version.base {
            Some(base) => self.entries_of(base, self.load_version(base).await?.record.parts).await?,
            None => Vec::new(),
        };
        let after = self.entries_of(&version.id, version.parts).await?;
        Ok(compare(&before, &after, MOST_LINES))
    }

    /// What is on a list now, part by part.
    ///
    /// # Errors
    /// When there is no such list for the actor.
    pub async fn hotlist_entries(
        &self,
        actor: &Actor,
        id: &HotlistId,
        after: Option<u64>,
    ) -> Result<HotlistEntries, CoreError> {
        let list = self.readable(actor, id).await?.record;
        let Some(in_force) = list.in_force else {
            return Ok(HotlistEntries { items: Vec::new(), next: None });
        };
        let (from, part) = (after.unwrap_or(0), PART as u64);
        let number = u32::try_from(from / part).unwrap_or(u32::MAX);
        let skipped = usize::try_from(from % part).unwrap_or(0);
        let part = self.part_of(&in_force.version, number).await?;
        let items: Vec<HotlistEntry> =
            part.into_iter().flat_map(|part| part.entries).skip(skipped).take(PAGE).collect();
        let end = from + items.len() as u64;
        let next = (!items.is_empty() && end < u64::from(in_force.entries)).then_some(end);
        Ok(HotlistEntries { items, next })
    }
}

fn not_to_be_proposed(entries: usize) -> CoreError {
    if entries > super::MOST_ENTRIES {
        let message = format!("the list would have more than {} entries", super::MOST_ENTRIES);
        return CoreError::field("rows", "most", &message, "make several lists of it");
    }
    let (message, remedy) = ("this is what the hotlist holds already", "nothing is left to do");
    CoreError::field("rows", "same", message, remedy)
}
