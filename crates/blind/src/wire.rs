//! What goes over the network and stands in the public files.

use canvass_types::Proof;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{BlindError, Epoch, Mark, PublicKey, SUITE};

/// Body of `POST /asked/evaluate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    /// With the key of which epoch.
    pub epoch: Epoch,
    /// Blinded elements, 1 to 4, each 32 bytes of base64url without padding.
    pub elements: Vec<String>,
}

/// Its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluated {
    /// Of which epoch.
    pub epoch: Epoch,
    /// Evaluated elements, in order, base64url.
    pub elements: Vec<String>,
    /// One proof for all of them, 64 bytes of base64url.
    pub proof: String,
}

/// `/asked/keys.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyFile {
    /// Version: 1.
    pub v: u32,
    /// [`SUITE`].
    pub suite: String,
    /// The keys, oldest first.
    pub keys: Vec<KeyOf>,
}

/// The published half of an epoch's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyOf {
    /// Which epoch.
    pub epoch: Epoch,
    /// The key, base64url.
    pub public: String,
    /// Its entry in the requests ledger, so that everybody is shown the same key.
    pub proof: Proof,
}

/// `/asked/index.json`: which days are public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DaysFile {
    /// Version: 1.
    pub v: u32,
    /// Days after a search before it is public.
    pub delay_days: u32,
    /// Days for which it stays public.
    pub keep_days: u32,
    /// First public day; none while there is none.
    pub first: Option<String>,
    /// Last public day.
    pub last: Option<String>,
    /// Searches that a court has sealed now.
    pub sealed: u64,
}

impl DaysFile {
    /// All public days, oldest first; the same for everybody.
    ///
    /// # Errors
    /// [`BlindError::Form`] when it is of another version, its days are no days, or they are more than 4,000.
    pub fn days(&self) -> Result<Vec<Date>, BlindError> {
        let (first, last) = match (self.v, &self.first, &self.last) {
            (1, Some(first), Some(last)) => (first, last),
            (1, None, None) => return Ok(Vec::new()),
            _ => return Err(BlindError::Form),
        };
        let day = |text: &str| text.parse::<Date>().map_err(|_| BlindError::Form);
        let (mut at, last) = (day(first)?, day(last)?);
        let mut days = Vec::new();
        while at <= last {
            days.push(at);
            at = at.tomorrow().map_err(|_| BlindError::Form)?;
            if days.len() > 4_000 {
                return Err(BlindError::Form);
            }
        }
        Ok(days)
    }
}

/// `/asked/<day>.json`: the marks of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayFile {
    /// Version: 1.
    pub v: u32,
    /// Which day, in UTC.
    pub day: String,
    /// By which epoch's key.
    pub epoch: Epoch,
    /// Marks, sorted, each 160 bytes of base64url; some of them mark nothing.
    pub marks: Vec<String>,
}

impl DayFile {
    /// Marks of a file come in multiples of this.
    pub const STEP: usize = 16;

    /// The marks.
    ///
    /// # Errors
    /// [`BlindError::Form`] when one is no mark, or the file is of another day, epoch or version.
    pub fn read(&self, day: Date) -> Result<Vec<Mark>, BlindError> {
        if self.v != 1 || self.day != day.to_string() || self.epoch != Epoch::of(day) {
            return Err(BlindError::Form);
        }
        self.marks.iter().map(|text| Mark::read(text)).collect()
    }
}

impl KeyFile {
    /// The key of an epoch.
    ///
    /// # Errors
    /// [`BlindError::Key`] when there is none, or it is of another suite.
    pub fn of(&self, epoch: Epoch) -> Result<(&KeyOf, PublicKey), BlindError> {
        if self.v != 1 || self.suite != SUITE {
            return Err(BlindError::Form);
        }
        let found = self.keys.iter().find(|each| each.epoch == epoch).ok_or(BlindError::Key)?;
        Ok((found, found.public.parse()?))
    }
}
