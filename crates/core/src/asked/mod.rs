//! "Was I searched?": what a search leaves for the owners of the plates that it named, and when they learn of it.
//!
//! ```text
//! search ── mark_asked ──► AskedMark (waiting) ── delay ──► publishing ──► public ── keep_days ──► gone
//!                               │ confirm_seal ▲ the order ends
//!                               ▼              │
//!                             sealed ──────────┘
//! ```
//! A mark is committed with the search's own record, so that no search that names a plate is without one. The crate
//! `canvass-blind` makes it; nobody can join two marks of one plate without the epoch's key.

mod keys;
mod publish;
mod seals;

use canvass_blind::{COUNTERS, Cameras, Detail, Epoch, Mark, Plate, day_of};

pub(crate) use keys::AskedKeys;
pub use keys::NotedKey;
pub use publish::PublicDays;
pub use seals::{NewSeal, SealFilter};

use crate::{
    App, CoreError,
    access::Intent,
    ports::{Records, RecordsExt, Versioned},
    records::{AskedMark, MarkState},
};

/// What a search named.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The plates: those that were asked for letter by letter, and those that were opened among the results. A search
    /// with signs for unknown letters names none by itself.
    pub plates: &'a [Plate],
    /// How many cameras it went through.
    pub cameras: u64,
}

fn blind(error: canvass_blind::BlindError) -> CoreError {
    CoreError::state(error.to_string(), "look at the guide of the private check, docs/ref/asked.md")
}

impl<R: Records> App<R> {
    /// Adds to a search what the owners of the plates that it named will learn of it: who searched, for which class of
    /// purpose, on which day, over how many cameras. Agency, purpose and day are those of the search's own record.
    ///
    /// A plate that was searched [`COUNTERS`] times that day gets no more marks: its owner sees so many.
    ///
    /// # Errors
    /// When no agency searches, or there is no key for this quarter: the search must not go on then. Two searches of
    /// one plate at the same moment may meet a conflict when the intent is committed; decide anew then, as ever.
    pub async fn mark_asked<A>(&self, intent: Intent<A>, named: &Named<'_>) -> Result<Intent<A>, CoreError> {
        let record = intent.record();
        let agency = record.actor_agency.clone().or_else(|| record.agency.clone()).ok_or_else(|| {
            CoreError::state("the search is of no agency", "sign in as a member of the agency that searches")
        })?;
        let purpose = record.purpose.as_ref().map_or("none", |purpose| purpose.class.as_str()).to_owned();
        let detail = Detail { agency, purpose, cameras: Cameras::of(named.cameras) };
        let day = day_of(record.at);
        let key = self.asked_keys().get(Epoch::of(day)).ok_or_else(|| {
            CoreError::state(
                "there is no key of this quarter for the private check of plate owners",
                "wait until the server has made it, at most a minute, or look at its log",
            )
        })?;
        let mut plates: Vec<&Plate> = named.plates.iter().collect();
        plates.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        plates.dedup();
        let mut marks = Vec::new();
        for plate in plates {
            let output = key.output(plate).map_err(blind)?;
            // A place by chance: how far the numbers go tells nothing, and two searches seldom meet.
            let mut chance = [0];
            self.entropy().fill(&mut chance);
            for step in 0..COUNTERS {
                let counter = (u32::from(chance[0]) + step) % COUNTERS;
                let tag = Mark::tag_of(&output, day, counter);
                let taken: Option<Versioned<AskedMark>> = self.records().get(&tag).await?;
                if taken.is_some() {
                    continue;
                }
                let mark = Mark::seal(&output, day, counter, &detail).map_err(blind)?;
                let (search, day) = (intent.record().id.clone(), day.to_string());
                let mark = mark.as_str().to_owned();
                marks.push(AskedMark { tag, mark, search, day, state: MarkState::Waiting });
                break;
            }
        }
        Ok(intent.with(|changes| marks.iter().fold(changes, |all, mark| all.insert(mark))))
    }
}
