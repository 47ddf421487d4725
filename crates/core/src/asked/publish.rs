//! Which days are public, and what stands in their files.

use canvass_blind::{DayFile, DaysFile, Epoch, day_of, filler};
use canvass_types::Time;
use jiff::{ToSpan as _, civil::Date};

use super::NotedKey;
use crate::{
    App, CoreError,
    access::{Job, Target},
    ports::{Query, Records, RecordsExt, StoreError, Versioned},
    records::{AskedMark, CourtSeal, CourtSealState, MarkState},
};

/// Marks that one change moves on.
const BATCH: usize = 200;

/// The days that are public now: the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicDays {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

impl PublicDays {
    /// From the first day that a key was for, within what the policy keeps, up to the day that the delay lets through.
    fn of(noted: &[NotedKey], now: Time, delay_days: u32, keep_days: u32) -> Option<Self> {
        let today = day_of(now);
        let back = |days: u32| today.checked_sub(i64::from(days).days()).ok();
        let begun = noted.iter().filter(|key| !key.destroyed).map(|key| day_of(key.at)).min()?;
        let first = begun.max(back(keep_days)?);
        // The day itself must be over, and as many whole days after it.
        let last = back(delay_days.saturating_add(1))?;
        (first <= last).then_some(Self { first, last })
    }

    /// All of them, oldest first.
    pub fn all(self) -> impl Iterator<Item = Date> {
        std::iter::successors(Some(self.first), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= self.last)
    }
}

impl<R: Records> App<R> {
    /// The days that are public now; none while nothing is.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_days(&self) -> Result<Option<PublicDays>, CoreError> {
        let asked = &self.policy().asked;
        let noted = self.asked_keys_noted().await?;
        Ok(PublicDays::of(&noted, self.now(), asked.delay_days, asked.keep_days))
    }

    /// `/asked/index.json`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_index(&self) -> Result<DaysFile, CoreError> {
        let days = self.asked_days().await?;
        let states = self.records().count_by(<CourtSeal as crate::ports::Record>::KIND, "state").await?;
        let asked = &self.policy().asked;
        Ok(DaysFile {
            v: 1,
            delay_days: asked.delay_days,
            keep_days: asked.keep_days,
            first: days.map(|days| days.first.to_string()),
            last: days.map(|days| days.last.to_string()),
            sealed: states.get(CourtSealState::InForce.as_str()).copied().unwrap_or(0),
        })
    }

    /// Public days whose file lacks a mark, at most `limit` of them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_lacking(&self, days: PublicDays, limit: usize) -> Result<Vec<Date>, CoreError> {
        let mut found = std::collections::BTreeSet::new();
        for state in [MarkState::Waiting, MarkState::Publishing] {
            let mut query = Query::<AskedMark>::new().with("state", state.as_str());
            if let Ok(end) = format!("{}T00:00:00Z", days.last).parse::<Time>() {
                query = query.due("day", end);
            }
            for mark in self.records().list(query).await? {
                found.extend(mark.record.day.parse::<Date>().ok().filter(|day| *day >= days.first));
            }
        }
        Ok(found.into_iter().take(limit).collect())
    }

    /// The file of a day that is public. Its marks can't be sealed from here on.
    ///
    /// # Errors
    /// When the quarter's key is not there, or the store does not answer.
    pub async fn asked_day(&self, day: Date) -> Result<DayFile, CoreError> {
        self.move_on(day, MarkState::Waiting, MarkState::Publishing).await?;
        let epoch = Epoch::of(day);
        let key = self.asked_keys().get(epoch).ok_or_else(|| {
            let what = format!("the key of {epoch} for the private check is not there");
            CoreError::state(what, "put it back into the folder `asked` from where you keep the keys")
        })?;
        let mut marks = Vec::new();
        for state in [MarkState::Publishing, MarkState::Public] {
            let of_state = self.marks(day, state).await?;
            marks.extend(of_state.into_iter().map(|mark| mark.record.mark));
        }
        let full = marks.len().max(1).next_multiple_of(DayFile::STEP);
        for number in 0..u32::try_from(full - marks.len()).unwrap_or(0) {
            marks.push(filler(&key, day, number).as_str().to_owned());
        }
        marks.sort();
        Ok(DayFile { v: 1, day: day.to_string(), epoch, marks })
    }

    /// Says that the file of a day is written.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn asked_day_written(&self, day: Date) -> Result<(), CoreError> {
        self.move_on(day, MarkState::Publishing, MarkState::Public).await
    }

    async fn marks(&self, day: Date, state: MarkState) -> Result<Vec<Versioned<AskedMark>>, CoreError> {
        self.all_marks(&Query::new().with("day", day).with("state", state.as_str())).await
    }

    /// All marks that a query meets, however many.
    pub(super) async fn all_marks(
        &self,
        query: &Query<AskedMark>,
    ) -> Result<Vec<Versioned<AskedMark>>, CoreError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let part = self.records().list(query.clone().after(after)).await?;
            let Some(last) = part.last() else { return Ok(all) };
            after = Some(last.sequence);
            all.extend(part);
        }
    }

    async fn move_on(&self, day: Date, from: MarkState, to: MarkState) -> Result<(), CoreError> {
        for part in self.marks(day, from).await?.chunks(BATCH) {
            let moved: Vec<_> =
                part.iter().map(|mark| AskedMark { state: to, ..mark.record.clone() }).collect();
            let housekeeping = self.system(Job::Housekeeping, Target::shared("asked"));
            let changed = housekeeping.with(|changes| {
                part.iter().zip(&moved).fold(changes, |all, (before, mark)| all.update(before, mark))
            });
            match changed.commit(self.records()).await {
                // Somebody sealed one of them: the next round looks again.
                Ok(_) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
