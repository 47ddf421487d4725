//! The quarter of a year for which a key holds.

use std::{fmt, str::FromStr};

use canvass_types::Time;
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::BlindError;

/// A quarter of a calendar year in UTC, written `2026-Q4`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String)]
pub struct Epoch(i32);

/// Quarters of a year.
const QUARTERS: i32 = 4;

/// The calendar day of a moment in UTC.
#[must_use]
pub fn day_of(at: Time) -> Date {
    at.timestamp().to_zoned_datetime(TimeZone::UTC).date()
}

impl Epoch {
    /// The quarter that a day falls in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self(i32::from(day.year()) * QUARTERS + i32::from((day.month() - 1) / 3))
    }

    fn year(self) -> i32 {
        self.0.div_euclid(QUARTERS)
    }

    fn quarter(self) -> i32 {
        self.0.rem_euclid(QUARTERS) + 1
    }

    /// Its last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        let year = i16::try_from(self.year()).unwrap_or(i16::MAX);
        let month = i8::try_from(self.quarter() * 3).unwrap_or(12);
        Date::new(year, month, 1).unwrap_or(Date::MAX).last_of_month()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-Q{}", self.year(), self.quarter())
    }
}

impl FromStr for Epoch {
    type Err = BlindError;
    fn from_str(text: &str) -> Result<Self, BlindError> {
        let (year, quarter) = text.split_once("-Q").ok_or(BlindError::Epoch)?;
        let digits = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(quarter, 1) {
            return Err(BlindError::Epoch);
        }
        let year: i32 = year.parse().map_err(|_| BlindError::Epoch)?;
        let quarter: i32 = quarter.parse().map_err(|_| BlindError::Epoch)?;
        if !(1..=QUARTERS).contains(&quarter) {
            return Err(BlindError::Epoch);
        }
        Ok(Self(year * QUARTERS + quarter - 1))
    }
}

impl TryFrom<String> for Epoch {
    type Error = BlindError;
    fn try_from(text: String) -> Result<Self, BlindError> {
        text.parse()
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> String {
        epoch.to_string()
    }
}
