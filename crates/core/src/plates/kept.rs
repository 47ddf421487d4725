//! How long reads and sightings are kept under the law of an agency, how many there are, and what was forgotten: numbers alone.

use std::collections::BTreeMap;

use canvass_plates::{ClassName, SliceName};
use canvass_policy::Profile;
use canvass_types::{AuditId, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeptFor, ReadsError, kept_seconds};
use crate::{
    App, CoreError,
    access::{Actor, RetentionRead, Target},
    ports::{Kind, Query, Records, RecordsExt},
    records::AuditRecord,
};

/// Erasures that are named, the newest first.
const MOST_ERASED: u32 = 12;

/// Suffix of the class of sightings. No slice of reads has it.
const SIGHTINGS: &str = "sightings";

/// What a class holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeptWhat {
    /// Plate reads that met no hotlist.
    Reads,
    /// Plate reads that met one.
    Hits,
    /// People and vehicles that cameras saw, with their pictures.
    Sightings,
}

impl KeptWhat {
    /// All of them.
    const ALL: [Self; 3] = [Self::Reads, Self::Hits, Self::Sightings];

    /// Action of the entry of what went, and the field of it that says how many.
    fn erased(self) -> (&'static str, &'static str) {
        match self {
            Self::Reads | Self::Hits => ("reads.erased", "reads"),
            Self::Sightings => ("sightings.erased", "sightings"),
        }
    }
}

/// One class: what one law keeps equally long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassKept {
    /// The class; all agencies under the same law share it.
    #[schema(value_type = String)]
    pub class: ClassName,
    /// What it holds: `reads` (plate reads that met no hotlist), `hits` (those that met one) or `sightings`.
    pub what: KeptWhat,
    /// The profile of law that says so.
    pub law: String,
    /// How long each is kept, seconds from when it was seen.
    pub seconds: u64,
    /// Length of the slices that are forgotten whole, seconds; 0 for sightings, which go one by one.
    pub slice_seconds: u32,
    /// How many there are now, of all agencies under this law.
    pub count: u64,
    /// When the oldest can have been seen.
    pub oldest: Option<Time>,
    /// When the next are due.
    pub next: Option<Time>,
    /// What went, the newest first.
    pub erased: Vec<ClassErased>,
}

/// What was forgotten: of reads the keys are destroyed, of sightings the rows and pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassErased {
    /// When it was entered.
    pub at: Time,
    /// How many.
    pub count: u64,
    /// From when on they were seen.
    pub from: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// The entry in the oversight ledger.
    pub entry: AuditId,
}

impl<R: Records> App<R> {
    /// How long reads and sightings are kept under the law of the actor's agency, how many there are (reads: in these slices), and
    /// what went. Who is of no agency sees every law under which there are or were some.
    ///
    /// # Errors
    /// When the actor may not.
    pub async fn reads_kept(
        &self,
        actor: &Actor,
        slices: &[(SliceName, u64)],
    ) -> Result<Vec<ClassKept>, CoreError> {
        self.look::<RetentionRead>(actor, &Target::maybe(actor.agency.as_ref(), "retention")).await?;
        let policies = self.gate().policies();
        let profiles: Vec<&Profile> = match &actor.agency {
            Some(own) => {
                let subdivision = self.agency(own).await?.record.subdivision;
                policies.profile_for(&subdivision).into_iter().collect()
            }
            None => policies.profiles(),
        };
        let sightings = self.records().count_by(Kind::CameraSighting, "law").await?;
        let mut all = Vec::new();
        for profile in profiles {
            for what in KeptWhat::ALL {
                all.extend(match what {
                    KeptWhat::Reads | KeptWhat::Hits => self.reads_class(profile, what, slices).await?,
                    KeptWhat::Sightings => self.sightings_class(profile, &sightings).await?,
                });
            }
        }
        if actor.agency.is_none() {
            all.retain(|kept| kept.count > 0 || !kept.erased.is_empty());
        }
        Ok(all)
    }

    async fn reads_class(
        &self,
        profile: &Profile,
        what: KeptWhat,
        slices: &[(SliceName, u64)],
    ) -> Result<Option<ClassKept>, CoreError> {
        let kept = KeptFor::under(profile, what == KeptWhat::Hits).map_err(ReadsError::from)?;
        let Some(kept) = kept else { return Ok(None) };
        let class = kept.class().name();
        let ours = || slices.iter().filter(|(slice, reads)| slice.class == *class && *reads > 0);
        let oldest = ours().map(|(slice, _)| slice.start).min();
        Ok(Some(ClassKept {
            class: class.clone(),
            what,
            law: profile.id.clone(),
            seconds: kept.seconds(),
            slice_seconds: kept.class().slice(),
            count: ours().map(|(_, reads)| reads).sum(),
            oldest: oldest.map(Time::from_second),
            next: oldest.map(|start| due(start, kept.seconds())),
            erased: self.erased_of(what, class.as_str()).await?,
        }))
    }

    async fn sightings_class(
        &self,
        profile: &Profile,
        counted: &BTreeMap<String, u64>,
    ) -> Result<Option<ClassKept>, CoreError> {
        let seconds = kept_seconds(profile, false);
        let count = counted.get(&profile.id).copied().unwrap_or(0);
        let erased = self.erased_of(KeptWhat::Sightings, &profile.id).await?;
        if seconds == 0 && count == 0 && erased.is_empty() {
            return Ok(None);
        }
        let oldest = if count > 0 { self.oldest_sighting(&profile.id).await? } else { None };
        Ok(Some(ClassKept {
            class: format!("{}-{SIGHTINGS}", profile.id).parse().map_err(ReadsError::from)?,
            what: KeptWhat::Sightings,
            law: profile.id.clone(),
            seconds,
            slice_seconds: 0,
            count,
            oldest,
            next: oldest.map(|seen| due(seen.as_second(), seconds)),
            erased,
        }))
    }

    /// The latest erasures of a subject, as they were entered.
    async fn erased_of(&self, what: KeptWhat, subject: &str) -> Result<Vec<ClassErased>, CoreError> {
        let (action, counted) = what.erased();
        let query = Query::<AuditRecord>::new()
            .with("subject", subject)
            .with("action", action)
            .newest_first()
            .limit(MOST_ERASED);
        let found = self.records().list(query).await?.into_iter().map(|found| found.record.body);
        Ok(found
            .map(|body| {
                let moment = |field: &str| body.detail.get(field)?.as_str()?.parse().ok();
                ClassErased {
                    at: body.at,
                    count: body.detail.get(counted).and_then(serde_json::Value::as_u64).unwrap_or(0),
                    from: moment("from"),
                    until: moment("until"),
                    entry: body.id,
                }
            })
            .collect())
    }
}

/// When what was seen then is due.
fn due(seen: i64, seconds: u64) -> Time {
    Time::from_second(seen.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)))
}
