//! How long reads are kept under the law of an agency, how many there are, and what was forgotten: numbers, no reads.

use canvass_plates::{ClassName, SliceName};
use canvass_policy::Profile;
use canvass_types::{AuditId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeptFor, ReadsError};
use crate::{
    App, CoreError,
    access::{Actor, RetentionRead, Target},
    ports::{Query, Records, RecordsExt},
    records::AuditRecord,
};

/// Erasures that are named, the newest first.
const MOST_ERASED: u32 = 12;

/// One class of reads: those that met a hotlist, or those that met none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadsKept {
    /// The class; all agencies under the same law share it.
    #[schema(value_type = String)]
    pub class: ClassName,
    /// Whether these are reads that met a hotlist.
    pub hits: bool,
    /// The profile of law that says so.
    pub law: String,
    /// How long a read is kept, seconds from when it was seen; 0 when none is stored.
    pub seconds: u64,
    /// Length of the slices that are forgotten whole, seconds.
    pub slice_seconds: u32,
    /// How many there are now, of all agencies under this law.
    pub reads: u64,
    /// When the oldest can have been seen.
    pub oldest: Option<Time>,
    /// When the next slice goes.
    pub next: Option<Time>,
    /// What went, the newest first.
    pub erased: Vec<ErasedReads>,
}

/// Reads that were forgotten: their keys are destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedReads {
    /// When it was entered.
    pub at: Time,
    /// How many.
    pub reads: u64,
    /// From when on they were seen.
    pub from: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// The entry in the oversight ledger.
    pub entry: AuditId,
}

impl<R: Records> App<R> {
    /// How long reads are kept under the law of the actor's agency, how many there are in these slices, and what went. Who is of
    /// no agency sees every law under which there are or were reads.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn reads_kept(
        &self,
        actor: &Actor,
        slices: &[(SliceName, u64)],
    ) -> Result<Vec<ReadsKept>, CoreError> {
        self.look::<RetentionRead>(actor, &Target::maybe(actor.agency.as_ref(), "retention")).await?;
        let policies = self.gate().policies();
        let profiles: Vec<&Profile> = match &actor.agency {
            Some(own) => {
                let subdivision = self.agency(own).await?.record.subdivision;
                policies.profile_for(&subdivision).into_iter().collect()
            }
            None => policies.profiles(),
        };
        let mut all = Vec::new();
        for profile in profiles {
            for hits in [false, true] {
                all.extend(self.class_kept(profile, hits, slices).await?);
            }
        }
        if actor.agency.is_none() {
            all.retain(|kept| kept.reads > 0 || !kept.erased.is_empty());
        }
        Ok(all)
    }

    async fn class_kept(
        &self,
        profile: &Profile,
        hits: bool,
        slices: &[(SliceName, u64)],
    ) -> Result<Option<ReadsKept>, CoreError> {
        let Some(kept) = KeptFor::under(profile, hits).map_err(ReadsError::from)? else { return Ok(None) };
        let class = kept.class().name();
        let ours = || slices.iter().filter(|(slice, reads)| slice.class == *class && *reads > 0);
        let oldest = ours().map(|(slice, _)| slice.start).min();
        let after = i64::try_from(kept.seconds()).unwrap_or(i64::MAX);
        Ok(Some(ReadsKept {
            class: class.clone(),
            hits,
            law: profile.id.clone(),
            seconds: kept.seconds(),
            slice_seconds: kept.class().slice(),
            reads: ours().map(|(_, reads)| reads).sum(),
            oldest: oldest.map(Time::from_second),
            next: oldest.map(|start| Time::from_second(start.saturating_add(after))),
            erased: self.erased_of(class).await?,
        }))
    }

    /// The latest erasures of a class, as they were entered.
    async fn erased_of(&self, class: &ClassName) -> Result<Vec<ErasedReads>, CoreError> {
        let query =
            Query::<AuditRecord>::new().with("subject", class.as_str()).newest_first().limit(MOST_ERASED);
        let found = self.records().list(query).await?.into_iter().map(|found| found.record.body);
        let ours = found.filter(|body| body.action == "reads.erased");
        Ok(ours
            .map(|body| {
                let moment = |field: &str| body.detail.get(field)?.as_str()?.parse().ok();
                ErasedReads {
                    at: body.at,
                    reads: body.detail.get("reads").and_then(serde_json::Value::as_u64).unwrap_or(0),
                    from: moment("from"),
                    until: moment("until"),
                    entry: body.id,
                }
            })
            .collect())
    }
}
