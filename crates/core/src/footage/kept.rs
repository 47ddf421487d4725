//! Forgetting: sightings go when the law of their camera's owner says so, and the ledger says that they went.
//!
//! Rows and the note of how many went are one change. The note is entered at once where the law counts in days, and hour by
//! hour where it counts in minutes: then an entry for each round would be no news.

use std::collections::BTreeMap;

use canvass_policy::DEFAULT;
use canvass_types::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    App, CoreError,
    access::{Job, Target},
    plates::kept_seconds,
    ports::{Expect, Kind, Query, Records, RecordsExt, StoreError, Versioned},
    records::{CameraSighting, Setting, SightingPicture},
};

/// Name of the setting that notes what went and is not entered yet.
const NOTE: &str = "sightings.erased";
/// Sightings that are removed together.
const STEP: u32 = 200;
/// Parts of one round.
const PARTS: usize = 50;
/// A law that keeps sightings for less, seconds, is entered hour by hour.
const SHORT: u64 = 86_400;

/// What went under one law since it was last entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Gone {
    sightings: u64,
    from: Time,
    until: Time,
    hour: String,
}

impl Gone {
    fn add(&mut self, seen: Time) {
        self.sightings += 1;
        self.from = self.from.min(seen);
        self.until = self.until.max(seen);
    }
}

type Note = BTreeMap<String, Gone>;

impl<R: Records> App<R> {
    /// How long the sightings of a law are kept under the rules in force, seconds. One whose profile is gone keeps them as the
    /// default profile does, so that nothing stays for ever because nobody names it any more.
    fn sightings_kept(&self, law: &str) -> u64 {
        let policies = self.gate().policies();
        let profile = policies.profile(law).or_else(|| policies.profile(DEFAULT));
        profile.map_or(0, |profile| kept_seconds(profile, false))
    }

    /// Removes sightings that are past their retention with their pictures, and enters it; says how many went.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn forget_sightings(&self) -> Result<u64, CoreError> {
        let laws: Vec<(String, u64)> = {
            let policies = self.gate().policies();
            policies.profiles().into_iter().map(|law| (law.id.clone(), kept_seconds(law, false))).collect()
        };
        // Whatever law a sighting was under, no law that is in force keeps it longer than this.
        let longest = laws.iter().map(|(_, seconds)| *seconds).max().unwrap_or(0);
        let mut queries: Vec<Query<CameraSighting>> =
            laws.iter().map(|(law, kept)| self.past(*kept).with("law", law)).collect();
        // It looks at all of them, so it is asked in one minute of each hour.
        if self.now().as_second().rem_euclid(3_600) < 60 {
            queries.push(self.past(longest));
        }
        let mut removed = 0;
        for query in queries {
            for _ in 0..PARTS {
                let part = self.forget_part(query.clone()).await?;
                removed += part;
                if part < u64::from(STEP) {
                    break;
                }
            }
        }
        self.enter_sightings().await?;
        Ok(removed)
    }

    /// When the oldest sighting under a law was seen.
    pub(crate) async fn oldest_sighting(&self, law: &str) -> Result<Option<Time>, CoreError> {
        let mut oldest: Option<Time> = None;
        loop {
            // They come in the order in which they were stored; one that came late may be older than those before it.
            let mut query = Query::<CameraSighting>::new().with("law", law).limit(STEP);
            if let Some(oldest) = oldest {
                query = query.due("seen", Time::from_second(oldest.as_second().saturating_sub(1)));
            }
            let part = self.records().list(query).await?;
            let Some(first) = part.iter().map(|one| one.record.seen).min() else { return Ok(oldest) };
            oldest = Some(first);
        }
    }

    /// Sightings that were seen so long ago.
    fn past(&self, seconds: u64) -> Query<CameraSighting> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let before = Time::from_second(self.now().as_second().saturating_sub(seconds));
        Query::<CameraSighting>::new().due("seen", before).limit(STEP)
    }

    async fn forget_part(&self, query: Query<CameraSighting>) -> Result<u64, CoreError> {
        let now = self.now();
        let due = self.records().list(query).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let (stored, mut note) = self.sightings_note().await?;
        let mut intent = self.system(Job::Housekeeping, Target::shared(NOTE));
        for one in &due {
            let picture: Option<Versioned<SightingPicture>> =
                if one.record.pictured { self.records().get(one.record.id.as_str()).await? } else { None };
            intent =
                intent.with(|changes| picture.iter().fold(changes.delete(one), |all, it| all.delete(it)));
            let seen = one.record.seen;
            let none = || Gone { sightings: 0, from: seen, until: seen, hour: now.hour() };
            note.entry(one.record.law.clone()).or_insert_with(none).add(seen);
        }
        let (setting, expect) = note_of(stored.as_ref(), &note);
        intent.with(|changes| changes.put(&setting, expect)).commit(self.records()).await?;
        Ok(due.len() as u64)
    }

    /// Enters in the oversight ledger what went.
    async fn enter_sightings(&self) -> Result<(), CoreError> {
        let hour = self.now().hour();
        loop {
            let (stored, mut note) = self.sightings_note().await?;
            let due = |(law, gone): &(&String, &Gone)| self.sightings_kept(law) >= SHORT || gone.hour != hour;
            let Some(law) = note.iter().find(due).map(|(law, _)| law.clone()) else { return Ok(()) };
            let Some(gone) = note.remove(&law) else { return Ok(()) };
            let (setting, expect) = note_of(stored.as_ref(), &note);
            self.system(Job::SightingsErased, Target::shared(&law))
                .detail(json!({ "sightings": gone.sightings, "from": gone.from, "until": gone.until }))
                .with(|changes| changes.put(&setting, expect))
                .commit(self.records())
                .await?;
        }
    }

    async fn sightings_note(&self) -> Result<(Option<Versioned<Setting>>, Note), CoreError> {
        let note = self.records().get::<Setting>(NOTE).await?;
        let Some(found) = &note else { return Ok((None, Note::new())) };
        let gone = serde_json::from_value(found.record.value.clone()).map_err(|_| StoreError::Corrupt {
            table: Kind::Setting.table(),
            reason: "the note of sightings that went can't be read".into(),
        })?;
        Ok((note, gone))
    }
}

fn note_of(before: Option<&Versioned<Setting>>, note: &Note) -> (Setting, Expect) {
    // Texts and numbers: they can always be written.
    let value = serde_json::to_value(note).unwrap_or_default();
    let expect = before.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
    (Setting { name: NOTE.into(), value }, expect)
}
