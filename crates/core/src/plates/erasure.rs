//! Forgetting: which slices of reads are due, and the entry that their keys are destroyed.
//!
//! What is to go is noted first, then the store destroys keys, then the entry is committed. A crash in between leaves
//! the note, by which the next round enters what is gone.

use std::collections::BTreeMap;

use canvass_plates::{ClassName, SliceName};
use canvass_types::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::classes;
use crate::{
    App, CoreError,
    access::{Job, Target},
    ports::{Expect, Records, RecordsExt, StoreError, Versioned},
    records::Setting,
};

/// Name of the setting that notes slices on their way out.
const NOTE: &str = "reads.erasing";
/// Slices shorter than this, seconds, are entered together, hour by hour: a slice of ten seconds is no news of its own.
const SHORT: u32 = 3_600;

/// What is to be erased now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReads {
    classes: Vec<(ClassName, Time)>,
}

impl DueReads {
    /// Classes, each with the moment before which its slices go.
    pub(super) fn classes(&self) -> &[(ClassName, Time)] {
        &self.classes
    }
}

/// A slice on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Going {
    slice: SliceName,
    reads: u64,
    ordered: Time,
}

impl<R: Records> App<R> {
    /// What of the slices that the store holds is due, noted before anything is destroyed; none when nothing is.
    ///
    /// # Errors
    /// The store's.
    pub async fn reads_due(&self, slices: &[(SliceName, u64)]) -> Result<Option<DueReads>, CoreError> {
        let (policies, now) = (self.gate().policies(), self.now());
        let mut until: BTreeMap<&ClassName, i64> = BTreeMap::new();
        for (slice, _) in slices.iter().filter(|(slice, _)| classes::due(&policies, slice, now)) {
            let end = until.entry(&slice.class).or_insert(i64::MIN);
            *end = slice.end().max(*end);
        }
        if until.is_empty() {
            return Ok(None);
        }
        let goes = |slice: &SliceName| until.get(&slice.class).is_some_and(|end| slice.end() <= *end);
        let (note, mut going) = self.going().await?;
        for (slice, reads) in slices.iter().filter(|(slice, _)| goes(slice)) {
            // Noted before a crash, and grown since.
            going.retain(|one| one.slice != *slice);
            going.push(Going { slice: slice.clone(), reads: *reads, ordered: now });
        }
        self.note_going(note, &going).await?;
        let classes = until.into_iter().map(|(class, end)| (class.clone(), Time::from_second(end)));
        Ok(Some(DueReads { classes: classes.collect() }))
    }

    /// Enters in the oversight ledger what is gone from the slices that the store holds. Short slices wait for the end of
    /// their hour.
    ///
    /// # Errors
    /// The store's; the next call goes on.
    pub async fn reads_erased(&self, slices: &[(SliceName, u64)]) -> Result<u32, CoreError> {
        let (note, going) = self.going().await?;
        if going.is_empty() {
            return Ok(0);
        }
        let hour = self.now().hour();
        let mut classes: BTreeMap<ClassName, Vec<Going>> = BTreeMap::new();
        let mut left = Vec::new();
        for one in going {
            if slices.iter().any(|(slice, _)| *slice == one.slice) {
                left.push(one);
            } else {
                classes.entry(one.slice.class.clone()).or_default().push(one);
            }
        }
        let waits =
            |gone: &[Going]| gone.iter().all(|one| one.slice.seconds < SHORT && one.ordered.hour() == hour);
        let mut entered = 0;
        let mut note = note;
        let mut rest: Vec<Going> = left;
        let (waiting, due): (BTreeMap<_, _>, BTreeMap<_, _>) =
            classes.into_iter().partition(|(_, gone)| waits(gone));
        rest.extend(waiting.into_values().flatten());
        let mut open: Vec<Vec<Going>> = due.into_values().collect();
        while let Some(gone) = open.pop() {
            let Some(first) = gone.first() else { continue };
            let from = gone.iter().map(|one| one.slice.start).min().unwrap_or_default();
            let until = gone.iter().map(|one| one.slice.end()).max().unwrap_or_default();
            let reads: u64 = gone.iter().map(|one| one.reads).sum();
            let intent = self.system(Job::ReadsErased, Target::shared(&first.slice.class)).detail(json!({
                "class": first.slice.class, "slices": gone.len(), "reads": reads,
                "from": Time::from_second(from), "until": Time::from_second(until),
            }));
            let keep: Vec<Going> = rest.iter().chain(open.iter().flatten()).cloned().collect();
            let (setting, expect) = self.note_of(note.as_ref(), &keep);
            intent.with(|changes| changes.put(&setting, expect)).commit(self.records()).await?;
            note = self.records().get::<Setting>(NOTE).await?;
            entered += 1;
        }
        Ok(entered)
    }

    async fn going(&self) -> Result<(Option<Versioned<Setting>>, Vec<Going>), CoreError> {
        let note = self.records().get::<Setting>(NOTE).await?;
        let Some(found) = &note else { return Ok((None, Vec::new())) };
        let going = serde_json::from_value(found.record.value.clone()).map_err(|_| StoreError::Corrupt {
            table: "settings",
            reason: "the note of slices on their way out can't be read".into(),
        })?;
        Ok((note, going))
    }

    fn note_of(&self, before: Option<&Versioned<Setting>>, going: &[Going]) -> (Setting, Expect) {
        let value = serde_json::to_value(going).unwrap_or_default();
        let expect = before.map_or(Expect::Absent, |note| Expect::Version(note.version));
        (Setting { name: NOTE.into(), value }, expect)
    }

    async fn note_going(&self, before: Option<Versioned<Setting>>, going: &[Going]) -> Result<(), CoreError> {
        let (setting, expect) = self.note_of(before.as_ref(), going);
        let intent = self.system(Job::Housekeeping, Target::shared(NOTE));
        intent.with(|changes| changes.put(&setting, expect)).commit(self.records()).await?;
        Ok(())
    }
}
